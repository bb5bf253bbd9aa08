"""The tools: what each is called, what it may be asked, what it answers, and whether it changes anything."""

from __future__ import annotations

import json
import time
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

import msgspec

from failover.events import Envelope, topic
from failover.http.account_views import AccountView
from failover.http.views import DecisionView, SessionView, StatusView, SwapView, TaskView
from failover.mcp import shapes
from failover.mcp.plane import Plane, Refused
from failover.store.orders import Order, OrderResult

#: How long one answer about an order that is open may take (seconds).
_WAIT = 10.0


class OrderState(msgspec.Struct, frozen=True):
    """An order and what became of it, as /v1/orders/NUMBER gives it."""

    order: Order
    result: OrderResult | None


class Caller(NamedTuple):
    """Who asks. authorization: the header that came with the request, empty to go by the plane's own token; by: who
    wants it, in words for people."""

    plane: Plane
    authorization: str
    by: str

    async def get(self, path: str, kind: Any, **params: str | float) -> Any:
        """Return what stands at a path. Raises Refused."""
        return await self.plane.get(path, kind, self.authorization, **params)

    async def order(self, path: str, body: dict[str, Any], key: str) -> dict[str, Any]:
        """Send an order. Raises Refused."""
        return await self.plane.order(path, body, key, self.authorization)


class Answer(NamedTuple):
    """value: the structured answer; text: the same in short. Only names that the configuration allows stand in it."""

    value: msgspec.Struct
    text: str


class Tool(NamedTuple):
    """orders: needs the scope operate; destructive, idempotent: as the protocol's annotations mean it."""

    name: str
    title: str
    description: str
    asked: type[msgspec.Struct]
    answered: type[msgspec.Struct]
    run: Callable[[Caller, Any], Awaitable[Answer]]
    orders: bool = False
    destructive: bool = False
    idempotent: bool = False


async def status(caller: Caller, asked: shapes.Nothing) -> Answer:
    """Everything at a glance."""
    seen = shapes.glance(await caller.get("/v1/status", StatusView))
    lines = [_account_line(one.name, one.windows, one.sessions, one.enabled) for one in seen.accounts]
    lines += [f"sessions: {_counts(seen.sessions)}", f"tasks: {_counts(seen.tasks)}"]
    if seen.roles_down:
        lines.append("roles that do not run: " + ", ".join(seen.roles_down))
    if seen.swap:
        lines.append(f"{seen.swap.kind} {seen.swap.id} is under way")
    if seen.paused_by:
        lines.append("paused: nothing is started or moved")
    return Answer(seen, "\n".join(lines))


async def accounts(caller: Caller, asked: shapes.Nothing) -> Answer:
    """Accounts with their windows."""
    found = shapes.Accounts(tuple(await caller.get("/v1/accounts", list[AccountView])))
    lines = [_account_line(one.name, one.windows, one.sessions, one.enabled) for one in found.accounts]
    return Answer(found, "\n".join(lines) or "no accounts")


async def sessions(caller: Caller, asked: shapes.SessionsAsked) -> Answer:
    """Sessions with their states."""
    found = [
        one
        for one in await caller.get("/v1/sessions", list[SessionView])
        if asked.account in ("", one.account) and asked.state in ("", one.state)
    ]
    lines = [f"{one.name}: {one.state}" + (f" on {one.account}" if one.account else "") for one in found]
    return Answer(shapes.Sessions(tuple(found)), "\n".join(lines) or "no such sessions")


async def tasks(caller: Caller, asked: shapes.TasksAsked) -> Answer:
    """Tasks, open ones first."""
    seen = await caller.get("/v1/tasks", list[TaskView], limit=500)
    found = [shapes.task_glance(one) for one in seen if asked.state in ("", one.state)][: asked.limit]
    return Answer(shapes.Tasks(tuple(found)), _counts(Counter(one.state for one in found)))


async def swaps(caller: Caller, asked: shapes.SwapsAsked) -> Answer:
    """Swaps, newest first."""
    found = shapes.Swaps(tuple(await caller.get("/v1/swaps", list[SwapView], limit=asked.limit)))
    lines = [f"{one.kind} {one.id}: {one.source} to {one.target or one.source}, {one.state}" for one in found.swaps]
    return Answer(found, "\n".join(lines) or "no swaps yet")


async def events(caller: Caller, asked: shapes.EventsAsked) -> Answer:
    """What happened."""
    params: dict[str, str | float] = {"topic": asked.topic, "limit": asked.limit}
    if asked.after is not None:
        params["after"] = asked.after
    seen = await caller.get("/v1/events", list[Envelope], **params)
    told = tuple(
        shapes.Told(one.id, one.at_ms, one.source, {"type": topic(one.event), **msgspec.to_builtins(one.event)})
        for one in seen
    )
    last = told[-1].id if told else asked.after or 0
    return Answer(shapes.Events(told, last), f"{len(told)} events, the last with id {last}")


async def explain(caller: Caller, asked: shapes.Nothing) -> Answer:
    """Why the policy does what it does."""
    try:
        seen: DecisionView = await caller.get("/v1/decision", DecisionView)
    except Refused as error:
        if error.status != 404:
            raise
        return Answer(shapes.Explained(None), "nothing was decided yet")
    where = f" from {seen.source} to {seen.target}" if seen.kind == "swap" else ""
    lines = [f"{seen.kind}{where}", *(f"{one.account}: {one.verdict}" for one in seen.verdicts)]
    return Answer(shapes.Explained(seen), "\n".join(lines))


async def add_task(caller: Caller, asked: shapes.AddTask) -> Answer:
    """Put a task into an inbox."""
    name, key = asked.name or f"mcp-{asked.idempotency_key or uuid.uuid4().hex[:12]}", asked.idempotency_key
    if key:
        seen = await caller.get("/v1/tasks", list[TaskView], name=name, limit=500)
        if known := [one for one in seen if asked.project in ("", one.project)]:
            return Answer(shapes.Added(name, known[0].project, known[0].state), "it was added before")
    wanted = {"text": asked.text, "project": asked.project, "name": name, "priority": asked.priority}
    try:
        found = msgspec.convert(await caller.order("/v1/tasks", wanted, key), _Queued)
    except Refused as error:
        if not key or error.status != 409:
            raise
        return Answer(shapes.Added(name, asked.project, "queued"), "it was added before")
    return Answer(shapes.Added(found.name, found.project, "queued"), "the task is queued")


async def swap(caller: Caller, asked: shapes.SwapWanted) -> Answer:
    """Move sessions to another account."""
    args = {"to": asked.to, "sessions": asked.sessions, "dry_run": asked.dry_run}
    placed = await _placed(caller, "swap", args, asked.idempotency_key)
    until = time.monotonic() + asked.wait_seconds
    while True:
        wait = min(_WAIT, max(0.0, until - time.monotonic()))
        result = (await caller.get(f"/v1/orders/{placed.order}", OrderState, wait=round(wait, 3))).result
        if result is not None:
            done = shapes.Done(result.outcome, result.sentence, placed.order, json.loads(result.detail or "{}"))
            return Answer(done, f"order {placed.order} is {result.outcome}")
        if time.monotonic() >= until:
            said = f"order {placed.order} is under way; see the tool swaps, or status"
            return Answer(shapes.Done("open", said, placed.order), said)


async def pause(caller: Caller, asked: shapes.Keyed) -> Answer:
    """Pause the pool."""
    return await _at_once(caller, "pause", asked.idempotency_key)


async def resume(caller: Caller, asked: shapes.Keyed) -> Answer:
    """Let the pool go on."""
    return await _at_once(caller, "resume", asked.idempotency_key)


async def _at_once(caller: Caller, verb: str, key: str) -> Answer:
    placed = await _placed(caller, verb, {}, key)
    return Answer(shapes.Done("done", placed.sentence), placed.sentence)


class _Queued(msgspec.Struct, frozen=True):
    name: str
    project: str


class _Placed(msgspec.Struct, frozen=True):
    order: int
    sentence: str


async def _placed(caller: Caller, verb: str, args: dict[str, Any], key: str) -> _Placed:
    body = {"verb": verb, "args": args, "by": caller.by}
    return msgspec.convert(await caller.order("/v1/orders", body, key), _Placed)


def _account_line(name: str, windows: Any, sessions: int, enabled: bool) -> str:
    parts = []
    for one in windows:
        used = "unknown" if one.used is None else f"{one.used:.0f} %"
        resets = f", resets {_clock(one.resets_at)}" if one.resets_at else ""
        parts.append(f"{one.window} {used} of {one.threshold:.0f} %{resets}")
    return f"{name}{'' if enabled else ' (disabled)'}: {sessions} sessions; " + "; ".join(parts or ["no windows"])


def _counts(found: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {state}" for state, count in sorted(found.items())) or "none"


def _clock(epoch: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(epoch))


TOOLS: Mapping[str, Tool] = {
    tool.name: tool
    for tool in (
        Tool("status", "Pool at a glance", "Accounts with their use, sessions and tasks by state, the swap under way"
             " and the last decision. Begin here.", shapes.Nothing, shapes.Glance, status),
        Tool("accounts", "Accounts", "All accounts: use, threshold, reset and expected crossing of each window, and why"
             " nothing would be moved there.", shapes.Nothing, shapes.Accounts, accounts),
        Tool("sessions", "Sessions", "All sessions: account, state, project, conversation, and what one waits for.",
             shapes.SessionsAsked, shapes.Sessions, sessions),
        Tool("tasks", "Tasks", "Tasks of all projects, open ones first.", shapes.TasksAsked, shapes.Tasks, tasks),
        Tool("swaps", "Past swaps", "Swaps, restarts and stops, newest first, with what became of each session.",
             shapes.SwapsAsked, shapes.Swaps, swaps),
        Tool("events", "Events", "What happened: the newest events, or those after an id.",
             shapes.EventsAsked, shapes.Events, events),
        Tool("explain", "Why", "The policy's last decision and why, with its verdict on each account.",
             shapes.Nothing, shapes.Explained, explain),
        Tool("add_task", "Add a task", "Put a task into a project's queue; an idle session will be given it.",
             shapes.AddTask, shapes.Added, add_task, orders=True),
        Tool("swap", "Move sessions", "Move sessions to another account; each goes on where it is, with its"
             " conversation. With dry_run nothing is moved.", shapes.SwapWanted, shapes.Done, swap,
             orders=True, destructive=True),
        Tool("pause", "Pause", "Start and move nothing until resume; everything is still watched.",
             shapes.Keyed, shapes.Done, pause, orders=True, idempotent=True),
        Tool("resume", "Resume", "Lift the pause.", shapes.Keyed, shapes.Done, resume, orders=True, idempotent=True),
    )
}  # fmt: skip

__all__ = ["TOOLS", "Answer", "Caller", "Refused", "Tool"]
