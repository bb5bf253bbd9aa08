"""A task as the store keeps it, and how a failed one is queued anew.

queued → delivering → running → done | failed
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

State = Literal["queued", "delivering", "running", "done", "failed"]
OPEN: tuple[State, ...] = ("queued", "delivering", "running")


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What the session's statusline last said before a task ended (the binary's own figures, measured on 2.1.330).

    context_tokens, context_window: tokens in the context, and how many it holds; context_used: percent; output_tokens:
    of the last answer; cost_usd: of the session's process so far, not of the task alone; at_ms: when it said so.
    """

    source: str = "statusline"
    at_ms: int = 0
    context_tokens: int | None = None
    context_window: int | None = None
    context_used: float | None = None
    output_tokens: int | None = None
    cost_usd: float | None = None


class Finish(msgspec.Struct, frozen=True):
    """How a task ends, written before its file is moved. target: the name it is put away under."""

    outcome: Literal["done", "failed"]
    reason: str
    target: str
    message: str = ""
    figures: Figures | None = None


class Past(msgspec.Struct, frozen=True):
    """How a task ended before it was retried. attempts: counted from the task's beginning."""

    finish: Finish
    session: str
    attempts: int
    finished_ms: int


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """One task as the store keeps it. Times are epoch milliseconds, `*_mono` seconds of the boot `host_boot`.

    pin: the only session that may do it; timeout: seconds; fresh: it wants a conversation of its own; anew: this
    attempt begins one; attempt: number of the present or last attempt; session, conversation, launch, account, cwd:
    whom it was handed to; since_call, since_size: newest hook call and size of the transcript before it was handed over
    (kept when it is taken back: the prompt may yet be taken); handed_call: the newest hook call before the present
    hand-over, which may be a later one; taken_call: the hook call after which its turn's end is looked for;
    reason: why it was last offered again; blocked: what its session waits for a person with, empty for nothing;
    returning: the name in failed/ from which a retried task's file is being brought back; history: its earlier ends.
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
    handed_call: int = 0
    since_size: int = 0
    taken_call: int = 0
    started_mono: float = 0.0
    host_boot: str = ""
    reason: str = ""
    blocked: str = ""
    finish: Finish | None = None
    returning: str = ""
    history: tuple[Past, ...] = ()


def retried(task: Task, now_ms: int) -> Task:
    """Return a failed task as it is queued anew: with as many attempts as at first, and its earlier ends kept.

    Attempts are counted on, so that a line of an earlier one is never taken for one of the new.
    """
    assert task.finish is not None
    allowance = task.max_attempts - (task.history[-1].attempts if task.history else 0)
    return msgspec.structs.replace(
        task,
        state="queued",
        max_attempts=task.attempt + allowance,
        queued_ms=now_ms,
        started_ms=0,
        finished_ms=0,
        session="",
        conversation="",
        launch="",
        account="",
        anew=False,
        since_call=0,
        taken_call=0,
        reason="",
        returning=task.finish.target,
        finish=None,
        history=(*task.history, Past(task.finish, task.session, task.attempt, task.finished_ms)),
    )


def not_retried(task: Task) -> Task:
    """Return a task whose file could not be brought back as it was before."""
    past, allowance = task.history[-1], task.max_attempts - task.attempt
    before = task.history[-2].attempts if len(task.history) > 1 else 0
    return msgspec.structs.replace(
        task,
        state="failed",
        max_attempts=before + allowance,
        finished_ms=past.finished_ms,
        session=past.session,
        reason=past.finish.reason,
        returning="",
        finish=past.finish,
        history=task.history[:-1],
    )


def accounts_used(first: str, moves: Sequence[tuple[str, str]], last: str) -> tuple[str, ...]:
    """Return the accounts that a task ran on, in order. moves: (source, target) of its session since it began."""
    found: list[str] = []
    for name in (first, *(name for move in moves for name in move), last):
        if name and (not found or found[-1] != name):
            found.append(name)
    return tuple(found)
