"""The MCP server on standard input and output, for a client on this host that starts it."""

from __future__ import annotations

from mcp.server.stdio import stdio_server

from failover.mcp.plane import Plane
from failover.mcp.server import Rights, make_server


async def serve(plane: Plane, *, orders: bool) -> None:
    """Serve until standard input ends. orders: show and take them; the control plane looks at the token in any case."""
    may = Rights(orders)
    server = make_server(plane, lambda ctx: may)
    try:
        async with stdio_server() as (read, write):
            await server.run(read, write, server.create_initialization_options())
    finally:
        await plane.close()
