"""What becomes of a task that is handed to a session: how its prompt is brought there, and when its attempt is over.

A task is handed over in an order that survives a kill at any point: row, marker, prompt. That it was taken is proven
by the session's own hook (or transcript) showing the task's marker text; what cannot be proven is never sent again.
"""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from failover.core.prompt import quoted
from failover.core.task import Task

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
#: How long a question must stand before people are told (seconds): one who sits there answers it sooner.
BLOCKED_FOR = 2.0
#: How long a new process may take to take its prompt before people are told (seconds; measured: 17 s when twenty start
#: at once on two cores).
UNTAKEN_FOR = 90.0
#: How long a restarted dispatcher waits before it enters a prompt that it finds standing there (seconds): one that its
#: predecessor entered in its last moment shows in hooks, registry and transcript by then (measured: 0.3 s).
SETTLED = 1.0
#: How often a prompt is sent: once, and once again when the session is proven not to have taken it.
MAX_SENDS = 2


#: How the prompt of every task begins.
MARK = "[task "
_MARKED = re.compile(r"\[task (\d{1,15}), attempt (\d{1,9})\]")


def marker_text(task: int, attempt: int) -> str:
    """Return the words by which a task's prompt is known again in hooks and transcripts."""
    return f"{MARK}{task}, attempt {attempt}]"


def marked(text: str) -> tuple[int, int] | None:
    """Return the task and the attempt that a prompt begins, None when it begins none."""
    found = _MARKED.match(text.lstrip())
    return (int(found[1]), int(found[2])) if found else None


def prompt(task: int, attempt: int, path: str) -> str:
    """Return the one line that is typed into a session. path: the file's absolute path, quoted here."""
    text = (
        f"{marker_text(task, attempt)} Read the file {quoted(path)} and carry out what it says; leave the file there."
    )
    if attempt > 1:
        text += " An earlier attempt was cut short and may have taken effect in part: look before you repeat a step."
    return text


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """What is seen of a task that is being handed over.

    phase: what this process did with its prompt (unknown: an earlier process may have sent it); taken: the session
    has the prompt, by its hooks or transcript; idle: proven; same: it is still the launch that the task was handed
    to; shown: its pane shows the marker text; left: another task's prompt stands in its prompt box; waited: seconds
    since the last thing that was done; sends: how often the prompt was sent.
    """

    phase: Literal["fresh", "pasted", "entered", "unknown"]
    taken: bool = False
    idle: bool = False
    moving: bool = False
    same: bool = True
    paused: bool = False
    shown: bool = False
    left: bool = False
    waited: float = 0.0
    sends: int = 0


class Act(msgspec.Struct, frozen=True):
    """What to do with a task that was handed over, and why."""

    verb: Literal["wait", "clear", "paste", "enter", "taken", "take_back", "done", "failed", "again"]
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
        if seen.left and seen.waited >= timeout:
            return Act("take_back", "the prompt of an earlier task stands in its prompt box and cannot be removed")
        if seen.left:
            return Act("clear", "the prompt of an earlier task stands in its prompt box")
        return Act("enter", "its prompt stands there already") if seen.shown else Act("paste", "the session is idle")
    if seen.phase == "pasted" and seen.shown:
        return Act("enter", "its prompt stands there")
    if seen.phase == "unknown" and seen.shown:
        # Taken back, it would stand there still, and the next task's be added to it.
        if seen.paused or seen.waited < SETTLED:
            return Act("wait", "its prompt stands there")
        return Act("enter", "an earlier dispatcher left its prompt there")
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
    here: the session is on the task's conversation; lost: it ended with its tmux server and will be brought back with
    its task; gone: its process ended; anew: it was started anew since it was
    given the task; limited: a used-up limit stopped it; idle_for: seconds it has been idle; running_for: seconds since
    the attempt began.
    """

    put_away: Literal["done", "failed", ""] = ""
    ended: Literal["Stop", "StopFailure", "quiet", ""] = ""
    settled: bool = False
    here: bool = True
    moving: bool = False
    lost: bool = False
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
    if seen.lost and seen.running_for < task.timeout:
        return Act("wait", "its session ended with its tmux server; it goes on when that is brought back")
    if seen.gone or seen.lost:
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


def blocked_by(*, waiting: bool, waiting_for: str, untaken_for: float) -> str:
    """Return what a task waits for a person with, empty for nothing. untaken_for: seconds since its new process was
    started without taking it."""
    if waiting:
        return waiting_for or "an answer"
    return "it has not taken its prompt; look at its pane" if untaken_for >= UNTAKEN_FOR else ""
