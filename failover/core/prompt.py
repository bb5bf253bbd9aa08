"""What a relaunched session is told. It says what was cut off and whether its outcome is known, and nothing else."""

from __future__ import annotations

import json
import string
from collections.abc import Mapping, Sequence

import msgspec

from failover.core.session import Outcome


class Templates(msgspec.Struct, frozen=True):
    """The sentences. The operator may word them otherwise; what stands in braces is filled in (see PLACEHOLDERS).

    moved: stopped between two steps; interrupted: something was cut off; limited: a limit or a failure had stopped its
    turn; restored: it crashed at work and was brought back; task: follows `restored` where it was at a task; written:
    stands before what people wrote meanwhile.
    """

    moved: str = (
        "This session was {was} between two steps. Nothing was lost: all results above are complete. "
        "Continue where you were."
    )
    """It was stopped between two steps. `{was}`: what was done to it."""
    interrupted: str = (
        "This session was {was}, and that interrupted {what}. Its outcome is unknown: "
        "look whether it took effect before you do it again. Then continue where you were."
    )
    """Something was cut off. `{was}`; `{what}`: the tool call, or its answer."""
    limited: str = "Your last turn was stopped by {reason}. The session now runs on. Continue where you were."
    """Its turn had ended before. `{reason}`: by a used-up limit, or a failure."""
    restored: str = (
        "This session ended without warning and was brought back. That interrupted {what}. Its outcome is unknown: "
        "look whether it took effect before you do it again. Then continue where you were."
    )
    """It crashed at work and was brought back. `{what}`: what that cut off."""
    task: str = "You are still at task {task} (attempt {attempt}). Its file is {file}; leave the file there."
    """Follows `restored` where it was at a task. `{task}`, `{attempt}`: numbers; `{file}`: its path, in quotes."""
    written: str = "Meanwhile this was written to you:"
    """Stands before what people wrote to it meanwhile."""


#: What each sentence may hold: was (what was done to the session), what (was cut off), reason (of the turn's end),
#: task and attempt (numbers), file (the task's, in quotes).
PLACEHOLDERS: Mapping[str, tuple[str, ...]] = {
    "moved": ("was",),
    "interrupted": ("was", "what"),
    "limited": ("reason",),
    "restored": ("what",),
    "task": ("task", "attempt", "file"),
    "written": (),
}
#: A sentence is at most this long (characters).
LONGEST = 2000


class AtTask(msgspec.Struct, frozen=True):
    """The task that a session is at. file: its path."""

    task: int
    attempt: int
    file: str


def problem(name: str, text: str) -> tuple[str, str] | None:
    """Return what is wrong with a sentence of the operator's and how to mend it, None when nothing is."""
    known = PLACEHOLDERS[name]
    names = ", ".join(f"{{{one}}}" for one in known) or "none"
    mend = f"it may hold: {names}; a brace itself is written twice"
    if not text.strip():
        return "is empty", "leave the key out, or say something"
    if len(text) > LONGEST:
        return f"is longer than {LONGEST} characters", "shorten it"
    try:
        parts = list(string.Formatter().parse(text))
    except ValueError as error:
        return f"its braces do not match ({error})", mend
    for _, field, form, conversion in parts:
        if field is not None and (field not in known or form or conversion):
            return f"there is no placeholder {{{field}{'!' if conversion else ''}{':' if form else ''}}}", mend
    return None


def filled(text: str, values: Mapping[str, object]) -> str:
    """Return a sentence with its placeholders filled in, once: braces in a value are only braces."""
    parts = string.Formatter().parse(text)
    return "".join(literal + ("" if field is None else str(values[field])) for literal, field, _, _ in parts)


def quoted(path: str) -> str:
    """Return a path as it may stand in a prompt: on one line, in quotes, so that its name is no text of its own."""
    return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in json.dumps(path, ensure_ascii=False))


def replay(
    outcome: Outcome,
    *,
    limited: bool = False,
    held_prompt: str = "",
    queued: Sequence[str] = (),
    cut_off: str = "",
    was: str = "moved to another account",
    reason: str = "the usage limit of its account",
    restored: bool = False,
    task: AtTask | None = None,
    templates: Templates = Templates(),
) -> str:
    """Return the prompt that a moved session gets; empty when it has nothing to go on with.

    was: what was done to it; limited: `reason` had stopped its turn before that; held_prompt: a person's prompt whose
    turn had not begun: it is sent again, word for word; queued: prompts typed while a turn ran; cut_off: what an
    interrupt cut off; restored: it crashed; task: what it was at then.
    """
    # A prompt that is held at its hook may stand in the transcript's queue as well.
    waiting = [text for text in (*queued, *([] if held_prompt in queued else [held_prompt])) if text.strip()]
    if outcome in ("idle", "turn") and not limited and not cut_off:
        return "\n\n".join(waiting)
    if outcome == "interrupted" or cut_off:
        values = {"was": was, "what": cut_off or "what you were doing"}
        parts = [filled(templates.restored if restored else templates.interrupted, values)]
        if restored and task is not None:
            told = {"task": task.task, "attempt": task.attempt, "file": quoted(task.file)}
            parts[0] += " " + filled(templates.task, told)
    elif limited:
        parts = [filled(templates.limited, {"reason": reason})]
    else:
        parts = [filled(templates.moved, {"was": was})]
    if waiting:
        parts.append(filled(templates.written, {}))
        parts.extend(waiting)
    return "\n\n".join(parts)
