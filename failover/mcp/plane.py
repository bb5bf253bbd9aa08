"""The control plane as the MCP server sees it: over HTTP alone, with the rights of a token.

`httpx2` is what the official MCP package itself stands on, so this costs no import of its own.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import AsyncGenerator, Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import anyio
import httpx2
import msgspec

T = TypeVar("T")

#: How long an answer may take, and how long the event stream may be silent: a comment comes each 15 s (seconds).
_WITHIN, _SILENT = 15.0, 40.0
#: How long the control plane may be away (it is started anew within 2.5 s), and how often it is looked for (seconds).
_PATIENCE, _LOOK = 3.0, 0.1


class Refused(Exception):
    """The control plane did not do it, in a sentence of its own or of ours. status: of its answer, 0 for none."""

    def __init__(self, sentence: str, status: int = 0) -> None:
        super().__init__(sentence)
        self.status = status


class Rung(NamedTuple):
    """An event that was rung. id: its row; type: its tag."""

    id: int
    type: str


class Plane:
    """A connection to a control plane. socket: its Unix socket, None to go by `url`; token: called for each request, so
    that a rotated one counts; empty for none."""

    def __init__(self, url: str, socket: Path | None, token: Callable[[], str]) -> None:
        self._token, self._where = token, str(socket or url)
        self._client = httpx2.AsyncClient(
            base_url=url.rstrip("/"),
            transport=httpx2.AsyncHTTPTransport(uds=str(socket)) if socket else None,
            timeout=_WITHIN,
            trust_env=False,  # a proxy of the environment is not asked for what is local
        )

    async def close(self) -> None:
        """Close what is open."""
        await self._client.aclose()

    async def get(self, path: str, kind: type[T] | Any, authorization: str = "", **params: str | float) -> T:
        """Return what stands at a path. authorization: the header of who asks, instead of the token. Raises Refused."""
        answer = await self._asked_twice("GET", path, authorization, params=params)
        try:
            found: T = msgspec.json.decode(answer, type=kind)
        except msgspec.MsgspecError as error:
            raise Refused(f"{path}: the control plane is of another release than this one ({error})") from None
        return found

    async def order(self, path: str, body: dict[str, Any], key: str, authorization: str = "") -> dict[str, Any]:
        """Send what is wanted, and return the answer. key: of one that is sent again, to be done once; empty makes one.

        An answer that got lost is asked for once more with the same key. Raises Refused.
        """
        headers = {"Idempotency-Key": key or uuid.uuid4().hex, "Content-Type": "application/json"}
        content = msgspec.json.encode(body)
        answer = await self._asked_twice("POST", path, authorization, content=content, headers=headers)
        found = msgspec.json.decode(answer)
        assert isinstance(found, dict)
        return found

    async def events(self, after: int | None) -> AsyncGenerator[Rung | None, None]:
        """Give events as they come, None for a sign of life. after: the last one known. Raises Refused."""
        headers = {**self._headers(""), **({"Last-Event-ID": str(after)} if after is not None else {})}
        timeout = httpx2.Timeout(_WITHIN, read=_SILENT)
        try:
            async with self._client.stream("GET", "/v1/events/stream", headers=headers, timeout=timeout) as answer:
                if answer.status_code != 200:
                    raise Refused(_words(answer.status_code, await answer.aread()))
                number, kind = 0, ""
                async for line in answer.aiter_lines():
                    name, _, value = line.partition(": ")
                    if name == "id":
                        number = int(value)
                    elif name == "event":
                        kind = value
                    elif not line and kind:
                        yield Rung(number, kind)
                        kind = ""
                    elif line.startswith(":"):
                        yield None
        except (httpx2.HTTPError, ValueError) as error:
            raise Refused(f"{self._where}: the event stream ended ({error})") from None

    def _headers(self, authorization: str) -> dict[str, str]:
        if authorization:
            return {"Authorization": authorization}
        return {"Authorization": f"Bearer {token}"} if (token := self._token()) else {}

    async def _asked_twice(self, method: str, path: str, authorization: str, **request: Any) -> bytes:
        """Ask, and once more where the answer got lost: a control plane may be started anew at any moment."""
        try:
            return await self._ask(method, path, authorization, **request)
        except _Lost:
            return await self._ask(method, path, authorization, **request)

    async def _ask(
        self, method: str, path: str, authorization: str, headers: Mapping[str, str] | None = None, **request: Any
    ) -> bytes:
        sent = {**(headers or {}), **self._headers(authorization)}
        until = time.monotonic() + _PATIENCE
        while True:
            try:
                answer = await self._client.request(method, path, headers=sent, **request)
                break
            except httpx2.ConnectError as error:
                if time.monotonic() > until:
                    mend = "start the daemon with: claude-failover up"
                    raise Refused(f"{self._where}: nobody answers ({error}); {mend}") from None
                await anyio.sleep(_LOOK)
            except httpx2.HTTPError as error:
                raise _Lost(f"{self._where}: no answer ({error or type(error).__name__})") from None
        if answer.status_code >= 300:
            raise Refused(_words(answer.status_code, answer.content), answer.status_code)
        return answer.content


class _Lost(Refused):
    """The request may have come in, and its answer did not."""


def _words(status: int, body: bytes) -> str:
    """Return what a problem says (RFC 9457)."""
    try:
        return str(msgspec.json.decode(body)["detail"])
    except (msgspec.MsgspecError, KeyError, TypeError):
        return f"the control plane answered {status}"
