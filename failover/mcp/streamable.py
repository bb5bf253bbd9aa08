"""The MCP server at /mcp of a control plane."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from starlette.requests import Request

from failover.mcp.plane import Plane
from failover.mcp.server import Context, Rights, make_server

#: So many sessions may be open; one that was not heard of for so long is forgotten (seconds).
_SESSIONS, _IDLE = 100, 1800.0


class Endpoint:
    """An ASGI application. Host, Origin, token and size of the body were looked at before; the token counts for each
    request anew, and is passed on."""

    def __init__(self, socket: Path) -> None:
        self._plane = Plane("http://failover", socket, lambda: "")
        server = make_server(self._plane, _rights)
        self._manager = StreamableHTTPSessionManager(server, max_sessions=_SESSIONS, session_idle_timeout=_IDLE)
        self._over = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        """Make ready for requests."""
        ready = asyncio.Event()
        self._task = asyncio.create_task(self._run(ready))
        await ready.wait()

    def close(self) -> None:
        """End all sessions."""
        self._over.set()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self._manager.handle_request(scope, receive, send)

    async def _run(self, ready: asyncio.Event) -> None:
        try:
            async with self._manager.run():
                ready.set()
                await self._over.wait()
        finally:
            await self._plane.close()


def _rights(ctx: Context) -> Rights:
    request = ctx.request
    assert isinstance(request, Request)
    return Rights(request.scope["state"]["scope"] == "operate", request.headers.get("authorization", ""))
