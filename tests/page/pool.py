"""A made-up pool in the store of a control plane that runs alone: everything that the page can show, in mid-swap."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from failover.core.move import Move, State
from failover.core.session import SessionState
from failover.core.task import Finish, Task
from failover.events import MoveAdvanced, SwapStarted, TaskQueued
from failover.host.process import identify
from failover.http.views import ROLES
from failover.sim.week import fill
from failover.store import sessions, swaps, tasks
from failover.store.db import Store, Transaction
from failover.store.sessions import Placement, Sighting

#: Names that would do something if they were anything but data.
HOSTILE = (
    "<img src=x onerror=\"document.title='taken'\">",
    "‮txt.exe‬‏ؤ؆ right to left",
    "\x1b[2J\x1b[31mred\x07",
    "two\nlines\ttab",
    "z̸̡̢̛̲̹̪͐̽̎a̴͕̾l̶͉̿g̷̥̊o",
    "x" * 255,
    "javascript:alert(1)",
    "{{7*7}} ${7*7} `id` $(id)",
)
_STATES: Sequence[State] = ("verified", "answering", "relaunching", "stopping", "holding", "queued")


def pool(store: Store, sessions_there: Sequence[str], accounts: Sequence[str], project: Path) -> None:
    """Write a pool in mid-swap from the first account to the second."""
    own = identify(os.getpid())
    assert own is not None
    now = store.now_ms()
    fill(store, tuple(accounts), now / 1000)
    with store.transaction() as tx:
        for name in ROLES:
            tx.execute(
                "INSERT OR IGNORE INTO roles (role, boot, pid, start, at_ms, did) VALUES (?, 'b', ?, ?, ?, ?)",
                (name, own.pid, own.start, now, f"Looked at everything of {name}; nothing to do"),
            )
        for place, name in enumerate(sessions_there):
            _session(tx, name, place, accounts, project, own.pid, own.start, now)
        number = swap(tx, sessions_there, accounts, now)
        tx.emit(
            SwapStarted(
                swap=number, source=accounts[0], target=accounts[1], urgency="soft", sessions=tuple(sessions_there),
                reason=f"{accounts[0]} is at 91 % of five_hour",
            )
        )  # fmt: skip
        for place, name in enumerate((*HOSTILE, "refactor-parser", "write-docs")):
            task(tx, name, place, str(project), now, sessions_there[place % len(sessions_there)])


def _session(
    tx: Transaction, name: str, place: int, accounts: Sequence[str], project: Path, pid: int, start: int, now: int
) -> None:
    conversation = f"75f7a22f-fb7f-4def-bea1-{place:012d}"
    sessions.place(
        tx,
        Placement(
            session=name, account=accounts[1 if place % 6 == 0 else 0], conversation=conversation, cwd=str(project),
            wanted="running", launch="abcdef012345", pid=pid, start=start,
        ),
    )  # fmt: skip
    states: Sequence[SessionState] = ("moving", "moving", "moving", "moving", "working", "idle", "waiting", "limited")
    sessions.sight(
        tx,
        Sighting(
            name=name, state=states[place % 8], since_ms=now - 1000 * 7 ** (place % 6), seen_ms=now,
            conversation=conversation,
        ),
    )  # fmt: skip
    tx.execute(
        "INSERT INTO statuslines (session, account, launch, conversation, at_ms, body) VALUES (?, ?, ?, ?, ?, ?)",
        (name, accounts[0], "abcdef012345", conversation, now,
         f'{{"context_window": {{"total_input_tokens": {2100 + 17391 * (place % 9)}}}}}'),
    )  # fmt: skip


def swap(tx: Transaction, names: Sequence[str], accounts: Sequence[str], now: int) -> int:
    """Open a swap whose moves stand at different steps."""
    number = swaps.begin(
        tx, kind="swap", source=accounts[0], target=accounts[1], urgency="soft",
        reason=f"{accounts[0]} is at 91 % of five_hour, past its threshold of 90 %; about 240 k tokens of context to be"
        " cached anew",
        order_id=0, request_id=0, started_ms=now - 3400, started_mono=100.0, deadline_mono=700.0, host_boot="",
    )  # fmt: skip
    for place, name in enumerate(names):
        state = _STATES[place % len(_STATES)]
        swaps.add_move(
            tx,
            Move(
                id=0, swap=number, session=name, conversation="", cwd="/", source=accounts[0], target=accounts[1],
                kind="swap", state=state, at={"holding": 100.2, "stopping": 101.0, "answering": 102.1},
            ),
        )  # fmt: skip
        tx.emit(MoveAdvanced(swap=number, move=place, session=name, state=state, was="queued", why="made up"))
    return number


def task(tx: Transaction, name: str, place: int, project: str, now: int, session: str) -> Task:
    """Add a task; every third one has failed, and the one after it is being done."""
    fields = {"name": name, "project": project, "queued_ms": now - 60_000 * (place + 1), "attempt": 1}
    if place % 3 == 0:
        made = tasks.add(
            tx,
            Task(
                id=0, **fields, state="failed", finished_ms=now - 1000,  # type: ignore[arg-type]
                finish=Finish("failed", f"its last attempt ended: {name}", "x"),
            ),
        )  # fmt: skip
    else:
        state = "running" if place % 3 == 1 else "queued"
        made = tasks.add(tx, Task(id=0, **fields, state=state, session=session))  # type: ignore[arg-type]
    tx.emit(TaskQueued(task=made.id, name=name, project=project))
    return made
