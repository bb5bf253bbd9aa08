"""The official package's client on both transports, and in both ways in which it can greet a server."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client

from tests.http.plane import ROOT, Plane

#: The handshake of 2025-11-25, and requests that stand alone as of 2026-07-28.
MODES = ("legacy", "auto")
#: A busy machine takes its time to load the package (seconds).
_PATIENCE = 60.0


@asynccontextmanager
async def over_http(control: Plane, token: str, mode: str = "legacy", **options: Any) -> AsyncIterator[Client]:
    """Give a client of /mcp."""
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx2.AsyncClient(headers=headers, timeout=_PATIENCE, trust_env=False) as http:
        transport = streamable_http_client(f"http://127.0.0.1:{control.port}/mcp", http_client=http)
        async with Client(transport, mode=mode, **options) as client:
            yield client


@asynccontextmanager
async def over_stdio(control: Plane, *arguments: str, mode: str = "legacy", **options: Any) -> AsyncIterator[Client]:
    """Give a client of `claude-failover mcp`."""
    program = ["-c", "from failover.cli import main; main()", "mcp", *arguments]
    server = StdioServerParameters(command=sys.executable, args=program, env=control.environ, cwd=str(ROOT))
    async with Client(stdio_client(server), mode=mode, **options) as client:
        yield client


def text(result: Any) -> str:
    """Return what a tool's answer says in words."""
    return str(result.content[0].text)
