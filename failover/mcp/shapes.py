"""What agents are shown, and what they may ask: from these, the tools' schemas are made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from failover.http.account_views import AccountView
from failover.http.views import DecisionView, SessionView, StatusView, SwapView, TaskView

#: A longer text is cut (characters).
_LONGEST = 2000


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """No argument."""


class SessionsAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    account: Annotated[str, Meta(description="Only those that run on this account.")] = ""
    state: Annotated[str, Meta(description="Only those in this state: idle, working, limited, waiting, …")] = ""


class TasksAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    state: Annotated[
        str, Meta(description="Only those in this state: queued, delivering, running, blocked, done, failed.")
    ] = ""
    limit: Annotated[int, Meta(ge=1, le=500, description="How many at most; open ones come first.")] = 50


class SwapsAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    limit: Annotated[int, Meta(ge=1, le=100, description="How many at most, newest first.")] = 10


class EventsAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    after: Annotated[
        int | None, Meta(description="Only events with an id above this one, oldest first; without it, the newest.")
    ] = None
    topic: Annotated[str, Meta(description="Only types that begin so: swap., task., session., usage., …")] = ""
    limit: Annotated[int, Meta(ge=1, le=200, description="How many at most.")] = 50


_Key = Annotated[
    str,
    Meta(
        max_length=64,
        pattern="^[A-Za-z0-9_.:-]*$",
        description="Calls with the same key are carried out once. Give one when a call may be repeated.",
    ),
]


class AddTask(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    text: Annotated[str, Meta(min_length=1, description="What is to be done, in Markdown.")]
    project: Annotated[str, Meta(description="Folder of the project; may be left out where there is only one.")] = ""
    name: Annotated[str, Meta(description="The file's name without .md; without it, one is made.")] = ""
    priority: Annotated[int, Meta(ge=-1_000_000, le=1_000_000, description="Higher ones go first.")] = 0
    idempotency_key: _Key = ""


class SwapWanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    to: Annotated[str, Meta(description="The account to move to; without it, the policy chooses.")] = ""
    sessions: Annotated[tuple[str, ...], Meta(description="Which sessions; none named: all that can be moved.")] = ()
    dry_run: Annotated[bool, Meta(description="Only say what would be done.")] = False
    wait_seconds: Annotated[
        float, Meta(ge=0, le=120, description="How long to wait for the end; the swap goes on without it.")
    ] = 20.0
    idempotency_key: _Key = ""


class Keyed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    idempotency_key: _Key = ""


class WindowGlance(msgspec.Struct, frozen=True):
    """used, threshold: percent; used is null while it is not known; resets_at: epoch seconds."""

    window: str
    used: float | None
    threshold: float
    resets_at: int | None


class AccountGlance(msgspec.Struct, frozen=True):
    """against: why nothing would be moved there now, empty if it could."""

    name: str
    enabled: bool
    sessions: int
    windows: tuple[WindowGlance, ...]
    against: str


class Glance(msgspec.Struct, frozen=True):
    """The pool at a glance."""

    sentence: str
    paused_by: str
    roles_down: tuple[str, ...]
    accounts: tuple[AccountGlance, ...]
    sessions: dict[str, int]
    tasks: dict[str, int]
    open_orders: int
    swap: SwapView | None
    decision: DecisionView | None


class TaskGlance(msgspec.Struct, frozen=True):
    """A task; what it says and what was answered are in its files. waits_for: what its session waits for a person
    with."""

    id: int
    name: str
    project: str
    state: str
    priority: int
    attempt: int
    max_attempts: int
    queued_ms: int
    started_ms: int
    finished_ms: int
    session: str
    waits_for: str
    reason: str


class Told(msgspec.Struct, frozen=True):
    """An event. event: its own fields, by its type."""

    id: int
    at_ms: int
    source: str
    event: dict[str, Any]


class Accounts(msgspec.Struct, frozen=True):
    accounts: tuple[AccountView, ...]


class Sessions(msgspec.Struct, frozen=True):
    sessions: tuple[SessionView, ...]


class Tasks(msgspec.Struct, frozen=True):
    tasks: tuple[TaskGlance, ...]


class Swaps(msgspec.Struct, frozen=True):
    swaps: tuple[SwapView, ...]


class LatestSwap(msgspec.Struct, frozen=True):
    swap: SwapView | None


class Events(msgspec.Struct, frozen=True):
    """last: the id to go on after; 0 when there was none."""

    events: tuple[Told, ...]
    last: int


class Explained(msgspec.Struct, frozen=True):
    """decision: the last one of the policy, null before the first."""

    decision: DecisionView | None


class Done(msgspec.Struct, frozen=True):
    """What became of an order. outcome: done, refused, failed, or open while it is under way; order: its number, 0 for
    what was done at once."""

    outcome: str
    sentence: str
    order: int = 0
    detail: Any = None


class Added(msgspec.Struct, frozen=True):
    """A task that was put into an inbox. project: empty where it was added before and not named; state: queued, or what
    became of it where it was added before."""

    name: str
    project: str
    state: str


def glance(view: StatusView) -> Glance:
    """Return a status as agents are shown it."""
    states: dict[str, int] = {}
    for session in view.sessions:
        states[session.state] = states.get(session.state, 0) + 1
    return Glance(
        sentence=view.sentence,
        paused_by=view.paused_by,
        roles_down=tuple(role.role for role in view.roles if not role.running),
        accounts=tuple(
            AccountGlance(
                name=one.name,
                enabled=one.enabled,
                sessions=one.sessions,
                windows=tuple(WindowGlance(w.window, w.used, w.threshold, w.resets_at) for w in one.windows),
                against=one.against,
            )
            for one in view.accounts
        ),
        sessions=states,
        tasks=view.tasks,
        open_orders=view.open_orders,
        swap=view.swap,
        decision=view.decision,
    )


def task_glance(view: TaskView) -> TaskGlance:
    """Return a task as agents are shown it."""
    told: Mapping[str, Any] = view.detail if isinstance(view.detail, dict) else {}
    return TaskGlance(
        id=view.id,
        name=view.name,
        project=view.project,
        state=view.state,
        priority=view.priority,
        attempt=view.attempt,
        max_attempts=view.max_attempts,
        queued_ms=view.queued_ms,
        started_ms=view.started_ms,
        finished_ms=view.finished_ms,
        session=str(told.get("session") or ""),
        waits_for=str(told.get("blocked") or ""),
        reason=str((told.get("finish") or {}).get("reason") or told.get("reason") or ""),
    )


def schema(kind: type[msgspec.Struct]) -> dict[str, Any]:
    """Return the JSON Schema of a struct: an object at its root, as the protocol wants it."""
    (_,), parts = msgspec.json.schema_components([kind], ref_template="#/$defs/{name}")
    root = dict(parts.pop(kind.__name__))
    if parts:
        root["$defs"] = parts
    return root


def harmless(value: Any) -> Any:
    """Return JSON whose texts can neither hide anything from a person nor steer a terminal, cut where they are long.

    Names of tasks, branches and people are data that somebody chose: what is invisible in them is spelled out.
    """
    if isinstance(value, str):
        plain = "".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in value[: _LONGEST + 1])
        return plain if len(plain) <= _LONGEST else plain[: _LONGEST - 1] + "…"
    if isinstance(value, dict):
        return {harmless(key): harmless(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [harmless(one) for one in value]
    return value
