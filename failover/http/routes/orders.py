"""Orders: whatever is wanted, and what became of it."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import time
from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
from litestar import Response, get, post
from litestar.handlers import BaseRouteHandler
from litestar.openapi.spec import Example
from litestar.params import Body, Parameter

from failover.config import Config
from failover.http import account_views
from failover.http.problem import Trouble
from failover.http.routes.context import Context
from failover.http.routes.spec import Number, answers
from failover.store import flags, orders, sessions
from failover.store import tasks as stored_tasks
from failover.store.db import Store, Transaction

#: The longest that an account is disabled for (seconds).
_LONGEST_OFF = 3650 * 86400
#: An order that is waited for is looked at when the bus told of something, and at least and at most this often (s).
_LOOK_EVERY, _REST = 1.0, 0.1
_EXAMPLES = [
    Example(summary="Move all sessions to an account", value={"verb": "swap", "args": {"to": "backup"}, "by": "ann"}),
    Example(summary="Start and move nothing", value={"verb": "pause", "by": "ann"}),
]


class OrderRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is wanted. by: who wants it, in words for people."""

    verb: Literal[
        "swap", "launch", "stop", "restart", "restore", "adopt", "unpin", "cancel", "retry", "sweep", "pause",
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


def handlers(context: Context) -> Sequence[BaseRouteHandler]:
    """Return the routes of this topic. Orders are written on the event loop: that is short, and nobody else writes."""

    @post("/v1/orders", tags=["orders"], summary="Place an order", responses=answers(400, 408, 409, 413, 415, 422))
    async def place(
        data: Annotated[OrderRequest, Body(examples=_EXAMPLES)],
        key: str | None = Parameter(
            default=None,
            header="Idempotency-Key",
            pattern=r"^[!-~]{1,255}$",
            description="Yours to choose, 1 to 255 printable characters. Sent again within a day, the order is not"
            " placed a second time: the answer is that of the first time.",
        ),
    ) -> OrderAnswer:
        """Place an order. 409: policy refuses it now. 422: the key was used for another order."""
        answer = _placed(context, data, key)
        headers = {"Location": f"/v1/orders/{answer.order}"} if answer.order else {}
        return Response(answer, headers=headers)  # type: ignore[return-value]

    @get("/v1/orders/{number:int}", tags=["orders"], summary="What became of an order", responses=answers(400, 404))
    async def order(
        number: Number,
        wait: float = Parameter(default=0.0, ge=0, le=60, description="Seconds that a result is waited for."),
    ) -> OrderState:
        """Return an order and what became of it. wait: as long as it is open, the answer waits so long for a result."""
        deadline = time.monotonic() + wait
        while True:
            rung = context.feed.bell()
            found = await context.reader.look(lambda store: _state(store, number))
            if found is None:
                raise Trouble(404, f"there is no order {number}")
            left = deadline - time.monotonic()
            if found.result is not None or left <= 0 or context.feed.closing:
                return found
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(left, _LOOK_EVERY)):
                    await rung.wait()
            await asyncio.sleep(min(max(left, 0), _REST))

    return place, order


def _state(store: Store, number: int) -> OrderState | None:
    found = orders.get(store, number)
    return OrderState(found, orders.result(store, number)) if found else None


def _placed(context: Context, wanted: OrderRequest, key: str | None) -> OrderAnswer:
    """Place an order, once for its key; both stand in the store together or not at all."""
    store = context.store
    digest = hashlib.blake2b(msgspec.json.encode(wanted), digest_size=16).hexdigest()
    with store.transaction() as tx:
        if key and (kept := orders.kept_answer(store, key)):
            if kept.request != digest:
                raise Trouble(422, f"the key {key[:40]} was used for another order; take a new one")
            return msgspec.json.decode(kept.answer, type=OrderAnswer)
        answer = _carry_out(context.config, store, tx, wanted)
        if key:
            orders.keep_answer(tx, key, store.now_ms(), orders.KeptAnswer(digest, msgspec.json.encode(answer).decode()))
    return answer


def _carry_out(config: Config, store: Store, tx: Transaction, wanted: OrderRequest) -> OrderAnswer:
    by = wanted.by[:80]
    match wanted.verb:
        case "pause":
            new = flags.pause(tx, store.now_ms(), by)
            return OrderAnswer(0, "paused: nothing is started or moved until resume" if new else "was paused already")
        case "resume":
            return OrderAnswer(0, "resumed" if flags.resume(tx, by) else "was not paused")
        case "disable" | "enable":
            return OrderAnswer(0, _switch(config, store, tx, wanted.verb, wanted.args, by))
        case verb:
            _check(config, store, wanted)
            number = orders.place(tx, store.now_ms(), verb, wanted.args, by)
            return OrderAnswer(number, f"order {number} is placed")


def _switch(config: Config, store: Store, tx: Transaction, verb: str, args: orders.Args, by: str) -> str:
    """Disable or enable an account; return what that means now. It holds while paused too: it starts nothing."""
    account = config.account(args.account)
    if not 0 <= args.seconds <= _LONGEST_OFF or (args.seconds and verb == "enable"):
        raise Trouble(400, "seconds: from 0 (until it is enabled) to ten years, and for disable only")
    if verb == "enable":
        lifted = flags.enable(tx, account.name, by)
        if not account.enabled:
            return f"{account.name} is disabled in {config.file} (enabled: false); change it there"
        return f"{account.name} is enabled" if lifted else f"{account.name} was enabled already"
    now = store.now_ms()
    until = now + int(args.seconds * 1000) if args.seconds else None
    flags.disable(tx, account.name, now, until, by)
    return account_views.disabled_sentence(config, store, account.name)


def _check(config: Config, store: Store, wanted: OrderRequest) -> None:
    """Refuse what cannot be carried out, before it becomes an order."""
    known = {session.name for session in config.sessions} | set(sessions.placements(store))
    for name in wanted.args.sessions:
        if name not in known:
            config.session(name)
    if wanted.args.to:
        config.account(wanted.args.to)
    if wanted.verb in orders.TASK_VERBS:
        # Neither starts anything, so a pause does not stand in the way.
        if stored_tasks.get(store, wanted.args.task) is None:
            raise Trouble(400, f"there is no task {wanted.args.task}; see: claude-failover tasks list")
        return
    if wanted.args.task:
        raise Trouble(400, "task is for the verbs cancel and retry only")
    if wanted.args.dry_run and wanted.verb not in ("swap", "restore", "adopt"):
        raise Trouble(400, "dry_run is for the verbs swap, restore and adopt only")
    if wanted.verb == "sweep":
        if wanted.args != orders.Args():
            raise Trouble(400, "sweep takes no arguments")
        return  # it starts and moves nothing
    if wanted.verb == "adopt":
        return  # it starts and moves nothing
    if (pause := flags.paused(store)) and not wanted.args.dry_run:
        detail = f"paused by {pause.by}, so nothing is started or moved; lift it with: claude-failover resume"
        raise Trouble(409, detail)
