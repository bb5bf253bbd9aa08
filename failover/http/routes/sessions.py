"""The sessions."""

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

    @get("/v1/sessions", tags=["sessions"], summary="All sessions", responses=answers(304))
    async def sessions(request: Request[Any, Any, Any]) -> Sequence[views.SessionView]:
        """Return the sessions: the configured ones in their order, then those that still run."""
        found: Sequence[views.SessionView] = await context.shown(
            request, "sessions", lambda store: views.session_views(context.config, store)
        )
        return found

    @get("/v1/sessions/{name:str}", tags=["sessions"], summary="One session", responses=answers(400, 404))
    async def session(name: str) -> views.SessionView:
        """Return one session as configured, placed and last seen."""
        for one in await context.reader.look(lambda store: views.session_views(context.config, store)):
            if one.name == name:
                return one
        raise Trouble(404, f"there is no session {name!a:.80}; see: /v1/sessions")

    return sessions, session
