"""What sessions were doing."""

from __future__ import annotations

from collections.abc import Sequence

from litestar import get
from litestar.handlers import BaseRouteHandler
from litestar.params import Parameter

from failover.http import views
from failover.http.routes.context import Context


def handlers(context: Context) -> Sequence[BaseRouteHandler]:
    """Return the routes of this topic."""

    @get("/v1/checkpoints", summary="Checkpoints, newest first")
    async def checkpoints(
        session: str = "", limit: int = Parameter(default=50, ge=1, le=1000)
    ) -> Sequence[views.CheckpointView]:
        """Return the newest checkpoints, newest first; of one session if it is named."""
        return await context.reader.look(lambda store: views.checkpoints(store, session, limit))

    return (checkpoints,)
