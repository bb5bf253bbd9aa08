"""The move of one session from its account to another, as a table.

    queued → holding → at_boundary → checkpointed → stopping → dead → relaunching → relaunched → answering → verified

Until `stopping` a move can be taken back: the session has noticed nothing but a late answer of a hook. From `dead` on
it only goes forward: to the target, to another target, or back to the source. From `stopping` it goes back only where
a switcher died before it could send the signal. Every step is written to the journal before it is acted upon, and what
to do in a state is decided by looking at the world (failover/core/steps.py), never by what the journal hoped: so a
restarted switcher goes on where it finds things.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from failover.core.session import Outcome, Standing

State = Literal[
    "queued", "holding", "at_boundary", "checkpointed", "stopping", "dead", "relaunching", "relaunched", "answering",
    "leaving", "verified", "stopped", "stayed", "yielded", "parked", "failed",
]  # fmt: skip

Event = Literal[
    "hold", "bound", "note", "slip", "withdraw", "lost", "stop", "died", "relaunch", "end", "yield", "launched",
    "again", "taken", "ready", "answered", "leave", "park", "give_up",
]  # fmt: skip

#: How much a move may cost the session: nothing but a moment at rest, a wait for a boundary, or an interruption.
Urgency = Literal["idle", "soft", "hard"]

#: Why a first turn failed: the account is used up; it cannot be used (logged out, say); the provider could not serve it
#: now; or the turn itself was at fault.
Refusal = Literal["", "limit", "account", "service", "turn"]

#: state → event → next state. What is not here is illegal, raises, and changes nothing.
TRANSITIONS: dict[State, dict[Event, State]] = {
    "queued": {"hold": "holding", "withdraw": "stayed", "lost": "dead"},
    "holding": {"bound": "at_boundary", "withdraw": "stayed", "lost": "dead"},
    "at_boundary": {"note": "checkpointed", "slip": "holding", "withdraw": "stayed", "lost": "dead"},
    "checkpointed": {"stop": "stopping", "slip": "holding", "withdraw": "stayed", "lost": "dead"},
    "stopping": {"died": "dead", "slip": "holding"},
    "dead": {"relaunch": "relaunching", "end": "stopped", "yield": "yielded", "give_up": "failed"},
    "relaunching": {"launched": "relaunched", "again": "dead"},
    "relaunched": {"taken": "answering", "ready": "verified", "again": "dead", "give_up": "failed"},
    "answering": {"answered": "verified", "again": "dead", "leave": "leaving", "park": "parked"},
    "leaving": {"died": "dead"},
    "verified": {},
    "stopped": {},
    "stayed": {},
    "yielded": {},
    "parked": {},
    "failed": {},
}

TERMINAL: frozenset[State] = frozenset(state for state, events in TRANSITIONS.items() if not events)
#: States in which the session's process is untouched: the move can still be taken back.
BEFORE_DEATH: frozenset[State] = frozenset({"queued", "holding", "at_boundary", "checkpointed"})
#: States in which a session is away, or about to be, and its start costs the host a core.
AWAY: frozenset[State] = frozenset(
    {"at_boundary", "checkpointed", "stopping", "dead", "relaunching", "relaunched", "leaving"}
)
#: States in which a session was started under its new account, and its first step there is awaited.
RETURNING: frozenset[State] = frozenset({"relaunching", "relaunched", "answering"})


class IllegalStep(Exception):
    """The table has no such step from that state."""


def advance(state: State, event: Event) -> State:
    """Return the state after `event`. Raises IllegalStep."""
    try:
        return TRANSITIONS[state][event]
    except KeyError:
        raise IllegalStep(f"{event!r} is no step from {state!r}") from None


class Reached(msgspec.Struct, frozen=True):
    """A used-up window that a move met. resets_at: epoch seconds, None when it was not said; at_ms: epoch
    milliseconds."""

    account: str
    window: str
    resets_at: int | None
    at_ms: int


class Fresh(msgspec.Struct, frozen=True):
    """The new conversation in which a session is started anew, its folder, and what it is told first."""

    conversation: str
    cwd: str
    prompt: str


class Carried(msgspec.Struct, frozen=True):
    """What a session that was adopted brings along to each of its starts, in place of the configuration's.

    args, env: of the process that was found; wrapper_pid, wrapper_start: the pane's own process, from which that one
    was started (a shell, a script that starts it again): it ends with the first move. 0: there is none.
    """

    args: tuple[str, ...] = ()
    env: dict[str, str] = {}
    wrapper_pid: int = 0
    wrapper_start: int = 0


_carried = msgspec.json.Decoder(Carried)


def carried(text: str) -> Carried | None:
    """Return what an adopted session brings along, None for one that was not adopted (empty text)."""
    return _carried.decode(text) if text else None


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """One session's move, as the store keeps it.

    kind: swap (to another account), restart (same account), stop (not started again), fresh (same account, in the new
    conversation `fresh`, which is the move's own once the old process is dead) or restore (its process is dead already;
    the account may be another); pid, start: the process that is to be stopped; server_pid, server_start: the tmux
    server of its pane (0: not known); outcome: how it was found when it was stopped; limited: a limit had stopped it;
    held_prompt: a prompt that had not begun; noted_call: the last hook call when that was noted (prompts after it have
    not begun either); cut_off: what an interrupt cut off; prompt: what the relaunched session is told, empty for
    nothing; launch, new_pid, new_start: the new process; since_size: how long the transcript was when the present
    process was started (bytes: what lies behind is its own); launches: how often since the move last changed its
    target; refused: the accounts that could not serve it; limits: those of them that had none left; pinned: the account
    that a person chose for the session; carried: what it brings along if it was adopted (JSON of Carried); bill: tokens
    of context that the new account writes to its cache anew (estimated by the binary itself, 0: not known); at:
    monotonic seconds at which each state was entered.
    """

    id: int
    swap: int
    session: str
    conversation: str
    cwd: str
    source: str
    target: str
    kind: Literal["swap", "restart", "stop", "fresh", "restore"]
    state: State = "queued"
    fresh: Fresh | None = None
    pane: str = ""
    pid: int = 0
    start: int = 0
    server_pid: int = 0
    server_start: int = 0
    outcome: Outcome | Literal[""] = ""
    limited: bool = False
    held_prompt: str = ""
    noted_call: int = 0
    cut_off: str = ""
    prompt: str = ""
    launch: str = ""
    new_pid: int = 0
    new_start: int = 0
    since_size: int = 0
    launches: int = 0
    refused: tuple[str, ...] = ()
    limits: tuple[Reached, ...] = ()
    pinned: str = ""
    carried: str = ""
    bill: int = 0
    why: str = ""
    at: dict[str, float] = {}


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What one look at the world shows of a move's session.

    alive: the process that is to end lives (the old one; when `leaving`, the new one); server_died: the tmux server of
    its pane is gone; closed: that server lives and has the session no more; elsewhere: pids of other live processes on
    the conversation; left_for: the other conversation with which a person went on in it; unregistered: it lives, and
    the binary's registry does not have it (or its pane not what it was started from); standing: is it at a boundary;
    limited: its transcript ends with a used-up limit; launched: the new process, if it lives; registered: the registry
    has that process on this conversation; status: its registry word; taken: it has begun a turn; answered: it was given
    an answer under the new account; trouble: its turn failed, in words; refusal: for which sort of reason; reached: the
    used-up window, when it was that.
    """

    alive: bool = False
    server_died: bool = False
    closed: bool = False
    elsewhere: tuple[int, ...] = ()
    left_for: str = ""
    unregistered: bool = False
    standing: Standing = Standing(None, "not looked at")
    limited: bool = False
    launched: bool = False
    registered: bool = False
    status: str = ""
    taken: bool = False
    answered: bool = False
    trouble: str = ""
    refusal: Refusal = ""
    reached: Reached | None = None


class Around(msgspec.Struct, frozen=True, kw_only=True):
    """What else bears on a move.

    now, deadline: monotonic seconds; urgency: idle (only while it is at rest), soft (wait for a boundary, then give up)
    or hard (then interrupt); slot: one more session may be away; preflight: None while it runs, else what speaks
    against the target (empty: nothing); found: seconds since a switcher that did not itself tell the process to end
    found it `stopping`, None when it did; refused: accounts that turned out in this swap to be no target; other: the
    account to go to instead, empty when there is none; spent: the source has nothing left, so going back is in vain.
    """

    now: float
    deadline: float
    urgency: Urgency
    slot: bool
    preflight: str | None = ""
    paused: bool = False
    found: float | None = None
    refused: frozenset[str] = frozenset()
    other: str = ""
    spent: bool = False


class Step(msgspec.Struct, frozen=True):
    """Take `event`. outcome: set with `bound`; target: set with `relaunch` and `leave`."""

    event: Event
    why: str
    outcome: Outcome | Literal[""] = ""
    target: str = ""


class Wait(msgspec.Struct, frozen=True):
    """Nothing to decide yet."""

    why: str
