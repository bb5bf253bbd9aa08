"""What a moved session is told: kept at its boundary, made from what is on disk once its process is dead."""

from __future__ import annotations

from pathlib import Path

import msgspec

from failover.claude.ending import Ending
from failover.core import prompt
from failover.core.attempt import marked
from failover.core.move import Move
from failover.core.prompt import AtTask, Templates
from failover.core.session import Activity, Outcome
from failover.store import hooks, swaps, tasks
from failover.store.db import Store

#: A prompt's record in the transcript and the word of it to us are stamped by two processes (milliseconds, ample).
_SLACK_MS = 1000

#: What the session is told was done to it, by the move's kind.
_WAS = {
    "swap": "moved to another account",
    "restart": "restarted",
    "stop": "stopped and started again",
    "fresh": "restarted",
    "restore": "brought back",
}


def note(store: Store, move: Move, activity: Activity | None) -> Move:
    """Keep what only lives in the session's memory: a prompt that has not begun, what is being cut off."""
    move = msgspec.structs.replace(move, noted_call=hooks.last_call(store))
    if activity is None or activity.conversation != move.conversation:
        return move
    cut_off = ""
    if move.outcome == "interrupted" and activity.turn:
        cut_off = f"the tool call {activity.tool}: {activity.tool_input}" if activity.tool_open else "your answer"
    held_prompt = activity.held_prompt if activity.held else ""
    return msgspec.structs.replace(move, held_prompt=held_prompt, cut_off=cut_off)


def note_lost(store: Store, move: Move, activity: Activity | None, ending: Ending | None) -> Move:
    """Keep what is known of a session whose process ended with its tmux server, at no boundary of ours.

    Its last hooks tell of its end already, so it is the transcript that says whether a turn was open.
    """
    at_work = ending is not None and ending.last_kind in ("user_prompt", "tool_result", "tool_use_open")
    outcome: Outcome = "interrupted" if at_work else "idle"
    move = note(store, msgspec.structs.replace(move, outcome=outcome), activity)
    if silent := hooks.silent_prompt(store, move.conversation):
        # Its hook may have been answered without its turn beginning: the transcript will tell.
        return msgspec.structs.replace(move, held_prompt="", noted_call=silent - 1)
    return move


def compose(store: Store, move: Move, ending: Ending | None, templates: Templates) -> Move:
    """Make the replay prompt of a session whose process is dead; `ending`: how its transcript stands."""
    if move.launches:
        return _again(store, move, ending, templates)
    if move.kind == "restore":
        if owed := _unsaid(store, move, ending):
            return msgspec.structs.replace(move, prompt=owed)
        if ending is not None and _given_away(store, move, ending):
            return msgspec.structs.replace(move, outcome="idle", cut_off="", prompt="")
    outcome, cut_off, limited = move.outcome or "idle", move.cut_off, move.limited
    queued: tuple[str, ...] = ()
    if ending is not None:
        queued, limited = ending.queued_prompts, limited or ending.is_limited_since(move.since_size)
        if ending.began_nothing_since(move.since_size):
            pass  # left open by a process that crashed before this one: its task was offered to others
        elif ending.open_tools:
            cut_off = _open_tools(ending)
        elif outcome in ("idle", "turn") and ending.last_kind in ("user_prompt", "tool_result"):
            # A turn had just begun that no hook told of (a queued prompt begins one silently): it has to go on.
            outcome = "tool"
    text = prompt.replay(
        outcome,
        limited=limited,
        held_prompt=move.held_prompt,
        queued=(*queued, *_late(store, move, ending, queued)),
        cut_off=cut_off,
        was=_WAS[move.kind],
        restored=move.kind == "restore",
        task=_task(store, move) if move.kind == "restore" else None,
        templates=templates,
    )
    return msgspec.structs.replace(move, limited=limited, cut_off=cut_off, prompt=text)


def _unsaid(store: Store, move: Move, ending: Ending | None) -> str:
    """Return what the process that crashed was started with and did not come to, empty when there is nothing."""
    earlier = swaps.began_process(store, move.session, move.pid, move.start)
    if earlier is None or not earlier.prompt or earlier.conversation != move.conversation:
        return ""
    if ending is not None and ending.was_given(earlier.prompt, earlier.since_size):
        return ""
    return earlier.prompt if _is_ours(store, move.session, earlier.prompt) else ""


def _given_away(store: Store, move: Move, ending: Ending) -> bool:
    """Say whether what the session was at is a task that was offered to others since."""
    said = [one.text for one in ending.prompts]
    begun = next((place for place in reversed(range(len(said))) if marked(said[place])), None)
    if begun is None or _is_ours(store, move.session, said[begun]):
        return False
    replays = {text.strip() for text in swaps.prompts(store, move.session)}
    return all(text.strip() in replays for text in said[begun + 1 :])


def _is_ours(store: Store, session: str, text: str) -> bool:
    """Say whether a prompt is no task's, or that of an attempt that is still the session's."""
    found = marked(text)
    if found is None:
        return True
    task = tasks.get(store, found[0])
    if task is None or task.state not in ("delivering", "running"):
        return False
    return (task.session, task.attempt) == (session, found[1])


def _task(store: Store, move: Move) -> AtTask | None:
    """Return the task that the session is at."""
    for task in tasks.handed_over(store):
        if (task.state, task.session, task.conversation) == ("running", move.session, move.conversation):
            from failover.queue.folder import Queue  # seldom needed

            return AtTask(task.id, task.attempt, str(Queue(Path(task.project)).path(task.name)))
    return None


def begin_anew(move: Move) -> Move:
    """Go over to the conversation that the session is started anew for, unless the old one is owed something.

    Whoever wrote to it between the last look and the death comes first: its prompt is what `compose` has found.
    """
    if move.fresh is None or move.prompt or move.conversation == move.fresh.conversation:
        return move
    return msgspec.structs.replace(
        move, conversation=move.fresh.conversation, cwd=move.fresh.cwd, prompt=move.fresh.prompt, since_size=0
    )


def _late(store: Store, move: Move, ending: Ending | None, queued: tuple[str, ...]) -> list[str]:
    """Return what was written between the last look and the death: held, so it never began. What was queued stands in
    the transcript, and so does what began after all."""
    return [
        call.prompt
        for call in hooks.prompts_after(store, move.conversation, move.noted_call)
        if (move.kind != "restore" or _is_ours(store, move.session, call.prompt))
        and call.prompt not in queued
        and not (ending and ending.was_given_at(call.prompt, call.at_ms - _SLACK_MS))
    ]


def _again(store: Store, move: Move, ending: Ending | None, templates: Templates) -> Move:
    """Make the prompt for one more relaunch: the first one's, unless the conversation has that already."""
    if not move.prompt or ending is None or not ending.was_given(move.prompt, move.since_size):
        return move
    late = [text for text in _late(store, move, ending, ending.queued_prompts) if text != move.prompt]
    failed = ending.last_kind in ("error", "limit")
    text = prompt.replay(
        "turn" if failed or ending.last_kind == "assistant_text" else "interrupted",
        limited=failed,
        queued=(*ending.queued_prompts, *late),
        cut_off=_open_tools(ending) if ending.open_tools else "",
        was=_WAS[move.kind],
        reason="the usage limit of its account" if ending.limit else "a failure of its account",
        templates=templates,
    )
    return msgspec.structs.replace(move, prompt=text)


def _open_tools(ending: Ending) -> str:
    return "the tool call " + " and ".join(f"{tool.name}: {tool.input}" for tool in ending.open_tools)
