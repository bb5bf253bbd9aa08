"""The events that roles exchange: past tense, frozen, tagged by their name.

An event says what has already been committed to the store; it is a doorbell, never an order. Fields are only ever
added, with a default, and no tag is used twice, so that a newer role can be heard by an older one.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Union

import msgspec

#: A frame longer than this is refused by sockets and decoder alike (bytes).
MAX_FRAME = 256 * 1024


# Nothing in an event or an envelope can lead back to it, so the garbage collector need not look through those that are
# heard (gc=False): a listener takes a sixth more of them a second.
class Event(msgspec.Struct, frozen=True, tag_field="type", kw_only=True, gc=False):
    """Base of all events."""


class RoleStarted(Event, frozen=True, tag="role.started"):
    """A role took its lock and runs. role: its supervisord name; pid: its process."""

    role: str
    pid: int


class RolesPaused(Event, frozen=True, tag="operator.paused"):
    """A person paused the automat: nothing is started or moved, everything is watched."""

    by: str


class RolesResumed(Event, frozen=True, tag="operator.resumed"):
    """A person let the automat go on."""

    by: str


class AccountDisabled(Event, frozen=True, tag="operator.account-disabled"):
    """A person took an account out of the choice. until_ms: epoch milliseconds, None until it is enabled."""

    account: str
    until_ms: int | None
    by: str


class AccountEnabled(Event, frozen=True, tag="operator.account-enabled"):
    """A person let an account be chosen again."""

    account: str
    by: str


class OrderPlaced(Event, frozen=True, tag="operator.order-placed"):
    """A person or program asked for something. order: row in `orders`."""

    order: int
    verb: str


class OrderDone(Event, frozen=True, tag="operator.order-done"):
    """The order was carried out, refused or failed; `sentence` says which and why."""

    order: int
    outcome: str
    sentence: str


class HookReceived(Event, frozen=True, tag="hook.received"):
    """A hook of a session's binary arrived. call: row in `hook_calls`; held: its answer waits for a hold to end."""

    call: int
    session: str
    conversation: str
    hook: str
    held: bool = False


class StatuslinePushed(Event, frozen=True, tag="usage.pushed"):
    """A session's statusline told something new of its account's windows, or of its cost where that is capped."""

    session: str
    account: str


class UsageRead(Event, frozen=True, tag="usage.read"):
    """A window's reading changed. used: percent; resets_at: epoch seconds."""

    account: str
    window: str
    used: float
    resets_at: int | None
    source: str


class UsageNoted(Event, frozen=True, tag="usage.noted"):
    """Readings showed something odd. what: fell | moved | did_not_fall | not_reset | foreign | poll_failed."""

    account: str
    window: str
    what: str
    sentence: str


class SwapWanted(Event, frozen=True, tag="usage.swap-wanted"):
    """The policy asks for a swap. request: row in `swap_requests`."""

    request: int
    source: str
    target: str
    urgency: str
    reason: str


class AllExhausted(Event, frozen=True, tag="usage.all-exhausted"):
    """No account can take the sessions. until: epoch seconds of the earliest reset, if one is known."""

    source: str
    until: int | None
    reason: str


class AvailableAgain(Event, frozen=True, tag="usage.available-again"):
    """It is over that no account could take the sessions. source: their account; reason: what has changed."""

    source: str
    reason: str


class LoginExpires(Event, frozen=True, tag="account.login-expires"):
    """The login of an account ends soon; it is said once. expires_at: epoch seconds."""

    account: str
    expires_at: int


class SessionStateChanged(Event, frozen=True, tag="session.changed"):
    """A session's state is another than before."""

    session: str
    state: str
    was: str
    account: str = ""


class SessionDied(Event, frozen=True, tag="session.died"):
    """The process of a session that should be running is gone."""

    session: str
    pid: int


class SessionsLost(Event, frozen=True, tag="session.lost"):
    """Sessions ended with their tmux server and are not brought back by themselves. why: the reason of each."""

    sessions: tuple[str, ...]
    why: dict[str, str]


class SessionAdopted(Event, frozen=True, tag="session.adopted"):
    """A session that was started by somebody else was taken on while it ran."""

    session: str
    account: str
    conversation: str
    pid: int


class SessionTurned(Event, frozen=True, tag="session.turned"):
    """A person went on with another conversation in a session of ours (`/clear`, `/resume`)."""

    session: str
    account: str
    was: str
    conversation: str


class SessionLaunched(Event, frozen=True, tag="session.launched"):
    """The binary was started in a session's pane."""

    session: str
    account: str
    conversation: str
    pid: int


class SwapStarted(Event, frozen=True, tag="swap.started"):
    """A swap began. reason: one sentence; shares: session → account, of those that go elsewhere than to the target;
    kind: swap | restart | stop | fresh | restore."""

    swap: int
    source: str
    target: str
    urgency: str
    sessions: tuple[str, ...]
    reason: str
    shares: dict[str, str] = {}
    kind: str = "swap"


class SwapRetargeted(Event, frozen=True, tag="swap.retargeted"):
    """A swap goes to another target than it began with. why: what is wrong with the old one."""

    swap: int
    source: str
    was: str
    target: str
    why: str


class MoveAdvanced(Event, frozen=True, tag="swap.move-advanced"):
    """One session's move took a step."""

    swap: int
    move: int
    session: str
    state: str
    was: str
    why: str


class SwapFinished(Event, frozen=True, tag="swap.finished"):
    """A swap ended. outcome: done | partial | failed | refused; duration: milliseconds; urgency: idle | soft | hard."""

    swap: int
    source: str
    target: str
    outcome: str
    moved: int
    stayed: int
    duration_ms: int
    sentence: str
    urgency: str = "soft"
    kind: str = "swap"


class HoldChanged(Event, frozen=True, tag="swap.hold-changed"):
    """A hold was set on or lifted from a conversation; empty: from several at once."""

    conversation: str
    standing: bool


class TaskQueued(Event, frozen=True, tag="task.queued"):
    """A task file was found whole in an inbox."""

    task: int
    name: str
    project: str


class TaskDispatched(Event, frozen=True, tag="task.dispatched"):
    """A task was handed to a session and the session took it."""

    task: int
    name: str
    session: str
    attempt: int


class FreshWanted(Event, frozen=True, tag="task.fresh-wanted"):
    """A session is to be started anew for a task. request: row in `fresh_requests`."""

    request: int
    task: int
    session: str


class TaskBlocked(Event, frozen=True, tag="task.blocked"):
    """A task's session waits for a person. waiting_for: for what, in the binary's words or ours."""

    task: int
    name: str
    session: str
    waiting_for: str


class TaskUnblocked(Event, frozen=True, tag="task.unblocked"):
    """A task's session waits for nobody any more."""

    task: int
    name: str
    session: str


class TaskRetried(Event, frozen=True, tag="task.retried"):
    """A failed task was put back into its inbox."""

    task: int
    name: str
    by: str


class TaskFinished(Event, frozen=True, tag="task.finished"):
    """A task ended. outcome: done | failed."""

    task: int
    name: str
    session: str
    outcome: str
    reason: str


class CheckpointWritten(Event, frozen=True, tag="checkpoint.written"):
    """A session's context was noted. checkpoint: row in `checkpoints`."""

    checkpoint: int
    session: str
    occasion: str


class JanitorTroubled(Event, frozen=True, tag="janitor.troubled"):
    """The janitor could not remove something, for another reason than last time."""

    sentence: str


class Swept(Event, frozen=True, tag="janitor.swept"):
    """The janitor did away with something. what: kind; count: how many; names: some of them, where they have names."""

    what: str
    count: int
    names: tuple[str, ...] = ()


class StoreBackedUp(Event, frozen=True, tag="janitor.backed-up"):
    """The store was copied. file: name in the folder of backups; size: bytes; took_ms: milliseconds."""

    file: str
    size: int
    took_ms: int


class RoleFailing(Event, frozen=True, tag="role.failing"):
    """A role of the daemon does not do its work. starts: how often it was started in a short while; 0: it does not run
    at all."""

    role: str
    starts: int


class RoleRecovered(Event, frozen=True, tag="role.recovered"):
    """A role that was failing does its work again."""

    role: str


class SinkFailing(Event, frozen=True, tag="notifier.sink-failing"):
    """A sink could not be told for some time. waiting: notices that it is to be told; reason: its last answer."""

    sink: str
    waiting: int
    reason: str


class SinkRecovered(Event, frozen=True, tag="notifier.sink-recovered"):
    """A sink that was failing is told again."""

    sink: str


class NoticesDropped(Event, frozen=True, tag="notifier.dropped"):
    """A sink was not told of something, and will not be. what: notice or event; since_ms: of the first of them."""

    sink: str
    count: int
    what: str
    since_ms: int
    reason: str


AnyEvent = Union[  # noqa: UP007  (msgspec reads it at run time)
    RoleStarted, RolesPaused, RolesResumed, AccountDisabled, AccountEnabled, OrderPlaced, OrderDone,
    HookReceived, StatuslinePushed, UsageRead, UsageNoted, SwapWanted, AllExhausted, LoginExpires,
    SessionStateChanged, SessionDied, SessionLaunched, SessionAdopted, SessionTurned, SessionsLost,
    SwapStarted, SwapRetargeted, MoveAdvanced, SwapFinished, HoldChanged,
    TaskQueued, TaskDispatched, TaskFinished, CheckpointWritten, Swept, StoreBackedUp,
    FreshWanted, TaskBlocked, TaskUnblocked, TaskRetried,
    AvailableAgain, JanitorTroubled, RoleFailing, RoleRecovered, SinkFailing, SinkRecovered, NoticesDropped,
]  # fmt: skip


class Envelope(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An event with where it comes from.

    id: row in the store's `events` table; source: role; boot: random per process start; seq: counts up by one per
    envelope of that boot, so that a listener sees a gap; at_ms: epoch milliseconds.
    """

    id: int
    source: str
    boot: str
    seq: int
    at_ms: int
    event: AnyEvent


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Envelope)


class BadFrame(ValueError):
    """A frame on the bus that is not one of our envelopes; it is reported and dropped."""


def topic(event: Event) -> str:
    """Return the type of an event, which is its tag: `area.what`."""
    return _topic(type(event))


@functools.cache
def _topic(kind: type[Event]) -> str:
    return str(kind.__struct_config__.tag)


#: What tells events of these types apart for who listens.
_TOLD_BY: dict[type[Event], str] = {HookReceived: "hook", SessionStateChanged: "state", MoveAdvanced: "state"}


def subject(event: Event) -> str:
    """Return what a listener may choose by: the type, and of what comes most often which one: `hook.received/Stop`,
    `session.changed/idle`, `swap.move-advanced/verified`."""
    which = _TOLD_BY.get(type(event))
    return f"{topic(event)}/{getattr(event, which)}" if which else topic(event)


def sessions_named(heard: Sequence[Envelope]) -> frozenset[str] | None:
    """Return the sessions that envelopes speak of; None where there are no envelopes or one speaks of none, so that all
    has to be looked at."""
    names = {str(getattr(envelope.event, "session", "")) for envelope in heard}
    return frozenset(names) if names and "" not in names else None


#: Subjects of the hooks at which a turn or a sub-agent begins or ends (Stop: StopFailure too), or a person is asked.
#: Those of tools, which come more often than all others together, are not among them.
HOOKS_OF_TURNS = tuple(
    f"hook.received/{hook}"
    for hook in ("SessionStart", "UserPromptSubmit", "PermissionRequest", "Stop", "SubagentStart", "SubagentStop",
                 "SessionEnd")
)  # fmt: skip


def encode(envelope: Envelope) -> tuple[bytes, bytes]:
    """Return the two frames of an envelope: subject and JSON."""
    return subject(envelope.event).encode(), _encoder.encode(envelope)


def encode_event(event: AnyEvent) -> bytes:
    """Return an event's own JSON, as the store keeps it."""
    return _encoder.encode(event)


def decode(payload: bytes) -> Envelope:
    """Return the envelope in a frame.

    Raises BadFrame, and nothing else, for whatever is not one: wrong shape, unknown type, oversized, nested too deep.
    """
    if len(payload) > MAX_FRAME:
        raise BadFrame(f"frame of {len(payload)} bytes is over the limit of {MAX_FRAME}")
    try:
        return _decoder.decode(payload)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise BadFrame(f"not an envelope: {error}") from None
