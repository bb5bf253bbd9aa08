"""Everything at a glance."""

from __future__ import annotations

from collections.abc import Sequence

from litestar import get
from litestar.handlers import BaseRouteHandler

from failover.http import views
from failover.http.routes.context import Context


def handlers(context: Context) -> Sequence[BaseRouteHandler]:
    """Return the routes of this topic."""

    @get("/v1/status", summary="Everything at a glance")
    async def status() -> views.StatusView:
        """Return roles, accounts, sessions, the swap under way and what the policy last decided."""
        return await context.shown("status", lambda store: views.status(context.config, store))  # type: ignore[no-any-return]

    return (status,)
