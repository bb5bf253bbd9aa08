"""The page at `/`. It holds no data, so it needs no token; what it shows it asks for with the reader's own."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from importlib import resources
from typing import Any, NamedTuple

import msgspec
from litestar import Request, Response, get
from litestar.handlers import BaseRouteHandler

from failover.http.problem import Trouble
from failover.http.routes.context import Context
from failover.http.routes.spec import answers

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_INDEX = "index.html"
#: Nothing from elsewhere, nothing inline, in nobody's frame; and no text can become markup.
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:;"
        " frame-ancestors 'none'; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # Asked for each time, so that a page of an older version is never left over.
    "Cache-Control": "no-cache",
}


class Rights(msgspec.Struct, frozen=True):
    """What the token of a request allows: read or operate."""

    scope: str


class _File(NamedTuple):
    body: bytes
    media_type: str
    tag: str


def handlers(context: Context) -> Sequence[BaseRouteHandler]:
    """Return the routes of this topic."""
    files = _files()

    @get("/", include_in_schema=False)
    async def index(request: Request[Any, Any, Any]) -> Response[bytes]:
        return _answer(request, files[_INDEX])

    @get("/assets/{name:str}", include_in_schema=False)
    async def asset(request: Request[Any, Any, Any], name: str) -> Response[bytes]:
        if name == _INDEX or name not in files:
            raise Trouble(404, "there is no such part of the page")
        return _answer(request, files[name])

    @get("/v1/scope", tags=["health"], summary="What this token allows", responses=answers())
    async def scope(request: Request[Any, Any, Any]) -> Rights:
        """Return whether the token of this request may give orders."""
        return Rights(request.scope["state"]["scope"])

    return index, asset, scope


def _files() -> dict[str, _File]:
    """Return the parts of the page by name, read once: they are small, and no request leads to a file."""
    found = {}
    for file in resources.files("failover.http").joinpath("web").iterdir():
        kind = _TYPES.get(f".{file.name.rpartition('.')[2]}")
        if kind and not file.name.startswith("."):
            body = file.read_bytes()
            found[file.name] = _File(body, kind, f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"')
    return found


def _answer(request: Request[Any, Any, Any], file: _File) -> Response[bytes]:
    headers = {**_HEADERS, "ETag": file.tag}
    if request.headers.get("if-none-match") == file.tag:
        return Response(b"", status_code=304, headers=headers)
    return Response(file.body, media_type=file.media_type, headers=headers)
