"""What a session is doing, folded from its hooks, and whether it may be stopped without a loss.

The binary tells each step by a hook. Folding them gives an Activity; together with the registry's status it answers
the one question that matters here: is this a boundary? When in doubt the answer is no.

Measured on Claude Code 2.1.330: sub-agents run in the background, PostToolBatch comes right after their launch, and
the result of a finished one reaches the main conversation later, as a turn of its own. Stop says in
`background_tasks` what still runs. A stop before that loses the sub-agent's work, and nobody is told.
"""

from __future__ import annotations

from typing import Literal

import msgspec

#: Hooks whose answer may be held back: a stop at them loses nothing (UserPromptSubmit: its body has the prompt).
HOLDABLE = frozenset({"PostToolBatch", "Stop", "UserPromptSubmit"})

#: What the session-watcher says of a session.
SessionState = Literal["starting", "idle", "working", "waiting", "limited", "moving", "exited", "stopped", "unknown"]
#: Those in which it goes on by itself: nothing of it ends, it waits for nobody, and nothing can be given to it.
GO_ON: frozenset[SessionState] = frozenset({"starting", "working", "moving"})

#: How a move found its session: nothing ran, a turn had ended, a batch of tools had ended, or it had to be cut off.
Outcome = Literal["idle", "turn", "tool", "interrupted"]


class HookCall(msgspec.Struct, frozen=True, kw_only=True):
    """One hook of the binary, reduced to what somebody reads.

    id: row in the store; launch: which start of the binary it comes from; agent: sub-agent id, empty for the main
    conversation; background: tasks that still run, None where the hook does not say; tool, tool_input: name and short
    input of the (last) tool; source: of SessionStart (startup | resume | clear | compact).
    """

    id: int
    launch: str
    conversation: str
    hook: str
    at_ms: int = 0
    agent: str = ""
    prompt: str = ""
    background: int | None = None
    error: str = ""
    message: str = ""
    tool: str = ""
    tool_input: str = ""
    source: str = ""
    notice: str = ""


class Activity(msgspec.Struct, frozen=True, kw_only=True):
    """The state that a session's hooks add up to.

    turn: a turn of the main conversation is open; agents: sub-agents at work; undelivered: sub-agents that ended and
    whose result the main conversation has not been given; background: what the last Stop said still runs; gap: hooks
    may have been missed; unheard: and none was heard since, so that all the rest is old; held: the hook call whose
    answer is being held back (0: none); failure: error that ended the last turn; asking: a permission or question is
    open.
    """

    launch: str
    conversation: str
    turn: bool = False
    agents: tuple[str, ...] = ()
    undelivered: tuple[str, ...] = ()
    background: int = 0
    gap: bool = False
    unheard: bool = False
    held: int = 0
    held_hook: str = ""
    held_prompt: str = ""
    failure: str = ""
    asking: bool = False
    ended: bool = False
    last_call: int = 0
    last_hook: str = ""
    tool: str = ""
    tool_input: str = ""
    tool_open: bool = False
    message: str = ""


def fold(activity: Activity | None, call: HookCall) -> Activity:
    """Return the activity after `call`. A call of another launch or conversation begins anew."""
    if activity is None or activity.launch != call.launch:
        # Without the SessionStart of this launch something was missed, unless this is it.
        activity = Activity(launch=call.launch, conversation=call.conversation, gap=call.hook != "SessionStart")
    elif activity.conversation != call.conversation:
        activity = Activity(launch=call.launch, conversation=call.conversation)
    change = _agent_change(activity, call) if call.agent else _main_change(activity, call)
    change |= {"last_call": call.id, "last_hook": call.hook, "unheard": False}
    return msgspec.structs.replace(activity, **change)


def _agent_change(activity: Activity, call: HookCall) -> dict[str, object]:
    match call.hook:
        case "SubagentStart":
            return {"agents": (*activity.agents, call.agent)}
        case "SubagentStop":
            return {
                "agents": tuple(agent for agent in activity.agents if agent != call.agent),
                "undelivered": (*activity.undelivered, call.agent),
            }
    return {}


def _main_change(activity: Activity, call: HookCall) -> dict[str, object]:
    match call.hook:
        case "SessionStart" if call.source in ("startup", "resume"):
            return {"turn": False, "gap": False, "ended": False}
        case "UserPromptSubmit":
            return {"turn": True, "failure": "", "asking": False, "undelivered": _still_undelivered(activity, call)}
        case "PreToolUse":
            return {"turn": True, "tool": call.tool, "tool_input": call.tool_input, "tool_open": True}
        case "PermissionRequest":
            return {"turn": True, "asking": True}
        case "PostToolUse" | "PostToolBatch":
            return {"turn": True, "tool_open": False, "asking": False}
        case "Stop":
            return {
                "turn": False,
                "asking": False,
                "tool_open": False,
                "message": call.message,
                **_settled(activity, call),
            }
        case "StopFailure":
            return {"turn": False, "asking": False, "tool_open": False, "failure": call.error or "unknown"}
        case "SessionEnd":
            return {"ended": True, "turn": False}
    return {}


def _settled(activity: Activity, call: HookCall) -> dict[str, object]:
    """Return what a Stop tells of background work: its list is complete, so it also heals a gap."""
    if call.background is None:
        return {}
    if call.background:
        return {"background": call.background}
    # After a gap the delivery itself may be what was missed.
    return {"background": 0, "agents": (), "gap": False, "undelivered": () if activity.gap else activity.undelivered}


def _still_undelivered(activity: Activity, call: HookCall) -> tuple[str, ...]:
    """Return the sub-agents whose result is not in this prompt. Results come as prompts of the binary's own."""
    if not is_notification(call.prompt):
        return activity.undelivered
    return tuple(agent for agent in activity.undelivered if f"<task-id>{agent}</task-id>" not in call.prompt)


def is_notification(prompt: str) -> bool:
    """Say whether a prompt is the binary's own word of a background task's end (measured on 2.1.330)."""
    return prompt.startswith("<task-notification>")


def may_hold(activity: Activity | None, call: HookCall) -> bool:
    """Say whether the answer to this hook may be held back while a hold stands. activity: before the call is folded in.

    Only where that makes a boundary: a session that is held anywhere else would never come to one, since it cannot be
    given the result of its sub-agent, or end the turn that heals a gap. Never a sub-agent's hook, and never a
    notification: a stop there would lose the result that it delivers. A prompt only while no turn is open: typed into
    a working session it only joins a queue (its hook fires at once, measured).
    """
    if call.hook not in HOLDABLE or call.agent or is_notification(call.prompt):
        return False
    if call.hook == "UserPromptSubmit" and (activity is None or activity.turn):
        return False
    held = msgspec.structs.replace(hold(fold(activity, call), call), held=1)  # the call has no id before it is written
    return standing(held, "busy").at is not None


def hold(activity: Activity, call: HookCall) -> Activity:
    """Return the activity while the answer to `call` is held back."""
    return msgspec.structs.replace(activity, held=call.id, held_hook=call.hook, held_prompt=call.prompt)


def release(activity: Activity) -> Activity:
    """Return the activity after a held answer was given, or its connection ended."""
    return msgspec.structs.replace(activity, held=0, held_hook="", held_prompt="")


def missed(activity: Activity) -> Activity:
    """Return the activity after a time in which nobody listened; an answer that was held back then was let go."""
    return msgspec.structs.replace(release(activity), gap=True, unheard=True)


class Standing(msgspec.Struct, frozen=True):
    """Whether a session may be stopped now without a loss.

    at: the boundary that it is at, None when it is at none; why: in words.
    """

    at: Outcome | None
    why: str


def standing(activity: Activity | None, status: str, *, limited: bool = False, quiet: bool = False) -> Standing:
    """Say whether a session is at a boundary.

    status: the registry's word (idle | busy | waiting | shell, anything else is unknown); limited: its transcript ends
    with a used-up limit; quiet: registry and transcript show that nothing runs in the background (needed where hooks
    may have been missed).
    """
    if limited and status in ("idle", "waiting"):
        return Standing("turn", "the limit stopped its turn")
    if activity is None or activity.unheard:
        # What the hooks told is missing or old; registry and transcript are neither.
        if status == "idle" and quiet:
            return Standing("idle", "idle by registry and transcript")
        return Standing(None, f"no hook of it was heard yet ({status or 'no registry entry'})")
    if activity.agents:
        return Standing(None, f"{_count(len(activity.agents), 'sub-agent')} at work")
    if activity.background:
        return Standing(None, f"{_count(activity.background, 'background task')} running")
    if activity.undelivered:
        return Standing(None, "a sub-agent's result has not reached the conversation")
    if activity.gap and not quiet:
        return Standing(None, "hooks may have been missed; waiting for the end of a turn")
    if activity.held:
        return _held(activity)
    if activity.asking or status == "waiting":
        return Standing(None, "it waits for a person's answer")
    if status == "idle" and not activity.turn:
        return Standing("idle", "idle")
    if status in ("idle", "busy"):
        return Standing(None, "a turn is open")
    if status == "shell":
        return Standing(None, "a background shell runs")
    return Standing(None, f"its state is not known ({status or 'no registry entry'})")


def _held(activity: Activity) -> Standing:
    match activity.held_hook:
        case "PostToolBatch":
            return Standing("tool", "held after a batch of tools")
        case "Stop":
            return Standing("turn", "held at the end of its turn")
        case _:
            return Standing("idle", "held with a prompt that has not begun")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


class View(msgspec.Struct, frozen=True, kw_only=True):
    """What one look at a session shows.

    wanted: it should be running (by its placement); moving: a move has stopped it and is starting it again; alive: its
    process lives; registered: the registry has an entry of that process; status, waiting_for: the entry's words;
    limited: see `standing`.
    """

    wanted: bool
    moving: bool
    alive: bool
    registered: bool
    status: str = ""
    waiting_for: str = ""
    limited: bool = False


def state(view: View, activity: Activity | None) -> SessionState:
    """Return the one word that the session-watcher says of a session."""
    if not view.wanted:
        return "stopped"
    if view.moving and not (view.alive and view.registered):
        return "moving"
    if not view.alive:
        return "exited"
    if not view.registered:
        return "starting"
    if view.limited and view.status in ("idle", "waiting"):
        return "limited"
    match view.status:
        case "idle":
            busy = activity and not activity.unheard and (activity.turn or activity.agents or activity.background)
            return "working" if busy else "idle"
        case "busy" | "shell":
            return "working"
        case "waiting":
            return "waiting"
    return "unknown"
