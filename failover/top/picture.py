"""The picture of the live view for its page: a made-up pool in mid-swap, drawn by the view itself."""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import closing
from pathlib import Path

from failover.cli.shared import Cli
from failover.core.choice import Swap, Verdict
from failover.core.move import Move, State
from failover.core.session import SessionState
from failover.core.task import Task
from failover.core.usage import Reading
from failover.events import MoveAdvanced, SwapStarted, SwapWanted
from failover.host.process import identify
from failover.http.views import ROLES
from failover.store import choices, sessions, swaps, tasks, usage
from failover.store.db import Store, Transaction
from failover.top.app import Top

_SIZE = (100, 30)
_WINDOWS = {
    "main": {"five_hour": (90.4, 5400), "seven_day": (61.0, 190_000)},
    "backup": {"five_hour": (12.0, 15_000), "seven_day": (34.0, 400_000)},
    "spare": {"five_hour": (3.0, 9_000), "seven_day": (88.0, 60_000)},
}
_MOVES: tuple[tuple[State, str], ...] = (
    ("verified", "answered under backup"), ("verified", "answered under backup"),
    ("answering", "its first answer is awaited"), ("relaunched", "claude --resume was started"),
    ("holding", "a tool is at work"), ("holding", "2 sub-agents are at work"), ("queued", "2 are away already"),
)  # fmt: skip
_REASON = "main is at 90 % of its five_hour window (threshold 90 %); backup has five_hour 12 %"


def draw(path: Path) -> None:
    """Write the picture, an SVG file, to `path`."""
    with tempfile.TemporaryDirectory(prefix="cf-") as folder:
        file = Path(folder) / "config.yaml"
        file.write_text(
            f"version: 1\nstate_dir: {folder}/s\nshared_dir: {folder}/shared\naccounts:\n"
            + "".join(f"  - {{name: {name}, config_dir: {folder}/{name}}}\n" for name in _WINDOWS)
            + f'sessions: [{{name: "ccl-{{0..9}}", project: {folder}/app}}]\n'
        )
        cli = Cli(file)
        cli.config.paths.ensure()
        with closing(Store.open(cli.config.paths.store, "account-switcher", "boot")) as store:
            with store.transaction() as tx:
                _fill(tx, store.now_ms(), f"{folder}/app")
            path.write_text(asyncio.run(_drawn(cli)))


async def _drawn(cli: Cli) -> str:
    app = Top(cli)
    async with app.run_test(size=_SIZE) as pilot:
        await pilot.pause()
        return app.export_screenshot(title="claude-failover top")


def _fill(tx: Transaction, now: int, folder: str) -> None:
    _live_roles(tx, now)
    for account, windows in _WINDOWS.items():
        for window, (used, left) in windows.items():
            for step in range(12):  # rising, so that there is a forecast
                at = now - (12 - step) * 60_000
                usage.note(tx, Reading(
                    account=account, window=window, used=used - (11 - step) * 0.6, resets_at=now // 1000 + left,
                    observed_ms=at, source="statusline",
                ))  # fmt: skip
    verdicts = (Verdict("main", "left", _REASON), Verdict("backup", "taken", "backup has five_hour 12 %"))
    choices.keep(tx, None, Swap("main", "backup", "soft", _REASON, verdicts=verdicts), now)
    tx.emit(SwapWanted(request=1, source="main", target="backup", urgency="soft", reason=_REASON))
    names = [f"ccl-{number}" for number in range(len(_MOVES))]
    swap = swaps.begin(
        tx, kind="swap", source="main", target="backup", urgency="soft", reason=_REASON, order_id=0, request_id=1,
        started_ms=now - 4000, started_mono=0.0, deadline_mono=0.0, host_boot="x",
    )  # fmt: skip
    tx.emit(SwapStarted(
        swap=swap, source="main", target="backup", urgency="soft", sessions=tuple(names), reason=_REASON,
    ))  # fmt: skip
    for number in range(10):
        moved = _MOVES[number] if number < len(_MOVES) else None
        state: SessionState = "waiting" if number == 9 else "idle" if number == 8 else "working"
        account = "backup" if moved is None or moved[0] in ("verified", "answering", "relaunched") else "main"
        name = f"ccl-{number}"
        sessions.place(tx, sessions.Placement(
            session=name, account=account, conversation=f"{number:036}", cwd=folder, wanted="running",
            launch=f"{number:012}",
        ))  # fmt: skip
        sessions.sight(tx, sessions.Sighting(
            name=name, state="moving" if moved and moved[0] == "relaunched" else state,
            since_ms=now - 20_000 * (number + 1), seen_ms=now,
            waiting_for="a permission dialog" if state == "waiting" else "",
        ))  # fmt: skip
        used = (7 + number * 23) % 90
        tx.execute(
            "INSERT INTO statuslines (session, account, launch, conversation, at_ms, body) VALUES (?, ?, '', '', ?, ?)",
            (name, account, now, f'{{"context_window": {{"used_percentage": {used}}}}}'),
        )
        if moved is not None:
            move = swaps.add_move(tx, Move(
                id=0, swap=swap, session=name, conversation=f"{number:036}", cwd=folder, source="main",
                target="backup", kind="swap", state=moved[0], why=moved[1],
            ))  # fmt: skip
            if moved[0] == "verified":
                tx.emit(MoveAdvanced(
                    swap=swap, move=move, session=name, state="verified", was="answering", why=moved[1],
                ))  # fmt: skip
    for number, task_state in enumerate(("running", "queued", "queued", "failed")):
        tasks.add(tx, Task(
            id=0, name=f"fix-flaky-test-{number}", project=folder, state=task_state, queued_ms=now,  # type: ignore[arg-type]
            session="ccl-7" if task_state == "running" else "",
        ))  # fmt: skip


def _live_roles(tx: Transaction, now: int) -> None:
    """Let every role run: by this very process, which does."""
    import os

    me = identify(os.getpid())
    assert me is not None
    for role in ROLES:
        tx.put("roles", {"role": role, "boot": "b", "pid": me.pid, "start": me.start, "at_ms": now})
