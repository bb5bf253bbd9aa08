"""Which task goes to which session, and what becomes of a task that was handed over.

    queued → delivering → running → done | failed

A task is handed over in an order that survives a kill at any point: row, marker, prompt. That it was taken is proven
by the session's own hook (or transcript) showing the task's marker text; what cannot be proven is never sent again.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Literal

import msgspec

State = Literal["queued", "delivering", "running", "done", "failed"]
OPEN: tuple[State, ...] = ("queued", "delivering", "running")

#: A prompt of this length arrives as typed; a longer one is wrapped as pasted content, which the model treats as
#: somebody else's text (characters; measured on 2.1.330).
MAX_PROMPT = 700
#: How long a session must have been idle after a failed turn before its task's attempt counts as over (seconds): the
#: binary may go on by itself, and the record of a used-up limit reaches the disk after its hook.
FAILED_FOR = 5.0
#: How long a session that was started anew must have been idle before the task that it had counts as left (seconds): a
#: move that starts it gives it its prompt at once, and an answer that was not heard is found in the transcript by then.
LEFT_FOR = 15.0
#: How long a task waits for the account-switcher, which may be at a swap, before another session may have it (seconds).
ASKED_FOR = 60.0
#: How often a prompt is sent: once, and once again when the session is proven not to have taken it.
MAX_SENDS = 2


class Finish(msgspec.Struct, frozen=True):
    """How a task ends, written before its file is moved. target: the name it is put away under."""

    outcome: Literal["done", "failed"]
    reason: str
    target: str
    message: str = ""


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """One task as the store keeps it. Times are epoch milliseconds, `*_mono` seconds of the boot `host_boot`.

    pin: the only session that may do it; timeout: seconds; fresh: it wants a conversation of its own; anew: this
    attempt begins one; attempt: number of the present or last attempt; session, conversation, launch, account, cwd:
    whom it was handed to; since_call, since_size: newest hook call and size of the transcript before it was handed over
    (kept when it is taken back: the prompt may yet be taken); taken_call: the hook call that proved it was taken;
    reason: why it was last offered again; blocked: what its session waits for a person with, empty for nothing.
    """

    id: int
    name: str
    project: str
    state: State = "queued"
    priority: int = 0
    attempt: int = 0
    max_attempts: int = 3
    queued_ms: int = 0
    started_ms: int = 0
    finished_ms: int = 0
    pin: str = ""
    timeout: float = 0.0
    fresh: bool = False
    anew: bool = False
    session: str = ""
    conversation: str = ""
    launch: str = ""
    account: str = ""
    cwd: str = ""
    since_call: int = 0
    since_size: int = 0
    taken_call: int = 0
    started_mono: float = 0.0
    host_boot: str = ""
    reason: str = ""
    blocked: str = ""
    finish: Finish | None = None


class Seat(msgspec.Struct, frozen=True, kw_only=True):
    """A session that serves projects, as it is now.

    at: the project in whose folder its conversation is, empty when in none; idle: proven by registry and hooks; moving:
    a move or a hold concerns it; low: why its account gets no work, empty if it does; task: the open task it has, 0 for
    none; resting: it did not take a prompt a moment ago.
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


def marker_text(task: int, attempt: int) -> str:
    """Return the words by which a task's prompt is known again in hooks and transcripts."""
    return f"[task {task}, attempt {attempt}]"


def prompt(task: int, attempt: int, path: str) -> str:
    """Return the one line that is typed into a session. path: the file's absolute path, quoted here."""
    quoted = json.dumps(path, ensure_ascii=False)
    text = f"{marker_text(task, attempt)} Read the file {quoted} and carry out what it says; leave the file there."
    if attempt > 1:
        text += " An earlier attempt was cut short and may have taken effect in part: look before you repeat a step."
    return text


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """What is seen of a task that is being handed over.

    phase: what this process did with its prompt (unknown: an earlier process may have sent it); taken: the session
    has the prompt, by its hooks or transcript; idle: proven; same: it is still the launch that the task was handed
    to; shown: its pane shows the marker text; waited: seconds since the last thing that was done; sends: how often
    the prompt was sent.
    """

    phase: Literal["fresh", "pasted", "entered", "unknown"]
    taken: bool = False
    idle: bool = False
    moving: bool = False
    same: bool = True
    paused: bool = False
    shown: bool = False
    waited: float = 0.0
    sends: int = 0


class Act(msgspec.Struct, frozen=True):
    """What to do with a task that was handed over, and why."""

    verb: Literal["wait", "paste", "enter", "taken", "take_back", "done", "failed", "again"]
    why: str


def deliver(seen: Delivery, timeout: float) -> Act:
    """Return the next step of a delivery. timeout: seconds after which a prompt that was not taken is looked into.

    Enter is pressed only where the prompt itself is seen to stand: never on a menu or a question.
    """
    if seen.taken:
        return Act("taken", "the session took it")
    if seen.moving:
        return Act("wait", "the session is being moved")
    if not seen.same:
        return Act("take_back", "the session was started anew before it took the task")
    if not seen.idle:
        if seen.waited < timeout:
            return Act("wait", "waiting to hear that it was taken")
        return Act("take_back", "the session did not take it and is not idle")
    if seen.phase == "fresh":
        if seen.paused:
            return Act("take_back", "paused by the operator")
        return Act("enter", "its prompt stands there already") if seen.shown else Act("paste", "the session is idle")
    if seen.phase == "pasted" and seen.shown:
        return Act("enter", "its prompt stands there")
    if seen.waited < timeout:
        return Act("wait", "waiting to hear that it was taken")
    if seen.phase == "unknown" or seen.sends >= MAX_SENDS or seen.paused:
        return Act("take_back", f"not taken within {timeout:g} s")
    return Act("enter" if seen.shown else "paste", f"not taken within {timeout:g} s; sending once more")


class Anew(msgspec.Struct, frozen=True, kw_only=True):
    """What is seen of a task whose session is to be started anew, in a conversation of the task's own.

    taken: the session has the prompt, by its hooks or transcript; asked: the request waits for the account-switcher;
    moving: a move of the session is under way; placed: the session is on the new conversation; gone: and its process
    ended; waited: seconds since the request, or since a restarted dispatcher first looked.
    """

    taken: bool = False
    asked: bool = False
    moving: bool = False
    placed: bool = False
    gone: bool = False
    paused: bool = False
    waited: float = 0.0


def deliver_anew(seen: Anew) -> Act:
    """Return the next step of a delivery by a new start.

    The prompt is on the command line, so where the new process lives it may be taken yet: it is not taken back then.
    """
    if seen.taken:
        return Act("taken", "the session took it")
    if seen.placed:
        if seen.gone and not seen.moving:
            return Act("take_back", "its new process ended before it took the task")
        return Act("wait", "its new process has not taken its prompt yet")
    if seen.moving:
        return Act("wait", "its session is being started anew")
    if seen.asked and not seen.paused and seen.waited < ASKED_FOR:
        return Act("wait", "the account-switcher has not come to it yet")
    if seen.asked:
        return Act("take_back", "paused by the operator" if seen.paused else "the account-switcher did not come to it")
    return Act("take_back", "its session was not started anew")


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """What is seen of a running task.

    put_away: where somebody moved its file; ended: the last turn's end since it was taken, by hook (quiet: by
    registry and transcript, where hooks were missed); settled: no turn, sub-agent or background task is open;
    here: the session is on the task's conversation; gone: its process ended; anew: it was started anew since it was
    given the task; limited: a used-up limit stopped it; idle_for: seconds it has been idle; running_for: seconds since
    the attempt began.
    """

    put_away: Literal["done", "failed", ""] = ""
    ended: Literal["Stop", "StopFailure", "quiet", ""] = ""
    settled: bool = False
    here: bool = True
    moving: bool = False
    gone: bool = False
    anew: bool = False
    limited: bool = False
    error: str = ""
    idle_for: float = 0.0
    running_for: float = 0.0


def follow(task: Task, seen: Progress) -> Act:
    """Return what becomes of a running task."""
    if seen.put_away:
        return Act(seen.put_away, f"the session moved its file to {seen.put_away}/")
    if seen.moving:
        return Act("wait", "its session is being moved")
    if seen.settled and seen.here and seen.ended in ("Stop", "quiet"):
        return Act("done", "its turn ended" if seen.ended == "Stop" else "its session is quiet, its answer given")
    if seen.gone:
        return _once_more(task, "its session ended")
    if not seen.here and seen.idle_for >= FAILED_FOR:
        return _once_more(task, "its session went on to another conversation")
    if seen.running_for >= task.timeout:
        if seen.settled:
            return _once_more(task, f"not done within {task.timeout:g} s")
        # Offered again it would be done by two at once.
        return Act("failed", f"not done within {task.timeout:g} s, and its session is still at it")
    if seen.limited:
        return Act("wait", "a used-up limit stopped its session; it goes on when it is moved or the window opens")
    if seen.settled and seen.ended == "StopFailure" and seen.idle_for >= FAILED_FOR:
        return _once_more(task, f"its turn failed: {seen.error or 'unknown error'}")
    if seen.anew and not seen.ended and seen.idle_for >= LEFT_FOR:
        return _once_more(task, "its session was started anew and does nothing")
    return Act("wait", "at work")


def _once_more(task: Task, why: str) -> Act:
    if task.attempt >= task.max_attempts:
        return Act("failed", f"{why}; that was attempt {task.attempt} of {task.max_attempts}")
    return Act("again", why)


def accounts_used(first: str, moves: Sequence[tuple[str, str]], last: str) -> tuple[str, ...]:
    """Return the accounts that a task ran on, in order. moves: (source, target) of its session since it began."""
    found: list[str] = []
    for name in (first, *(name for move in moves for name in move), last):
        if name and (not found or found[-1] != name):
            found.append(name)
    return tuple(found)
