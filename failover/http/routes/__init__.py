"""The routes for programs and people, a module per topic. Reading changes nothing; whatever is wanted is an order."""

from __future__ import annotations

from typing import Any

from litestar import Litestar, Request
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme
from litestar.plugins import PluginProtocol
from litestar.plugins.core import MsgspecDIPlugin

from failover.http.app import MAX_BODY
from failover.http.problem import Trouble
from failover.http.routes import (
    accounts,
    checkpoints,
    events,
    health,
    metrics,
    orders,
    page,
    sessions,
    status,
    swaps,
    tasks,
    usage,
)
from failover.http.routes.context import Context
from failover.http.routes.errors import HANDLERS


class Plain(Litestar):
    """The framework with msgspec alone.

    Left to itself it also loads pydantic and attrs where they happen to be installed, for models of which there are
    none here: 7 MiB. That is a method of its own, so a test holds that they stay away.
    """

    @staticmethod
    def _get_default_plugins(plugins: list[PluginProtocol]) -> list[PluginProtocol]:
        return [*plugins, MsgspecDIPlugin()]


async def _json_alone(request: Request[Any, Any, Any]) -> None:
    """Refuse what a form of another page could send."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if request.method == "POST" and kind != "application/json":
        raise Trouble(415, "send the body as Content-Type: application/json")


def make_routes(context: Context) -> Litestar:
    """Return the application behind the gate."""
    topics = (health, status, accounts, sessions, tasks, swaps, checkpoints, usage, events, orders, metrics, page)
    return Plain(
        route_handlers=[handler for topic in topics for handler in topic.handlers(context)],
        request_max_body_size=MAX_BODY,
        before_request=_json_alone,
        exception_handlers=HANDLERS,
        openapi_config=OpenAPIConfig(
            title="claude-failover",
            version="1",
            description="Accounts, sessions, swaps and tasks of a host, and orders. Errors are problem details.",
            path="/schema",
            use_handler_docstrings=True,
            render_plugins=[JsonRenderPlugin()],
            components=Components(security_schemes={"token": SecurityScheme(type="http", scheme="bearer")}),
            security=[{"token": []}],
        ),
        logging_config=None,
    )
