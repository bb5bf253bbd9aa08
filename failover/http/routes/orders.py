"""Orders: whatever is wanted, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec
from litestar import get, post
from litestar.handlers import BaseRouteHandler

from failover.config import Config
from failover.errors import UsageError
from failover.http import account_views
from failover.http.problem import Trouble
from failover.http.routes.context import Context
from failover.store import flags, orders, sessions
from failover.store import tasks as stored_tasks
from failover.store.db import Store

#: The longest that an account is disabled for (seconds).
_LONGEST_OFF = 3650 * 86400


class OrderRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is wanted. by: who wants it, in words for people."""

    verb: Literal[
        "swap", "launch", "stop", "restart", "unpin", "cancel", "retry", "pause", "resume", "disable", "enable"
    ]
    args: orders.Args = orders.Args()
    by: str = "HTTP"


class OrderAnswer(msgspec.Struct, frozen=True):
    """order: its number, to be followed at /v1/orders/NUMBER; 0 for what was done at once (all but the verbs of
    sessions)."""

    order: int
    sentence: str


class OrderState(msgspec.Struct, frozen=True):
    """An order and what became of it; result is null while it is open."""

    order: orders.Order
    result: orders.OrderResult | None


def handlers(context: Context) -> Sequence[BaseRouteHandler]:
    """Return the routes of this topic. Orders are written on the event loop: that is short, and nobody else writes."""
    config, store = context.config, context.store

    @post("/v1/orders", summary="Place an order")
    async def place(data: OrderRequest) -> OrderAnswer:
        """Place an order: 409 when policy refuses it now."""
        by = data.by[:80]
        if data.verb == "pause":
            with store.transaction() as tx:
                new = flags.pause(tx, store.now_ms(), by)
            return OrderAnswer(0, "paused: nothing is started or moved until resume" if new else "was paused already")
        if data.verb == "resume":
            with store.transaction() as tx:
                lifted = flags.resume(tx, by)
            return OrderAnswer(0, "resumed" if lifted else "was not paused")
        if data.verb == "disable" or data.verb == "enable":
            return OrderAnswer(0, _switch(config, store, data.verb, data.args, by))
        _check(config, store, data)
        with store.transaction() as tx:
            number = orders.place(tx, store.now_ms(), data.verb, data.args, by)
        return OrderAnswer(number, f"order {number} is placed")

    @get("/v1/orders/{number:int}", summary="An order and what became of it")
    async def order(number: int) -> OrderState:
        """Return an order and what became of it."""
        found = await context.reader.look(lambda store: _state(store, number))
        if found is None:
            raise Trouble(404, f"there is no order {number}")
        return found

    return place, order


def _state(store: Store, number: int) -> OrderState | None:
    found = orders.get(store, number)
    return OrderState(found, orders.result(store, number)) if found else None


def _switch(config: Config, store: Store, verb: str, args: orders.Args, by: str) -> str:
    """Disable or enable an account; return what that means now. It holds while paused too: it starts nothing."""
    try:
        account = config.account(args.account)
    except UsageError as error:
        raise Trouble(400, str(error)) from None
    if not 0 <= args.seconds <= _LONGEST_OFF or (args.seconds and verb == "enable"):
        raise Trouble(400, "seconds: from 0 (until it is enabled) to ten years, and for disable only")
    if verb == "enable":
        with store.transaction() as tx:
            lifted = flags.enable(tx, account.name, by)
        if not account.enabled:
            return f"{account.name} is disabled in {config.file} (enabled: false); change it there"
        return f"{account.name} is enabled" if lifted else f"{account.name} was enabled already"
    now = store.now_ms()
    until = now + int(args.seconds * 1000) if args.seconds else None
    with store.transaction() as tx:
        flags.disable(tx, account.name, now, until, by)
    return account_views.disabled_sentence(config, store, account.name)


def _check(config: Config, store: Store, wanted: OrderRequest) -> None:
    """Refuse what cannot be carried out, before it becomes an order."""
    known = {session.name for session in config.sessions} | set(sessions.placements(store))
    try:
        for name in wanted.args.sessions:
            if name not in known:
                config.session(name)
        if wanted.args.to:
            config.account(wanted.args.to)
    except UsageError as error:
        raise Trouble(400, str(error)) from None
    if wanted.verb in orders.TASK_VERBS:
        # Neither starts anything, so a pause does not stand in the way.
        if stored_tasks.get(store, wanted.args.task) is None:
            raise Trouble(400, f"there is no task {wanted.args.task}; see: claude-failover tasks list")
        return
    if wanted.args.task:
        raise Trouble(400, "task is for the verbs cancel and retry only")
    if wanted.args.dry_run and wanted.verb != "swap":
        raise Trouble(400, "dry_run is for the verb swap only")
    if (pause := flags.paused(store)) and not wanted.args.dry_run:
        detail = f"paused by {pause.by}, so nothing is started or moved; lift it with: claude-failover resume"
        raise Trouble(409, detail)
