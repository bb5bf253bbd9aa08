"""What happened, and what happens now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from litestar import Request, get
from litestar.handlers import BaseRouteHandler
from litestar.params import Parameter
from litestar.response import Stream

from failover.events import Envelope
from failover.http.feed import MOST_LISTENERS
from failover.http.problem import Trouble
from failover.http.routes.context import Context
from failover.store import events as stored

#: The largest id that SQLite has.
_MOST = 2**63 - 1


def handlers(context: Context) -> Sequence[BaseRouteHandler]:
    """Return the routes of this topic."""

    @get("/v1/events", summary="Past events")
    async def events(
        after: int | None = Parameter(default=None, ge=0, le=_MOST),
        topic: str = "",
        limit: int = Parameter(default=100, ge=1, le=1000),
    ) -> Sequence[Envelope]:
        """Return events oldest first: those after an id, or without one the newest. topic: a prefix of their types."""
        if after is None:
            return await context.reader.look(lambda store: stored.latest(store, limit, topic))
        return await context.reader.look(lambda store: stored.after(store, after, limit, topic))

    @get("/v1/events/stream", media_type="text/event-stream", summary="Events as they come")
    async def stream(
        request: Request[Any, Any, Any],
        after: int | None = Parameter(default=None, ge=0, le=_MOST),
        last_event_id: str | None = Parameter(
            default=None, header="Last-Event-ID", description="The last id that was heard; it counts before `after`."
        ),
        topic: str = "",
    ) -> Stream:
        """Return server-sent events: what comes next, or first all after an id. topic: a prefix of their types.

        Each has its id, its type as `event`, and as `data` what /v1/events gives. A comment comes at least every 15 s.
        503: there are as many listeners as may be.
        """
        place = after
        if last_event_id:
            if not (last_event_id.isascii() and last_event_id.isdigit() and int(last_event_id) <= _MOST):
                raise Trouble(400, "Last-Event-ID: is no id of an event; leave it out to hear what comes next")
            place = int(last_event_id)
        if context.feed.full:
            raise Trouble(503, f"{MOST_LISTENERS} listen already; try again later", {"Retry-After": "5"})
        welcome = request.scope["state"]["welcome"]
        return Stream(
            context.feed.follow(place, topic, welcome),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )

    return events, stream
