"""Errors as problem details (RFC 9457), the same from the gate, the routes and the framework behind them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from http import HTTPStatus
from typing import Any

import msgspec

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

MEDIA_TYPE = "application/problem+json"


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """What went wrong. detail: in a sentence, with the mend where there is one."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str


class Trouble(Exception):
    """An answer that is a problem. headers: what the answer says besides."""

    def __init__(self, status: int, detail: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers = status, detail, headers or {}


def title(status: int) -> str:
    """Return what a status is called."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"


def encoded(status: int, detail: str) -> bytes:
    """Return a problem as JSON."""
    return msgspec.json.encode(Problem(title=title(status), status=status, detail=detail))


def plain(status: int, detail: str) -> bytes:
    """Return a problem as a whole answer of HTTP/1.1, for where nothing makes one of it; the connection ends."""
    body = encoded(status, detail)
    head = f"HTTP/1.1 {status} {title(status)}\r\ncontent-type: {MEDIA_TYPE}\r\ncontent-length: {len(body)}\r\n"
    return f"{head}connection: close\r\n\r\n".encode() + body


async def send_problem(
    send: Send, status: int, detail: str, headers: Iterable[tuple[bytes, bytes]] = (), *, close: bool = True
) -> None:
    """Answer with a problem. close: the connection too, since a body may be on its way that nobody will read."""
    body = encoded(status, detail)
    found = [
        (b"content-type", MEDIA_TYPE.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        *headers,
    ]
    if close:
        found.append((b"connection", b"close"))
    if status == 401:
        found.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": status, "headers": found})
    await send({"type": "http.response.body", "body": body})
