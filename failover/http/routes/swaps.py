"""Swaps, restarts and stops."""

from __future__ import annotations

from collections.abc import Sequence

from litestar import get
from litestar.handlers import BaseRouteHandler
from litestar.params import Parameter

from failover.http import views
from failover.http.problem import Trouble
from failover.http.routes.context import Context
from failover.http.routes.spec import MOST, Number, answers, page
from failover.http.swap_views import SwapDetail, swap_detail


def handlers(context: Context) -> Sequence[BaseRouteHandler]:
    """Return the routes of this topic."""

    @get("/v1/swaps", tags=["swaps"], summary="Swaps, newest first", responses=answers(400))
    async def swaps(
        limit: int = Parameter(default=20, ge=1, le=1000),
        before: int | None = Parameter(default=None, ge=0, le=MOST, description="Only those with a smaller id."),
    ) -> Sequence[views.SwapView]:
        """Return swaps, restarts and stops, newest first. What follows is in the Link header."""
        found = await context.history.look(lambda store: views.swap_views(store, limit + 1, before))
        return page("/v1/swaps", found, limit, {}, ("before", lambda shown: shown[-1].id))  # type: ignore[no-any-return]

    @get("/v1/swaps/{number:int}", tags=["swaps"], summary="One swap in full", responses=answers(400, 404))
    async def swap(number: Number) -> SwapDetail:
        """Return a swap with its moves, their journal and how long each step took."""
        found = await context.history.look(lambda store: swap_detail(store, number))
        if found is None:
            raise Trouble(404, f"there is no swap {number}")
        return found

    return swaps, swap
