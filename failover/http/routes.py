"""The routes for programs and people. Reading changes nothing; whatever is wanted is an order, by POST."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import msgspec
from litestar import Litestar, Request, Response, get, post
from litestar.exceptions import ClientException, HTTPException, NotFoundException, ValidationException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.params import Parameter

from failover.config import Config
from failover.errors import StoreError, UsageError
from failover.events import Envelope
from failover.http import account_views, views
from failover.http.app import MAX_BODY
from failover.store import events, flags, orders, sessions
from failover.store import tasks as stored_tasks
from failover.store.db import Store

#: The longest that an account is disabled for (seconds).
_LONGEST_OFF = 3650 * 86400


class OrderRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is wanted. by: who wants it, in words for people."""

    verb: Literal[
        "swap", "launch", "stop", "restart", "restore", "unpin", "cancel", "retry", "sweep", "pause",
        "resume", "disable", "enable",
    ]  # fmt: skip
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


class Health(msgspec.Struct, frozen=True):
    """ok, and what is missing for it."""

    ok: bool
    missing: tuple[str, ...] = ()


def make_routes(config: Config, store: Store) -> Litestar:
    """Return the application behind the gate. Each handler's store work is short, so none needs a thread."""

    @get("/healthz", sync_to_thread=False)
    def healthz() -> Health:
        """Say that the control plane answers."""
        return Health(True)

    @get("/readyz", sync_to_thread=False)
    def readyz() -> Response[Health]:
        """Say whether every role runs (503: not yet)."""
        missing = tuple(view.role for view in views.roles(store) if not view.running)
        return Response(Health(not missing, missing), status_code=503 if missing else 200)

    @get("/v1/status", sync_to_thread=False)
    def status() -> views.StatusView:
        """Return everything at a glance."""
        return views.status(config, store)

    @get("/v1/accounts", sync_to_thread=False)
    def accounts() -> Sequence[account_views.AccountView]:
        """Return the accounts with their usage."""
        return account_views.accounts(config, store)

    @get("/v1/sessions", sync_to_thread=False)
    def session_list() -> Sequence[views.SessionView]:
        """Return the sessions."""
        return views.session_views(config, store)

    @get("/v1/tasks", sync_to_thread=False)
    def tasks(limit: int = Parameter(default=200, ge=1, le=10_000)) -> Sequence[views.TaskView]:
        """Return tasks, open ones first."""
        return views.tasks(store, limit)

    @get("/v1/swaps", sync_to_thread=False)
    def swap_list(limit: int = Parameter(default=20, ge=1, le=1000)) -> Sequence[views.SwapView]:
        """Return the newest swaps, newest first."""
        return views.swap_views(store, limit)

    @get("/v1/checkpoints", sync_to_thread=False)
    def checkpoints(
        session: str = "", limit: int = Parameter(default=50, ge=1, le=1000)
    ) -> Sequence[views.CheckpointView]:
        """Return the newest checkpoints, newest first."""
        return views.checkpoints(store, session, limit)

    @get("/v1/events", sync_to_thread=False)
    def event_list(
        after: int | None = None, topic: str = "", limit: int = Parameter(default=100, ge=1, le=1000)
    ) -> Sequence[Envelope]:
        """Return events oldest first: those after an id, or without one the newest. topic: a prefix."""
        if after is None:
            return events.latest(store, limit, topic)
        return events.after(store, after, limit, topic)

    @post("/v1/orders", sync_to_thread=False)
    def place(data: OrderRequest) -> OrderAnswer:
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

    @get("/v1/tasks/{number:int}", sync_to_thread=False)
    def task(number: int) -> views.TaskView:
        """Return one task with its history."""
        found = views.task(store, number)
        if found is None:
            raise NotFoundException(f"there is no task {number}")
        return found

    @get("/v1/orders/{number:int}", sync_to_thread=False)
    def order(number: int) -> OrderState:
        """Return an order and what became of it."""
        found = orders.get(store, number)
        if found is None:
            raise NotFoundException(f"there is no order {number}")
        return OrderState(found, orders.result(store, number))

    return Litestar(
        route_handlers=[
            healthz, readyz, status, accounts, session_list, tasks, task, swap_list, checkpoints, event_list, place,
            order,
        ],
        request_max_body_size=MAX_BODY,
        exception_handlers={ValidationException: _in_words, RecursionError: _too_deep, StoreError: _no_store},
        openapi_config=OpenAPIConfig(
            title="claude-failover", version="1", path="/schema", render_plugins=[JsonRenderPlugin()]
        ),
        logging_config=None,
    )  # fmt: skip


def _switch(config: Config, store: Store, verb: str, args: orders.Args, by: str) -> str:
    """Disable or enable an account; return what that means now. It holds while paused too: it starts nothing."""
    try:
        account = config.account(args.account)
    except UsageError as error:
        raise ClientException(str(error)) from None
    if not 0 <= args.seconds <= _LONGEST_OFF or (args.seconds and verb == "enable"):
        raise ClientException("seconds: from 0 (until it is enabled) to ten years, and for disable only")
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
        raise ClientException(str(error)) from None
    if wanted.verb in orders.TASK_VERBS:
        # Neither starts anything, so a pause does not stand in the way.
        if stored_tasks.get(store, wanted.args.task) is None:
            raise ClientException(f"there is no task {wanted.args.task}; see: claude-failover tasks list")
        return
    if wanted.args.task:
        raise ClientException("task is for the verbs cancel and retry only")
    if wanted.args.dry_run and wanted.verb not in ("swap", "restore"):
        raise ClientException("dry_run is for the verbs swap and restore only")
    if wanted.verb == "sweep":
        if wanted.args != orders.Args():
            raise ClientException("sweep takes no arguments")
        return  # it starts and moves nothing
    if (pause := flags.paused(store)) and not wanted.args.dry_run:
        detail = f"paused by {pause.by}, so nothing is started or moved; lift it with: claude-failover resume"
        raise HTTPException(status_code=409, detail=detail)


def _in_words(request: Request[Any, Any, Any], error: ValidationException) -> Response[dict[str, Any]]:
    """Say in the answer what is wrong with the request; the framework's own answer hides it in a list."""
    parts = [
        f"{part.get('key', 'body')}: {part.get('message', '')}" if isinstance(part, dict) else str(part)
        for part in (error.extra if isinstance(error.extra, list) else [])
    ]
    detail = "; ".join(parts) or error.detail
    return Response({"status_code": 400, "detail": detail}, status_code=400, media_type="application/json")


def _too_deep(request: Request[Any, Any, Any], error: RecursionError) -> Response[dict[str, Any]]:
    """Answer a body that is nested too deep; msgspec raises no error of its own for it."""
    return Response(
        {"status_code": 400, "detail": "the body is nested too deep"}, status_code=400, media_type="application/json"
    )


def _no_store(request: Request[Any, Any, Any], error: StoreError) -> Response[dict[str, Any]]:
    """Say what the store's trouble is; it is the host's, and not the caller's."""
    return Response({"status_code": 503, "detail": str(error)}, status_code=503, media_type="application/json")
