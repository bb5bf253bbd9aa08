"""Everything at a glance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from litestar import Request, get
from litestar.handlers import BaseRouteHandler

from failover.http import views
from failover.http.problem import Trouble
from failover.http.routes.context import Context
from failover.http.routes.spec import answers


def handlers(context: Context) -> Sequence[BaseRouteHandler]:
    """Return the routes of this topic."""

    @get("/v1/status", tags=["status"], summary="Everything at a glance", responses=answers(304))
    async def status(request: Request[Any, Any, Any]) -> views.StatusView:
        """Return roles, accounts, sessions, the swap under way and what the policy last decided."""
        found: views.StatusView = await context.shown(
            request, "status", lambda store: views.status(context.config, store)
        )
        return found

    @get("/v1/decision", tags=["status"], summary="What the policy last decided, and why", responses=answers(404))
    async def decision() -> views.DecisionView:
        """Return the decision that stands, with a sentence for each account; 404 before the first."""
        found = await context.reader.look(views.decision)
        if found is None:
            raise Trouble(404, "nothing was decided yet")
        return found

    return status, decision
