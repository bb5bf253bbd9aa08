"""What may be deleted or put away: what is past its time, never what somebody still needs or what tells the present."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from typing import Literal

import msgspec

#: So many of the newest checkpoints of each session are kept.
CHECKPOINTS_KEPT = 20
#: A marker younger than this may belong to a step that is under way (seconds).
_MARKER_RESTS = 60.0
#: A process younger than this may be one that is just being started (seconds).
_ORPHAN_RESTS = 60.0


class Row(msgspec.Struct, frozen=True):
    """A row of history. at_ms: epoch milliseconds."""

    id: int
    at_ms: int


class PastSwap(msgspec.Struct, frozen=True):
    """A swap that may be over. ended_ms: epoch milliseconds, 0 while it is open."""

    id: int
    kind: str
    ended_ms: int


class Log(msgspec.Struct, frozen=True):
    """A file in the folder of logs. age: seconds since it was last written; in_use: a role writes into it."""

    name: str
    size: int
    age: float
    in_use: bool


class Bearer(msgspec.Struct, frozen=True):
    """A live process that bears a launch's mark in its arguments.

    owned: it, or a process that it descends from, is one that a placement or an open move names; current: its launch
    is; terminal: it has one, so that a person may be at it; age: seconds since its start.
    """

    owned: bool
    current: bool
    terminal: bool
    age: float


def expired(rows: Iterable[Row], before_ms: int, needed: int | None) -> list[int]:
    """Return which of the oldest rows (by id) may go: those before `before_ms`, up to the first that is younger.

    needed: the first id that somebody has yet to read. A row whose time is in the future (the clock was wrong) ends
    the run, so that a clock that jumps deletes too little rather than too much.
    """
    found = []
    for row in rows:
        if row.at_ms >= before_ms or (needed is not None and row.id >= needed):
            break
        found.append(row.id)
    return found


def surplus(rows: Iterable[Row], before_ms: int) -> list[int]:
    """Return which checkpoints of one session may go; rows: newest first. The newest one always stays."""
    return [
        row.id for place, row in enumerate(rows) if place > 0 and (place >= CHECKPOINTS_KEPT or row.at_ms < before_ms)
    ]


def past_swaps(rows: Iterable[PastSwap], needed: Container[int], before_ms: int, fresh_before_ms: int) -> list[int]:
    """Return which swaps may go: those that ended before a moment, new conversations before another.

    needed: those that something is still told by, such as the last one of each session.
    """
    return [
        row.id
        for row in rows
        if row.ended_ms
        and row.ended_ms < (fresh_before_ms if row.kind == "fresh" else before_ms)
        and row.id not in needed
    ]


def stale_marker(*, open_task: bool, closed_task: bool, file_there: bool, age: float, longest: float) -> bool:
    """Say whether a marker beside a task file is left over.

    open_task, closed_task: its task is known and (not) at its end; age: seconds; longest: seconds that a task may
    take. A marker of somebody else's on a file that is still there means that it is being worked on: it is believed
    for as long as a task may take.
    """
    if open_task or age < _MARKER_RESTS:
        return False
    return not file_there or closed_task or age > longest


def past_logs(logs: Sequence[Log], longest: float, room: int) -> list[tuple[str, Literal["age", "size"]]]:
    """Return which logs may go and for which reason: those over `longest` seconds, then the oldest beyond `room` bytes.

    One that a role writes into is never among them, whatever its age: it would go on being written, unseen.
    """
    found: list[tuple[str, Literal["age", "size"]]] = [
        (log.name, "age") for log in logs if not log.in_use and log.age > longest
    ]
    left = sorted((log for log in logs if log.in_use or log.age <= longest), key=lambda log: log.age, reverse=True)
    total = sum(log.size for log in left)
    for log in left:
        if total > room and not log.in_use:
            found.append((log.name, "size"))
            total -= log.size
    return found


def is_orphan(one: Bearer) -> bool:
    """Say whether a process of a launch of ours belongs to nobody any more.

    Without a terminal nobody can be at it: when a pane or its tmux server goes, the kernel takes the terminal away.
    """
    return not (one.owned or one.current or one.terminal) and one.age >= _ORPHAN_RESTS


def is_due(newest_ms: int | None, now_ms: int, every: float) -> bool:
    """Say whether a backup is due. newest_ms: when the last one was made, None for none; every: seconds, 0: never."""
    return every > 0 and (newest_ms is None or newest_ms <= now_ms - every * 1000)


def lasting(seconds: float) -> str:
    """Return a duration as the configuration writes it: 14d, 6h, 10m, 90s."""
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= length and seconds % length == 0:
            return f"{seconds / length:g}{unit}"
    return f"{seconds:g}s"
