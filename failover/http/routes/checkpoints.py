"""What sessions were doing."""

from __future__ import annotations

from collections.abc import Sequence

from litestar import get
from litestar.handlers import BaseRouteHandler
from litestar.params import Parameter

from failover.http import views
from failover.http.problem import Trouble
from failover.http.routes.context import Context
from failover.http.routes.spec import MOST, Number, Text, answers, page


def handlers(context: Context) -> Sequence[BaseRouteHandler]:
    """Return the routes of this topic."""

    @get("/v1/checkpoints", tags=["checkpoints"], summary="Checkpoints, newest first", responses=answers(400))
    async def checkpoints(
        session: Text = "",
        limit: int = Parameter(default=50, ge=1, le=1000),
        before: int | None = Parameter(default=None, ge=0, le=MOST, description="Only those with a smaller id."),
    ) -> Sequence[views.CheckpointView]:
        """Return the newest checkpoints, of one session if it is named. What follows is in the Link header."""
        found = await context.history.look(lambda store: views.checkpoints(store, session, limit + 1, before))
        query = {"session": session}
        return page(  # type: ignore[no-any-return]
            "/v1/checkpoints", found, limit, query, ("before", lambda shown: shown[-1].id)
        )

    @get("/v1/checkpoints/{number:int}", tags=["checkpoints"], summary="One checkpoint", responses=answers(400, 404))
    async def checkpoint(number: Number) -> views.CheckpointView:
        """Return one checkpoint."""
        found = await context.history.look(lambda store: views.checkpoint(store, number))
        if found is None:
            raise Trouble(404, f"there is no checkpoint {number}")
        return found

    return checkpoints, checkpoint
