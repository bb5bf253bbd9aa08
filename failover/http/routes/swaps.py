"""Swaps, restarts and stops."""

from __future__ import annotations

from collections.abc import Sequence

from litestar import get
from litestar.handlers import BaseRouteHandler
from litestar.params import Parameter

from failover.http import views
from failover.http.routes.context import Context


def handlers(context: Context) -> Sequence[BaseRouteHandler]:
    """Return the routes of this topic."""

    @get("/v1/swaps", summary="Swaps, newest first")
    async def swaps(limit: int = Parameter(default=20, ge=1, le=1000)) -> Sequence[views.SwapView]:
        """Return the newest swaps, restarts and stops, newest first."""
        return await context.reader.look(lambda store: views.swap_views(store, limit))

    return (swaps,)
