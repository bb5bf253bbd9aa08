"""The accounts with their windows."""

from __future__ import annotations

from collections.abc import Sequence

from litestar import get
from litestar.handlers import BaseRouteHandler

from failover.http import account_views
from failover.http.routes.context import Context


def handlers(context: Context) -> Sequence[BaseRouteHandler]:
    """Return the routes of this topic."""

    @get("/v1/accounts", summary="All accounts")
    async def accounts() -> Sequence[account_views.AccountView]:
        """Return the accounts with their usage, as the configuration names them."""
        return await context.shown(  # type: ignore[no-any-return]
            "accounts", lambda store: account_views.accounts(context.config, store)
        )

    return (accounts,)
