"""The move of one session from its account to another, as a table.

    queued → holding → at_boundary → checkpointed → stopping → dead → relaunching → relaunched → answering → verified

Until `stopping` a move can be taken back: the session has noticed nothing but a late answer of a hook. From `dead` on
it only goes forward. From `stopping` it goes back only where a switcher died before it could send the signal. Every
step is written to the journal before it is acted upon, and what to do in a state is decided by looking at the world,
never by what the journal hoped: so a restarted switcher goes on where it finds things.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from failover.core.session import Outcome, Standing

State = Literal[
    "queued", "holding", "at_boundary", "checkpointed", "stopping", "dead", "relaunching", "relaunched", "answering",
    "verified", "stopped", "stayed", "yielded", "failed",
]  # fmt: skip

Event = Literal[
    "hold", "bound", "note", "slip", "withdraw", "stop", "died", "relaunch", "end", "yield", "launched", "again",
    "taken", "ready", "answered", "give_up",
]  # fmt: skip

#: state → event → next state. What is not here is illegal, raises, and changes nothing.
TRANSITIONS: dict[State, dict[Event, State]] = {
    "queued": {"hold": "holding", "withdraw": "stayed"},
    "holding": {"bound": "at_boundary", "withdraw": "stayed"},
    "at_boundary": {"note": "checkpointed", "slip": "holding", "withdraw": "stayed"},
    "checkpointed": {"stop": "stopping", "slip": "holding", "withdraw": "stayed"},
    "stopping": {"died": "dead", "slip": "holding"},
    "dead": {"relaunch": "relaunching", "end": "stopped", "yield": "yielded", "give_up": "failed"},
    "relaunching": {"launched": "relaunched", "again": "dead"},
    "relaunched": {"taken": "answering", "ready": "verified", "again": "dead", "give_up": "failed"},
    "answering": {"answered": "verified", "again": "dead", "give_up": "failed"},
    "verified": {},
    "stopped": {},
    "stayed": {},
    "yielded": {},
    "failed": {},
}

TERMINAL: frozenset[State] = frozenset(state for state, events in TRANSITIONS.items() if not events)
#: States in which the session's process is untouched: the move can still be taken back.
BEFORE_DEATH: frozenset[State] = frozenset({"queued", "holding", "at_boundary", "checkpointed"})
#: States in which a session is away, or about to be, and its start costs the host a core.
AWAY: frozenset[State] = frozenset({"at_boundary", "checkpointed", "stopping", "dead", "relaunching", "relaunched"})

#: How often a relaunch is tried before the move is given up.
MAX_LAUNCHES = 3
#: Seconds after which a process that is still registered was never told to end (measured: SIGTERM takes at most 1.8 s,
#: and the registry's entry goes first).
TOLD_TO_END_WITHIN = 4.0
#: Seconds in which a child that the old process had just made, and that still bears its arguments, ends or becomes
#: another program. Who is on the conversation after that is somebody else.
ORPHANS_END_WITHIN = 2.0
#: Seconds within which a relaunched binary must be in the registry, and take its prompt (measured: 0.8 s alone, 17 s
#: when twenty start at once on two cores).
READY_WITHIN = 90.0
#: Seconds of work after which an answer need not be waited for: the request is being served.
WORKING_FOR = 60.0


class IllegalStep(Exception):
    """The table has no such step from that state."""


def advance(state: State, event: Event) -> State:
    """Return the state after `event`. Raises IllegalStep."""
    try:
        return TRANSITIONS[state][event]
    except KeyError:
        raise IllegalStep(f"{event!r} is no step from {state!r}") from None


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """One session's move, as the store keeps it.

    kind: swap (to another account), restart (same account) or stop (not started again); pid, start: the process that
    is to be stopped; outcome: how it was found when it was stopped; limited: a limit had stopped it; held_prompt: a
    prompt that had not begun; noted_call: the last hook call when that was noted (prompts after it have not begun
    either); cut_off: what an interrupt cut off; prompt: what the relaunched session is told, empty for nothing;
    launch, new_pid, new_start: the new process; at: monotonic seconds at which each state was entered.
    """

    id: int
    swap: int
    session: str
    conversation: str
    cwd: str
    source: str
    target: str
    kind: Literal["swap", "restart", "stop"]
    state: State = "queued"
    pane: str = ""
    pid: int = 0
    start: int = 0
    outcome: Outcome | Literal[""] = ""
    limited: bool = False
    held_prompt: str = ""
    noted_call: int = 0
    cut_off: str = ""
    prompt: str = ""
    launch: str = ""
    new_pid: int = 0
    new_start: int = 0
    launches: int = 0
    why: str = ""
    at: dict[str, float] = {}


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What one look at the world shows of a move's session.

    alive: the old process lives; elsewhere: pids of other live processes on the conversation; standing: is it at a
    boundary; limited: its transcript ends with a used-up limit; launched: the new process, if it lives; registered:
    the registry has the new process on this conversation; status: its registry word; taken: it has begun a turn;
    answered: it was given an answer under the new account; trouble: its turn failed.
    """

    alive: bool = False
    elsewhere: tuple[int, ...] = ()
    standing: Standing = Standing(None, "not looked at")
    limited: bool = False
    launched: bool = False
    registered: bool = False
    status: str = ""
    taken: bool = False
    answered: bool = False
    trouble: str = ""


class Around(msgspec.Struct, frozen=True, kw_only=True):
    """What else bears on a move. now, deadline: monotonic seconds; slot: one more session may be away; preflight:
    None while it runs, else what speaks against the target (empty: nothing); found: seconds since a switcher that did
    not itself tell the process to end found it `stopping`, None when it did."""

    now: float
    deadline: float
    urgency: Literal["soft", "hard"]
    slot: bool
    preflight: str | None = ""
    paused: bool = False
    found: float | None = None


class Step(msgspec.Struct, frozen=True):
    """Take `event`. outcome: set with `bound`."""

    event: Event
    why: str
    outcome: Outcome | Literal[""] = ""


class Wait(msgspec.Struct, frozen=True):
    """Nothing to decide yet."""

    why: str


def decide(move: Move, seen: Seen, around: Around) -> Step | Wait:
    """Return the next step of `move`, or why it waits."""
    if move.state in BEFORE_DEATH and (step := _taken_back(move, seen, around)):
        return step
    match move.state:
        case "queued":
            return _queued(around)
        case "holding":
            return _holding(seen, around)
        case "at_boundary":
            return Step("note", seen.standing.why) if _still_bound(move, seen) else Step("slip", seen.standing.why)
        case "checkpointed":
            return Step("stop", seen.standing.why) if _still_bound(move, seen) else Step("slip", seen.standing.why)
        case "stopping":
            return _stopping(seen, around)
        case "dead":
            return _dead(move, seen, around)
        case "relaunching":
            return _relaunching(move, seen, around)
        case "relaunched":
            return _relaunched(move, seen, around)
        case "answering":
            return _answering(move, seen, around)
    return Wait(f"it is {move.state}")


def _taken_back(move: Move, seen: Seen, around: Around) -> Step | None:
    if not seen.alive:
        return Step("withdraw", "its process ended by itself")
    if seen.elsewhere:
        return Step("withdraw", f"its conversation is open elsewhere too (pid {seen.elsewhere[0]})")
    if around.paused:
        return Step("withdraw", "the operator paused")
    if around.preflight:
        return Step("withdraw", around.preflight)
    return None


def _queued(around: Around) -> Step | Wait:
    # Until then nobody is held: a session that waits in its hook for the look at the target loses that time.
    if around.preflight is None:
        return Wait("the target is being looked at")
    return Step("hold", "its turn has come") if around.slot else Wait("others are being moved")


def _holding(seen: Seen, around: Around) -> Step | Wait:
    if around.preflight is None:
        return Wait("the target is being looked at")
    if not around.slot:
        return Wait("others are being moved")
    if seen.standing.at is not None:
        return Step("bound", seen.standing.why, seen.standing.at)
    if around.now < around.deadline:
        return Wait(seen.standing.why)
    if around.urgency == "hard":
        return Step("bound", f"no boundary before the deadline ({seen.standing.why})", "interrupted")
    return Step("withdraw", f"no boundary before the deadline ({seen.standing.why})")


def _still_bound(move: Move, seen: Seen) -> bool:
    return move.outcome == "interrupted" or seen.standing.at == move.outcome


def _stopping(seen: Seen, around: Around) -> Step | Wait:
    if not seen.alive:
        return Step("died", "its process is proven dead")
    if around.found is None or not seen.registered:
        return Wait("its process is ending")
    if around.found < TOLD_TO_END_WITHIN:
        return Wait("an earlier switcher meant to stop it; looking whether it did")
    # Its hold ended with that switcher, so it has worked on: only a new boundary will do.
    return Step("slip", "it was never told to end")


def _dead(move: Move, seen: Seen, around: Around) -> Step | Wait:
    if move.kind == "stop":
        return Step("end", "stopped, as ordered")
    if seen.elsewhere:
        if around.now - move.at.get("dead", around.now) < ORPHANS_END_WITHIN:
            return Wait(f"pid {seen.elsewhere[0]} is on its conversation; looking again")
        return Step("yield", f"its conversation was opened elsewhere (pid {seen.elsewhere[0]}); the person wins")
    if move.launches >= MAX_LAUNCHES:
        return Step("give_up", f"it ended {move.launches} times after its relaunch")
    return Step("relaunch", f"no process is on its conversation; starting it under {move.target}")


def _relaunching(move: Move, seen: Seen, around: Around) -> Step | Wait:
    if seen.launched:
        return Step("launched", "its new process runs")
    # The launch itself takes milliseconds; what is not there by then did not happen.
    if around.now - move.at.get("relaunching", around.now) > 5:
        return Step("again", "no process came of the launch")
    return Wait("being launched")


def _relaunched(move: Move, seen: Seen, around: Around) -> Step | Wait:
    if not seen.launched:
        return Step("again", "its new process ended at once")
    waited = around.now - move.at.get("relaunched", around.now)
    if move.prompt and (seen.taken or seen.answered):
        return Step("taken", "it took its prompt")
    if not move.prompt and seen.registered and seen.status in ("idle", "busy"):
        return Step("ready", f"it is {seen.status} under {move.target}")
    if waited > READY_WITHIN:
        shown = seen.status or "nothing in the registry"
        return Step("give_up", f"not ready {READY_WITHIN:.0f} s after its relaunch ({shown}); look at its pane")
    return Wait("starting")


def _answering(move: Move, seen: Seen, around: Around) -> Step | Wait:
    if seen.answered:
        return Step("answered", f"answered under {move.target}")
    if seen.trouble:
        return Step("give_up", f"its first turn under {move.target} failed: {seen.trouble}")
    if not seen.launched:
        return Step("give_up", "its new process ended before an answer came")
    if around.now - move.at.get("answering", around.now) > WORKING_FOR and seen.status == "busy":
        return Step("answered", f"at work under {move.target} for {WORKING_FOR:.0f} s")
    return Wait("waiting for its first answer")
