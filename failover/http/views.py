"""What people and programs are shown, read from the store. The command line and the control plane give the same.

Imported by every `claude-failover status`, so nothing heavy comes in here.
"""

from __future__ import annotations

from typing import Any

import msgspec

from failover.config import Config
from failover.core.choice import Verdict
from failover.core.move import Move
from failover.core.swap import progress, targets
from failover.host.process import ProcessId, alive
from failover.http.account_views import AccountView, accounts
from failover.store import choices, flags, orders, sessions, swaps, usage
from failover.store import tasks as stored_tasks
from failover.store.db import Store

#: The programs of a running daemon, by supervisord name.
ROLES = (
    "bus", "quota-monitor", "session-watcher", "dispatcher", "checkpoint", "account-switcher", "janitor", "notifier",
    "control-plane",
)  # fmt: skip


class RoleView(msgspec.Struct, frozen=True, kw_only=True):
    """A role. did: the sentence of its last cycle; at_ms: when that was."""

    role: str
    running: bool
    pid: int = 0
    at_ms: int = 0
    did: str = ""


class SessionView(msgspec.Struct, frozen=True, kw_only=True):
    """A session as configured, placed and last seen. state `new`: never launched; pinned: the account that a person
    chose for it, empty when none did; task: the name of the task that it has; context: tokens in its context, as its
    statusline last told, 0 when it did not."""

    name: str
    project: str
    account: str
    state: str
    pinned: str = ""
    since_ms: int = 0
    conversation: str = ""
    pid: int = 0
    waiting_for: str = ""
    note: str = ""
    task: str = ""
    context: int = 0


class MoveView(msgspec.Struct, frozen=True, kw_only=True):
    """One session's part of a swap. progress: 0 to 1; target: the account that it goes to."""

    session: str
    state: str
    progress: float
    why: str
    target: str = ""


class SwapView(msgspec.Struct, frozen=True, kw_only=True):
    """A swap, restart or stop with its moves. targets: all accounts that its sessions go to, the main one first; order:
    the one that it carries out, 0 for none."""

    id: int
    kind: str
    source: str
    target: str
    urgency: str
    reason: str
    state: str
    started_ms: int
    finished_ms: int
    sentence: str
    moves: tuple[MoveView, ...]
    targets: tuple[str, ...] = ()
    order: int = 0


class TaskView(msgspec.Struct, frozen=True, kw_only=True):
    """A task. state: the store's, or `blocked` while its session waits for a person (`detail.blocked`: what for)."""

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
    detail: Any = None


class CheckpointView(msgspec.Struct, frozen=True, kw_only=True):
    """A note of what a session was doing."""

    id: int
    session: str
    conversation: str
    at_ms: int
    occasion: str
    detail: Any = None


class DecisionView(msgspec.Struct, frozen=True, kw_only=True):
    """What the policy last decided (kind: stay or swap) and why, in one sentence and for each account. since_ms: since
    when; at_ms: of when the sentences are."""

    kind: str
    source: str
    target: str
    reason: str
    since_ms: int
    at_ms: int
    verdicts: tuple[Verdict, ...]


class StatusView(msgspec.Struct, frozen=True, kw_only=True):
    """Everything at a glance. sentence: the whole in one line; decision: None before the first."""

    sentence: str
    paused_by: str
    roles: tuple[RoleView, ...]
    accounts: tuple[AccountView, ...]
    sessions: tuple[SessionView, ...]
    swap: SwapView | None
    open_orders: int
    tasks: dict[str, int]
    decision: DecisionView | None = None


def roles(store: Store) -> tuple[RoleView, ...]:
    """Return every role, whether it ever ran or not."""
    rows = {row["role"]: row for row in store.query("SELECT * FROM roles")}
    return tuple(_role(name, rows.get(name)) for name in (*ROLES, *(extra for extra in rows if extra not in ROLES)))


def _role(name: str, row: Any) -> RoleView:
    if row is None:
        return RoleView(role=name, running=False)
    running = alive(ProcessId(row["pid"], row["start"]))
    return RoleView(role=name, running=running, pid=row["pid"], at_ms=row["at_ms"], did=row["did"])


def session_views(config: Config, store: Store) -> tuple[SessionView, ...]:
    """Return every session: the configured ones in their order, then those that are still placed."""
    placed, seen = sessions.placements(store), sessions.sightings(store)
    configured = {session.name: session for session in config.sessions}
    doing = {task.session: task.name for task in stored_tasks.handed_over(store)}
    contexts = usage.contexts(store)
    views = []
    for name in (*configured, *(name for name in placed if name not in configured)):
        place, sight, spec = placed.get(name), seen.get(name), configured.get(name)
        views.append(
            SessionView(
                name=name,
                project=place.cwd if place else str(spec.project) if spec else "",
                account=place.account if place else (spec and spec.account) or "",
                pinned=place.pinned if place else "",
                state=sight.state if sight and place else "new" if place is None else "unknown",
                since_ms=sight.since_ms if sight else 0,
                conversation=place.conversation if place else "",
                pid=sight.pid if sight else 0,
                waiting_for=sight.waiting_for if sight else "",
                note=_note(place, sight, spec is not None),
                task=doing.get(name, ""),
                context=contexts.get((name, place.conversation), 0) if place else 0,
            )
        )
    return tuple(views)


def _note(place: sessions.Placement | None, sight: sessions.Sighting | None, configured: bool) -> str:
    if place is not None and place.given_up:
        return f"not brought back: {place.given_up}; see: claude-failover sessions restore"
    if place is not None and place.wanted == "running" and not place.launch:
        return f"adopted: it is given tasks from its next start on: claude-failover sessions restart {place.session}"
    return (sight.note if sight else "") or ("" if configured else "no longer in the configuration")


def swap_view(row: swaps.SwapRow, moves: list[Move]) -> SwapView:
    """Return a swap as it is shown."""
    return SwapView(
        id=row.id,
        kind=row.kind,
        source=row.source,
        target=row.target,
        urgency=row.urgency,
        reason=row.reason,
        state=row.state,
        started_ms=row.started_ms,
        finished_ms=row.finished_ms,
        sentence=row.sentence,
        moves=tuple(swap_progress(move) for move in moves),
        targets=targets(row.target, moves),
        order=row.order_id,
    )


def swap_progress(move: Move) -> MoveView:
    """Return how far one session's part is."""
    return MoveView(session=move.session, state=move.state, progress=progress(move), why=move.why, target=move.target)


def swap_views(store: Store, limit: int = 20, before: int | None = None) -> tuple[SwapView, ...]:
    """Return the newest swaps, newest first; those before an id if one is given."""
    rows = swaps.latest(store, limit, fresh=True) if before is None else swaps.older(store, before, limit)
    return tuple(swap_view(row, swaps.moves(store, row.id)) for row in rows)


#: What tasks are listed by: the open ones by priority, then the newest of the others.
_TASK_ORDER = (
    "state IN ('done', 'failed')",
    "CASE WHEN state IN ('done', 'failed') THEN -finished_ms ELSE -priority END",
    "id",
)
#: The place of a task in the list.
TaskPlace = tuple[int, int, int]


def tasks(
    store: Store, limit: int = 200, *, after: TaskPlace | None = None, project: str = "", name: str = ""
) -> tuple[TaskView, ...]:
    """Return tasks: the open ones first, then the newest of the others. after: only what stands behind that place;
    project, name: only those of it."""
    order = ", ".join(_TASK_ORDER)
    wanted: list[tuple[str, tuple[object, ...]]] = []
    if after is not None:
        wanted.append((f"({order}) > (?, ?, ?)", after))
    if project:
        wanted.append(("project = ?", (project,)))
    if name:
        wanted.append(("name = ?", (name,)))
    where = "WHERE " + " AND ".join(sql for sql, _ in wanted) if wanted else ""
    args = [arg for _, some in wanted for arg in some]
    rows = store.query(f"SELECT * FROM tasks {where} ORDER BY {order} LIMIT ?", (*args, limit))
    return tuple(_task_view(row) for row in rows)


def task_place(task: TaskView) -> TaskPlace:
    """Return where a task stands in the list."""
    closed = task.state in ("done", "failed")
    return int(closed), -task.finished_ms if closed else -task.priority, task.id


def task(store: Store, number: int) -> TaskView | None:
    """Return one task."""
    row = store.one("SELECT * FROM tasks WHERE id = ?", (number,))
    return _task_view(row) if row else None


def _task_view(row: Any) -> TaskView:
    fields = _with_detail(row)
    if fields["state"] in ("delivering", "running") and fields["detail"].get("blocked"):
        fields["state"] = "blocked"
    return msgspec.convert(fields, TaskView)


def _task_counts(store: Store) -> dict[str, int]:
    counts = {row[0]: row[1] for row in store.query("SELECT state, count(*) FROM tasks GROUP BY state")}
    for one in stored_tasks.handed_over(store):
        if one.blocked:
            counts[one.state] -= 1
            counts["blocked"] = counts.get("blocked", 0) + 1
    return {state: count for state, count in counts.items() if count}


def checkpoints(
    store: Store, session: str = "", limit: int = 50, before: int | None = None
) -> tuple[CheckpointView, ...]:
    """Return the newest checkpoints, newest first; of one session if it is named, before an id if one is given."""
    wanted = ["session = ?"] * bool(session) + ["id < ?"] * (before is not None)
    where = f"WHERE {' AND '.join(wanted)} " if wanted else ""
    args = (*([session] if session else []), *([before] if before is not None else []), limit)
    rows = store.query(f"SELECT * FROM checkpoints {where}ORDER BY id DESC LIMIT ?", args)
    return tuple(msgspec.convert(_with_detail(row), CheckpointView) for row in rows)


def checkpoint(store: Store, number: int) -> CheckpointView | None:
    """Return one checkpoint."""
    row = store.one("SELECT * FROM checkpoints WHERE id = ?", (number,))
    return msgspec.convert(_with_detail(row), CheckpointView) if row else None


def _with_detail(row: Any) -> dict[str, Any]:
    fields = dict(row)
    fields["detail"] = msgspec.json.decode(fields.pop("body") or "null")
    return fields


def status(config: Config, store: Store) -> StatusView:
    """Return everything at a glance."""
    pause, swap = flags.paused(store), swaps.open_swap(store)
    views, those = roles(store), session_views(config, store)
    running = sum(view.running for view in views)
    words = [f"{running} of {len(views)} roles run"]
    by_state: dict[str, int] = {}
    for view in those:
        by_state[view.state] = by_state.get(view.state, 0) + 1
    listed = ", ".join(f"{count} {state}" for state, count in sorted(by_state.items()))
    words.append(f"{len(those)} sessions" + (f" ({listed})" if listed else ""))
    if swap:
        words.append(f"{swap.kind} {swap.id} is under way")
    if pause:
        words.append(f"paused by {pause.by}")
    return StatusView(
        sentence="; ".join(words),
        paused_by=pause.by if pause else "",
        roles=views,
        accounts=accounts(config, store),
        sessions=those,
        swap=swap_view(swap, swaps.moves(store, swap.id)) if swap else None,
        open_orders=len(orders.pending(store)),
        tasks=_task_counts(store),
        decision=decision(store),
    )


def decision(store: Store) -> DecisionView | None:
    """Return the decision that stands, None before the first."""
    row = choices.latest(store)
    return msgspec.convert(row, DecisionView, from_attributes=True) if row else None
