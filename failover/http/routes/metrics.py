"""The pool for Prometheus."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from litestar import Request, Response, get
from litestar.handlers import BaseRouteHandler

from failover.http.routes.context import Context
from failover.http.routes.spec import answers


def handlers(context: Context) -> Sequence[BaseRouteHandler]:
    """Return the routes of this topic."""
    one_at_a_time = asyncio.Lock()

    async def scraped(accept: str, pss: bool) -> tuple[bytes, str]:
        async with one_at_a_time:
            pending = context.tally.take()
            try:
                return await asyncio.to_thread(_scrape, context, pending, accept, pss)
            except Exception:
                context.tally.add(pending)
                raise

    @get("/metrics", media_type="text/plain", tags=["metrics"], summary="For Prometheus", responses=answers(400))
    async def metrics(request: Request[Any, Any, Any], pss: bool = False) -> Response[bytes]:
        """Return all metrics, as text or, where the Accept header asks for it, as OpenMetrics. pss: with each role's
        share of memory, which takes some milliseconds more."""
        # Who scrapes may hang up; what was taken for the answer must be kept nevertheless.
        body, kind = await asyncio.shield(scraped(request.headers.get("accept", ""), pss))
        return Response(body, headers={"Content-Type": kind, "Cache-Control": "no-store"})

    return (metrics,)


def _scrape(context: Context, pending: Any, accept: str, pss: bool) -> tuple[bytes, str]:
    from failover.http.metrics import scrape  # with prometheus-client: 3 MiB that only a scraped control plane carries

    return scrape(context.config, pending, accept, pss)
