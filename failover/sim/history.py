"""A store with a past: accounts with readings, sessions, swaps, tasks and events, as the roles would have left it.

For the tests and measurements of what is shown of a pool; nothing of it ever ran.
"""

from __future__ import annotations

from failover.config import Config
from failover.core.move import Move
from failover.core.policy import Swap
from failover.core.task import Task
from failover.core.usage import Reading
from failover.events import (
    AllExhausted,
    RoleStarted,
    SwapFinished,
    TaskDispatched,
    TaskFinished,
    TaskQueued,
)
from failover.store import logins, outbox, swaps, tasks, usage
from failover.store.db import Store

_HOUR_MS = 3_600_000


def remember(config: Config, store: Store, *, readings: int = 40, sessions: int = 2) -> None:
    """Give a store a past of an hour in which one swap moved all sessions from the first account to the second."""
    now = store.now_ms()
    first, second = (account.name for account in config.accounts[:2])
    with store.transaction() as tx:
        for account, top in ((first, 92.0), (second, 30.0)):
            for window, lasts in (("five_hour", 4), ("seven_day", 90)):
                for step in range(readings):
                    at = now - _HOUR_MS + step * _HOUR_MS // readings
                    used = top * (step + 1) / readings
                    resets = now // 1000 + lasts * 3600
                    usage.note(tx, Reading(account=account, window=window, used=used, resets_at=resets,
                                           observed_ms=at, source="statusline"))  # fmt: skip
        logins.keep(tx, {first: now // 1000 + 20 * 86400})
        for number in range(sessions):
            tx.execute(
                "INSERT INTO placements (session, account, conversation, cwd, wanted, launch)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (f"s-{number}", second, f"conversation-{number}", str(config.projects[0]), "running", "launch"),
            )
            tx.execute(
                "INSERT INTO sessions (name, state, since_ms, seen_ms) VALUES (?, ?, ?, ?)",
                (f"s-{number}", "working", now, now),
            )
        outbox.keep_sink(tx, outbox.SinkRow(name="file", came_to=0))
        tx.emit(RoleStarted(role="bus", pid=1))
        tx.emit(AllExhausted(source=first, until=None, reason="nothing has room"))
    swap(store, first, second, [f"s-{number}" for number in range(sessions)])
    task(store, str(config.projects[0]), "one", waited_ms=1500)


def swap(store: Store, source: str, target: str, names: list[str]) -> int:
    """Let a swap that the policy asked for have moved these sessions, each away for two seconds; return its number."""
    now = store.now_ms()
    with store.transaction() as tx:
        request = usage.request_swap(tx, now, Swap(source, target, "soft", "at its threshold"))
        number = swaps.begin(
            tx, kind="swap", source=source, target=target, urgency="soft", reason="at its threshold", order_id=0,
            request_id=request, started_ms=now, started_mono=0.0, deadline_mono=0.0, host_boot="x",
        )  # fmt: skip
        for name in names:
            at = {"queued": 1.0, "stopping": 2.0, "verified": 4.0}
            swaps.add_move(tx, Move(id=0, swap=number, session=name, conversation=f"conversation-{name}", cwd="/",
                                    source=source, target=target, kind="swap", state="verified", at=at))  # fmt: skip
        swaps.finish(tx, number, "done", "moved all", now + 4000)
        tx.emit(SwapFinished(swap=number, source=source, target=target, outcome="done", moved=len(names), stayed=0,
                             duration_ms=4000, sentence="moved all"))  # fmt: skip
    return number


def task(store: Store, project: str, name: str, *, waited_ms: int = 0) -> int:
    """Let a task have been queued, taken so much later, and done, and let another one wait; return its number."""
    now = store.now_ms()
    with store.transaction() as tx:
        done = tasks.add(tx, Task(id=0, name=name, project=project, state="done", attempt=1,
                                  queued_ms=now - waited_ms, finished_ms=now))  # fmt: skip
        waiting = tasks.add(tx, Task(id=0, name=f"{name} more", project=project, queued_ms=now - 60_000))
        for one in (done, waiting):
            tx.emit(TaskQueued(task=one.id, name=one.name, project=project))
        tx.emit(TaskDispatched(task=done.id, name=name, session="s-0", attempt=1))
        tx.emit(TaskFinished(task=done.id, name=name, session="s-0", outcome="done", reason=""))
    return done.id
