"""The routes for programs and people, a module per topic. Reading changes nothing; whatever is wanted is an order."""

from __future__ import annotations

from litestar import Litestar
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin

from failover.http.app import MAX_BODY
from failover.http.routes import accounts, checkpoints, events, health, metrics, orders, sessions, status, swaps, tasks
from failover.http.routes.context import Context
from failover.http.routes.errors import HANDLERS


def make_routes(context: Context) -> Litestar:
    """Return the application behind the gate."""
    topics = (health, status, accounts, sessions, tasks, swaps, checkpoints, events, orders, metrics)
    return Litestar(
        route_handlers=[handler for topic in topics for handler in topic.handlers(context)],
        request_max_body_size=MAX_BODY,
        exception_handlers=HANDLERS,
        openapi_config=OpenAPIConfig(
            title="claude-failover", version="1", path="/schema", render_plugins=[JsonRenderPlugin()]
        ),
        logging_config=None,
    )
