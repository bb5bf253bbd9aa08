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
from failover.http.routes.spec import MOST, Text, answers, page
from failover.store import events as stored


def handlers(context: Context) -> Sequence[BaseRouteHandler]:
    """Return the routes of this topic."""

    @get("/v1/events", tags=["events"], summary="Past events, oldest first", responses=answers(400))
    async def events(
        after: int | None = Parameter(default=None, ge=0, le=MOST, description="Those with a larger id."),
        before: int | None = Parameter(default=None, ge=0, le=MOST, description="The last ones with a smaller id."),
        topic: Text = "",
        limit: int = Parameter(default=100, ge=1, le=1000),
    ) -> Sequence[Envelope]:
        """Return events oldest first: those after an id, or the last ones before an id, or the newest. topic: a prefix
        of their types. The Link header leads on: forward from `after`, else back in time."""
        if after is not None and before is not None:
            raise Trouble(400, "after and before exclude each other; leave one out")
        look, query = context.history.look, {"topic": topic}
        if after is not None:
            found = await look(lambda store: stored.after(store, after, limit + 1, topic))
            on = ("after", lambda shown: shown[-1].id)
            return page("/v1/events", found, limit, query, on)  # type: ignore[no-any-return]
        place = MOST if before is None else before
        found = await look(lambda store: stored.before(store, place, limit + 1, topic))
        back = ("before", lambda shown: shown[-1].id)
        answer = page("/v1/events", found[::-1], limit, query, back)
        answer.content = answer.content[::-1]
        return answer  # type: ignore[no-any-return]

    @get(
        "/v1/events/stream",
        tags=["events"],
        media_type="text/event-stream",
        summary="Events as they come",
        responses=answers(400),
    )
    async def stream(
        request: Request[Any, Any, Any],
        after: int | None = Parameter(default=None, ge=0, le=MOST, description="The last id that was heard."),
        last_event_id: str | None = Parameter(
            default=None, header="Last-Event-ID", description="The last id that was heard; it counts before `after`."
        ),
        topic: Text = "",
    ) -> Stream:
        """Return server-sent events: what comes next, or first all after an id. topic: a prefix of their types.

        Each has its id, its type as `event`, and as `data` what /v1/events gives. A comment comes at least every 15 s.
        503: there are as many listeners as may be.
        """
        place = after
        if last_event_id:
            if not (last_event_id.isascii() and last_event_id.isdigit() and int(last_event_id) <= MOST):
                raise Trouble(400, "Last-Event-ID: is no id of an event; leave it out to hear what comes next")
            place = int(last_event_id)
        if context.feed.full:
            raise Trouble(503, f"{MOST_LISTENERS} listen already; try again later", {"Retry-After": "5"})
        return Stream(
            context.feed.follow(place, topic, request.scope["state"]["welcome"]),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )

    return events, stream
