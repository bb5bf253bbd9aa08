"""The ASGI application: the hooks' short way in, the guard of the TCP address, and behind them the routes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any

from failover.claude.hooks import MAX_BYTES as MAX_HOOK
from failover.errors import StoreError, UsageError
from failover.http.agents import Agents
from failover.http.auth import Guard, Keys
from failover.http.auth import Scope as Granted
from failover.http.entrance import Entrance, sender
from failover.http.problem import send_problem

if TYPE_CHECKING:
    from litestar import Litestar

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

#: A larger body is refused (bytes); only hooks may be larger, since one carries the whole output of a tool.
MAX_BODY = 1024 * 1024
#: The longest head of a request (bytes), without its first line.
_MAX_HEAD = 32 * 1024
#: A body that takes longer to arrive is given up (seconds).
_BODY_WITHIN = 10.0
_HOOKS = ("/hook", "/statusline")
#: What needs no token: it tells nothing but that we are here, or is the page, which holds no data.
_OPEN_ROUTES = frozenset({"/", "/healthz", "/readyz"})
_OPEN_FOLDER = "/assets/"
#: Answers without an end; a HEAD of one would wait for it.
_ENDLESS = frozenset({"/v1/events/stream", "/mcp"})
#: It reads by POST too, and looks at the scope itself.
_OWN_SCOPES = "/mcp/"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_METHODS = _SAFE | {"POST", "PUT", "PATCH", "DELETE"}


class _TooLarge(Exception):
    pass


class Gate:
    """Leads each request to where it belongs. guard None: nothing is served on TCP.

    To the routes it gives `scope["state"]["scope"]`: read or operate, empty where no token was needed and none given;
    and `scope["state"]["welcome"]`, which says whether that still holds, for answers that last.

    make_routes: called at the first request that is no hook. The framework takes half a second of CPU and 8 MB, and
    many a control plane is never asked anything, so the start does without it.
    """

    def __init__(
        self,
        entrance: Entrance,
        make_routes: Callable[[], Litestar],
        keys: Keys,
        guard: Guard | None,
        agents: Agents,
    ) -> None:
        self._entrance, self._make_routes, self._keys, self._guard = entrance, make_routes, keys, guard
        self._agents = agents
        self._routes: asyncio.Future[Litestar] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        path, local, headers = scope["path"], _on_unix_socket(scope), _headers(scope)
        if sum(len(name) + len(value) for name, value in scope["headers"]) > _MAX_HEAD:
            await send_problem(send, 431, f"the head of the request is over the limit of {_MAX_HEAD} bytes")
            return
        if b"transfer-encoding" in headers and b"content-length" in headers:
            # Of two ways to tell where a body ends, somebody between us and the sender may have believed the other.
            await send_problem(send, 400, "both Content-Length and Transfer-Encoding are given; leave one out")
            return
        if local and path in _HOOKS:
            await self._take(scope, receive, send)
            return
        if not local:
            if self._guard is None:
                await send_problem(send, 503, "nothing is served here")
                return
            if objection := self._guard.objection(headers):
                await send_problem(send, *objection)
                return
        given = headers.get(b"authorization")

        def granted() -> Granted | None:
            # A token narrows what the operator may do on the socket; without one all is his there.
            return "operate" if local and given is None else self._keys.scope(given or b"")

        may = granted()
        if may is None and not (path in _OPEN_ROUTES or path.startswith(_OPEN_FOLDER)):
            sentence = "the bearer token is missing or wrong; see: claude-failover token show"
            await send_problem(send, 401, sentence)
        elif path in _HOOKS:
            await send_problem(send, 404, "hooks come in by the Unix socket only")
        elif (method := scope["method"]) not in _METHODS:
            await send_problem(send, 405, f"{method[:20]} is no method of ours", [(b"allow", b"GET, HEAD, POST")])
        elif method == "HEAD" and path in _ENDLESS:
            await send_problem(send, 405, "the answer has no end, so only GET", [(b"allow", b"GET")])
        elif method not in _SAFE and may != "operate" and not (path + "/").startswith(_OWN_SCOPES):
            await send_problem(send, 403, "this token only reads; see: claude-failover token show --scope operate")
        else:
            scope["state"]["scope"] = may or ""
            scope["state"]["welcome"] = lambda: granted() == may
            await self._lead(scope, headers, receive, send)

    async def _lead(self, scope: Scope, headers: dict[bytes, bytes], receive: Receive, send: Send) -> None:
        """Hand a request to the routes, its body whole: neither size nor time of arrival is left to them."""
        try:
            if int(headers.get(b"content-length") or 0) > MAX_BODY:
                raise _TooLarge(MAX_BODY)
            async with asyncio.timeout(_BODY_WITHIN):
                body = await _body(receive, MAX_BODY)
        except _TooLarge as error:
            await send_problem(send, 413, f"the body is over the limit of {error} bytes")
            return
        except TimeoutError:
            await send_problem(send, 408, f"the body did not arrive within {_BODY_WITHIN:.0f} s")
            return
        except ConnectionResetError:
            return
        given = False

        async def replayed() -> MutableMapping[str, Any]:
            nonlocal given
            if given:
                return await receive()
            given = True
            return {"type": "http.request", "body": body, "more_body": False}

        if scope["path"] == "/mcp":
            await self._agents(scope, replayed, send)
            return
        if self._routes is None:
            # In a thread, so that no hook waits for it.
            self._routes = asyncio.ensure_future(asyncio.to_thread(self._make_routes))
        routes = await asyncio.shield(self._routes)
        if scope["method"] == "HEAD":
            scope = {**scope, "method": "GET"}  # the server leaves the body of the answer out
        await routes(scope, replayed, send)  # type: ignore[arg-type]

    async def _take(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "POST":
            await send_problem(send, 405, "POST only")
            return
        try:
            who = sender(scope["query_string"])
            async with asyncio.timeout(_BODY_WITHIN):
                body = await _body(receive, MAX_HOOK if scope["path"] == "/hook" else MAX_BODY)
            if scope["path"] == "/statusline":
                self._entrance.statusline(who, body)
            elif (held := self._entrance.hook(who, body)) is not None:
                await self._entrance.held(who, held, _gone(receive))
        except _TooLarge as error:
            await send_problem(send, 413, f"the body is over the limit of {error} bytes")
        except TimeoutError:
            await send_problem(send, 408, f"the body did not arrive within {_BODY_WITHIN:.0f} s")
        except UsageError as error:
            await send_problem(send, 400, str(error))
        except StoreError as error:
            await send_problem(send, 503, str(error))
        except ConnectionResetError:
            pass
        else:
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body", "body": b""})


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
