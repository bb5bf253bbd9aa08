"""The sessions."""

from __future__ import annotations

from collections.abc import Sequence

from litestar import get
from litestar.handlers import BaseRouteHandler

from failover.http import views
from failover.http.routes.context import Context


def handlers(context: Context) -> Sequence[BaseRouteHandler]:
    """Return the routes of this topic."""

    @get("/v1/sessions", summary="All sessions")
    async def sessions() -> Sequence[views.SessionView]:
        """Return the sessions: the configured ones in their order, then those that still run."""
        return await context.shown(  # type: ignore[no-any-return]
            "sessions", lambda store: views.session_views(context.config, store)
        )

    return (sessions,)
