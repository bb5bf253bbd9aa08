"""Telling those who subscribed that a resource changed, fed by the control plane's event stream.

The protocol knows two ways: a subscription of a session (resources/subscribe, through 2025-11-25) and a stream that a
client listens to (subscriptions/listen, 2026-07-28). Both are told the same.
"""

from __future__ import annotations

import contextlib
import logging
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import anyio
import msgspec
from mcp.server.context import ServerRequestContext
from mcp.server.session import ServerSession
from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler, ResourceUpdated
from mcp.shared.subscriptions import ServerEvent
from mcp_types import SubscriptionsListenRequestParams, SubscriptionsListenResult

from failover.mcp.plane import Plane, Refused
from failover.mcp.resources import changed_by

#: Changes within so many seconds are told as one; a stream that ended is opened again after so many.
_GATHER, _AGAIN = 0.1, 2.0
#: So many sessions may have subscriptions; the one that subscribed longest ago is forgotten first. Nobody tells when a
#: session has gone.
_SESSIONS = 200


class _Numbered(msgspec.Struct, frozen=True):
    id: int


class Notices:
    """Subscriptions, and the one listener to the event stream, which is there while anybody has subscribed."""

    def __init__(self, plane: Plane) -> None:
        self._plane = plane
        self._wanted, self._news = anyio.Event(), anyio.Event()
        self._last: int | None = None
        self._changed: set[str] = set()
        self._sessions: OrderedDict[str, dict[str, ServerSession]] = OrderedDict()
        self._bus = _Bus(self._wake)
        self._listen = ListenHandler(self._bus, max_subscriptions=_SESSIONS)

    async def subscribe(self, who: str, session: ServerSession, uri: str) -> None:
        """Tell a session of a resource's changes from now on. who: its id, empty where there is only one."""
        await self._begin()
        self._sessions.setdefault(who, {})[uri] = session
        self._sessions.move_to_end(who)
        while len(self._sessions) > _SESSIONS:
            self._sessions.popitem(last=False)
        self._wake()

    def unsubscribe(self, who: str, uri: str) -> None:
        """Tell a session no more."""
        self._sessions.get(who, {}).pop(uri, None)
        if not self._sessions.get(who):
            self._sessions.pop(who, None)

    async def listen(
        self, ctx: ServerRequestContext[Any, Any], params: SubscriptionsListenRequestParams
    ) -> SubscriptionsListenResult:
        """Serve one stream of changes, from now on."""
        await self._begin()
        return await self._listen(ctx, params)

    async def run(self) -> None:
        """Follow the events while anybody has subscribed; until cancelled."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._tell)
            while True:
                if not self._anybody():
                    self._last, self._wanted = None, anyio.Event()
                    await self._wanted.wait()
                try:
                    await self._follow()
                except Refused as error:
                    logging.getLogger("mcp").warning("%s; trying again", error)
                    await anyio.sleep(_AGAIN)

    async def _begin(self) -> None:
        """Note how far the events are before the first one is to be told of: the stream opens a little later."""
        if self._last is None:
            with contextlib.suppress(Refused):
                newest: list[_Numbered] = await self._plane.get("/v1/events", list[_Numbered], limit=1)
                self._last = newest[-1].id if newest else 0

    async def _follow(self) -> None:
        """Note what changes until nobody wants to know."""
        async with contextlib.aclosing(self._plane.events(self._last)) as rungs:
            async for rung in rungs:
                if not self._anybody():
                    return
                if rung is not None:
                    self._last = rung.id
                    if new := changed_by(rung.type):
                        self._changed |= new
                        self._news.set()

    async def _tell(self) -> None:
        """Tell of what changed; changes that come fast are gathered."""
        while True:
            await self._news.wait()
            self._news = anyio.Event()
            await anyio.sleep(_GATHER)
            uris, self._changed = sorted(self._changed), set()
            for uri in uris:
                for who, wanted in tuple(self._sessions.items()):
                    if uri in wanted:
                        try:
                            await wanted[uri].send_resource_updated(uri)
                        except (anyio.ClosedResourceError, anyio.BrokenResourceError):
                            self._sessions.pop(who, None)
                await self._bus.publish(ResourceUpdated(uri))

    def _anybody(self) -> bool:
        return bool(self._sessions) or self._bus.listeners > 0

    def _wake(self) -> None:
        self._wanted.set()


class _Bus(InMemorySubscriptionBus):
    """The package's own, which tells when somebody listens."""

    def __init__(self, wake: Callable[[], None]) -> None:
        super().__init__()
        self._wake, self.listeners = wake, 0

    def subscribe(self, listener: Callable[[ServerEvent], None]) -> Callable[[], None]:
        """Register `listener`, and return what takes it away again."""
        end = super().subscribe(listener)
        self.listeners += 1
        self._wake()
        over = False

        def unsubscribe() -> None:
            nonlocal over
            end()
            self.listeners -= not over
            over = True

        return unsubscribe
