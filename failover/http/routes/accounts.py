"""The accounts with their windows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from litestar import Request, get
from litestar.handlers import BaseRouteHandler

from failover.http import account_views
from failover.http.problem import Trouble
from failover.http.routes.context import Context
from failover.http.routes.spec import answers


def handlers(context: Context) -> Sequence[BaseRouteHandler]:
    """Return the routes of this topic."""

    @get("/v1/accounts", tags=["accounts"], summary="All accounts", responses=answers(304))
    async def accounts(request: Request[Any, Any, Any]) -> Sequence[account_views.AccountView]:
        """Return the accounts with their usage, as the configuration names them."""
        found: Sequence[account_views.AccountView] = await context.shown(
            request, "accounts", lambda store: account_views.accounts(context.config, store)
        )
        return found

    @get("/v1/accounts/{name:str}", tags=["accounts"], summary="One account", responses=answers(400, 404))
    async def account(name: str) -> account_views.AccountView:
        """Return one account with its usage, and when its windows are expected to reach their thresholds."""
        found = await context.reader.look(lambda store: account_views.accounts(context.config, store, foreseen=True))
        for one in found:
            if one.name == name:
                return one
        raise Trouble(404, f"there is no account {name!a:.80}; see: /v1/accounts")

    return accounts, account
