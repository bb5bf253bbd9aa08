"""Which task goes to which session."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import msgspec

from failover.core.task import Task


class Seat(msgspec.Struct, frozen=True, kw_only=True):
    """A session that serves projects, as it is now.

    at: the project in whose folder its conversation is, empty when in none; idle: proven by registry and hooks; moving:
    a move or a hold concerns it; low: why it, or its account, gets no work, empty if it does; task: the open task it
    has, 0 for none; resting: it did not take a prompt a moment ago.
    """

    session: str
    serves: Collection[str]
    at: str
    idle: bool
    moving: bool = False
    low: str = ""
    task: int = 0
    resting: bool = False


class Assignment(msgspec.Struct, frozen=True):
    """Hand `task` to `session`. anew: in a new conversation in the task's project, not in the one that it has."""

    task: int
    session: str
    anew: bool


def against(seat: Seat) -> str:
    """Return why a session is given no task now, empty when it may be given one."""
    if seat.task:
        return f"has task {seat.task}"
    if seat.moving:
        return "is being moved"
    if seat.low:
        return seat.low
    if not seat.idle:
        return "is not idle"
    if seat.resting:
        return "did not take a prompt a moment ago"
    return ""


def assign(
    tasks: Iterable[Task], seats: Iterable[Seat], *, paused: bool, room: Mapping[str, int] | None = None
) -> list[Assignment]:
    """Return who does what now: by priority, then age, one task a session, each in a project that it serves.

    room: how many more tasks a project may have at work, where that is limited. Whoever can begin without being started
    anew goes first, then whoever serves the fewest projects.
    """
    free = [] if paused else [seat for seat in seats if not against(seat)]
    left = dict(room or {})
    found = []
    for task in sorted((t for t in tasks if t.state == "queued"), key=lambda t: (-t.priority, t.queued_ms, t.id)):
        fitting = [s for s in free if task.project in s.serves and task.pin in ("", s.session)]
        if not fitting or left.get(task.project, 1) <= 0:
            continue
        seat = min(fitting, key=lambda s: (needs_anew(task, s), len(s.serves)))
        free.remove(seat)
        if task.project in left:
            left[task.project] -= 1
        found.append(Assignment(task.id, seat.session, needs_anew(task, seat)))
    return found


def needs_anew(task: Task, seat: Seat) -> bool:
    """Say whether a session must begin a new conversation for a task: one was asked for, or a conversation belongs to
    its folder and it is in another project's."""
    return task.fresh or seat.at != task.project


def pin_problem(pin: str, project: str, serves: Mapping[str, Collection[str]]) -> str:
    """Return what is wrong with a pinned session; `serves`: projects by session, as configured."""
    if not pin:
        return ""
    if pin not in serves:
        return f"there is no session {pin} in the configuration; name one of this project, or leave session out"
    if project not in serves[pin]:
        return f"the session {pin} does not serve this project; name one that does, or leave session out"
    return ""
