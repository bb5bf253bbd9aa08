"""What may be deleted: history past its time, never what somebody still needs or what tells the present state."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

#: So many of the newest checkpoints of each session are kept.
CHECKPOINTS_KEPT = 20
#: A marker younger than this may belong to a step that is under way (seconds).
_MARKER_RESTS = 60.0


class Row(msgspec.Struct, frozen=True):
    """A row of history. at_ms: epoch milliseconds."""

    id: int
    at_ms: int


def expired(rows: Sequence[Row], before_ms: int, needed: int | None) -> list[int]:
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


def surplus(rows: Sequence[Row], before_ms: int) -> list[int]:
    """Return which checkpoints of one session may go; rows: newest first. The newest one always stays."""
    return [
        row.id for place, row in enumerate(rows) if place > 0 and (place >= CHECKPOINTS_KEPT or row.at_ms < before_ms)
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
