"""The ASGI application: the hooks' short way in, the guard of the TCP address, and behind them the routes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any

import msgspec

from failover.claude.hooks import MAX_BYTES as MAX_HOOK
from failover.errors import StoreError, UsageError
from failover.http.auth import Guard
from failover.http.entrance import Entrance, sender

if TYPE_CHECKING:
    from litestar import Litestar

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

#: A larger body is refused (bytes); only hooks may be larger, since one carries the whole output of a tool.
MAX_BODY = 4 * 1024 * 1024
#: A body that takes longer to arrive is given up (seconds).
_BODY_WITHIN = 10.0


class _TooLarge(Exception):
    pass


class Gate:
    """Leads each request to where it belongs. guard None: nothing is served on TCP.

    make_routes: called at the first request that is no hook. The framework takes half a second of CPU and 8 MB, and
    many a control plane is never asked anything, so the start does without it.
    """

    def __init__(self, entrance: Entrance, make_routes: Callable[[], Litestar], guard: Guard | None) -> None:
        self._entrance, self._make_routes, self._guard = entrance, make_routes, guard
        self._routes: asyncio.Future[Litestar] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        path = scope["path"]
        if _on_unix_socket(scope):
            if path in ("/hook", "/statusline"):
                await self._take(scope, receive, send)
                return
        else:
            if self._guard is None:
                await _answer(send, 503, "nothing is served here")
                return
            if objection := self._guard.objection(path, _headers(scope)):
                await _answer(send, *objection)
                return
            if path in ("/hook", "/statusline"):
                await _answer(send, 404, "hooks come in by the Unix socket only")
                return
        if self._routes is None:
            # In a thread, so that no hook waits for it.
            self._routes = asyncio.ensure_future(asyncio.to_thread(self._make_routes))
        routes = await asyncio.shield(self._routes)
        await routes(scope, receive, send)  # type: ignore[arg-type]

    async def _take(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "POST":
            await _answer(send, 405, "POST only")
            return
        try:
            who = sender(scope["query_string"])
            async with asyncio.timeout(_BODY_WITHIN):
                body = await _body(receive, MAX_HOOK if scope["path"] == "/hook" else MAX_BODY)
            if scope["path"] == "/statusline":
                self._entrance.statusline(who, body)
            else:
                await self._hook(who, body, receive)
        except _TooLarge as error:
            await _answer(send, 413, f"the body is over the limit of {error} bytes")
        except TimeoutError:
            await _answer(send, 408, f"the body did not arrive within {_BODY_WITHIN:.0f} s")
        except UsageError as error:
            await _answer(send, 400, str(error))
        except StoreError as error:
            await _answer(send, 503, str(error))
        except ConnectionResetError:
            pass
        else:
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body", "body": b""})

    async def _hook(self, who: Any, body: bytes, receive: Receive) -> None:
        gone = asyncio.ensure_future(_gone(receive))
        try:
            await self._entrance.hook(who, body, gone)
        finally:
            gone.cancel()


def _on_unix_socket(scope: Scope) -> bool:
    """Tell how a request came. What is not certainly the Unix socket is treated as TCP."""
    server = scope.get("server")
    return server is None or server[1] is None


def _headers(scope: Scope) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    for name, value in scope["headers"]:
        # A header that is there twice is not one that a check of the first would speak for.
        found[name] = value if name not in found else b""
    return found


async def _body(receive: Receive, limit: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionResetError
        part = message.get("body", b"")
        size += len(part)
        if size > limit:
            raise _TooLarge(limit)
        parts.append(part)
        if not message.get("more_body"):
            return b"".join(parts)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _answer(send: Send, status: int, detail: str) -> None:
    body = msgspec.json.encode({"status_code": status, "detail": detail})
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
