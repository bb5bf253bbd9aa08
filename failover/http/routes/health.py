"""Whether we are there, and whether all of us are."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from litestar import Response, get
from litestar.handlers import BaseRouteHandler
from litestar.openapi.datastructures import ResponseSpec

from failover.http import views
from failover.http.routes.context import Context
from failover.http.routes.spec import answers


class Health(msgspec.Struct, frozen=True):
    """ok, and what is missing for it."""

    ok: bool
    missing: tuple[str, ...] = ()


_READY = {**answers(token=False), 503: ResponseSpec(Health, description="A role does not run, or the store is away")}


def handlers(context: Context) -> Sequence[BaseRouteHandler]:
    """Return the routes of this topic."""

    @get(
        "/healthz",
        tags=["health"],
        summary="Does the control plane answer?",
        security=[{}],
        responses=answers(token=False),
    )
    async def healthz() -> Health:
        """Say that the control plane answers. No token is needed."""
        return Health(True)

    @get("/readyz", tags=["health"], summary="Does every role run?", security=[{}], responses=_READY)
    async def readyz() -> Response[Health]:
        """Say whether every role runs (503: not yet). No token is needed."""
        roles = await context.reader.look(views.roles)
        missing = tuple(view.role for view in roles if not view.running)
        return Response(Health(not missing, missing), status_code=503 if missing else 200)

    return healthz, readyz
