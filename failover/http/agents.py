"""The door for agents: MCP over streamable HTTP at /mcp. Its package is loaded at the first request, if it is there."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from failover.http.problem import send_problem
from failover.mcp import INSTALL

if TYPE_CHECKING:
    from failover.mcp.streamable import Endpoint

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

#: How often a request that lasts is asked whether its token still counts (seconds).
_LOOK = 2.0


class Agents:
    """Leads requests to the MCP server, which asks this control plane through its own Unix socket, as any client would:
    there is one way to the pool, with one set of checks. socket: that socket."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket
        self._opening: asyncio.Task[Endpoint | str] | None = None
        self._asked: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._opening is None:
            self._opening = asyncio.create_task(self._open())
        endpoint = await asyncio.shield(self._opening)
        if isinstance(endpoint, str):
            self._opening = None  # it may be put in order meanwhile
            await send_problem(send, 501, endpoint, close=False)
            return
        task = asyncio.create_task(endpoint(scope, receive, send))
        self._asked.add(task)
        try:
            while not task.done():
                await asyncio.wait({task}, timeout=_LOOK)
                if not scope["state"]["welcome"]():
                    break
        finally:
            self._asked.discard(task)
            if not task.done():
                task.cancel()
        if task.done() and not task.cancelled():
            task.result()

    def close(self) -> None:
        """Let everybody go: a stream would keep the control plane from ending."""
        for task in self._asked:
            task.cancel()
        if self._opening is not None and self._opening.done():
            endpoint = self._opening.result()
            if not isinstance(endpoint, str):
                endpoint.close()

    async def _open(self) -> Endpoint | str:
        """Return the MCP server, or in words why there is none."""
        endpoint = await asyncio.to_thread(self._load)
        if not isinstance(endpoint, str):
            await endpoint.begin()
        return endpoint

    def _load(self) -> Endpoint | str:
        # In a thread: it takes a second of CPU, and no hook may wait for it.
        try:
            from failover.mcp.streamable import Endpoint
        except ModuleNotFoundError as error:
            return f"{INSTALL} ({error}); then: claude-failover down, and up"
        except Exception as error:  # a package that is broken, of another release, or half installed
            logging.getLogger("control-plane").exception("the package for MCP cannot be loaded")
            return f"the package for MCP cannot be loaded ({type(error).__name__}: {error}); install it anew"
        return Endpoint(self._socket)
