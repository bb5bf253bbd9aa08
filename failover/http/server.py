"""The HTTP server: uvicorn, with limits on what a stranger may cost, and TLS for the address that asks for it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import resource
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from failover.config import Http
from failover.errors import HostError
from failover.http.door import Door
from failover.http.entrance import Entrance
from failover.http.problem import MEDIA_TYPE, encoded
from failover.http.tls import tls_context

#: The head of a request must be there this soon after the connection, or after the answer before it (seconds).
_HEAD_WITHIN = 10.0
#: Whoever does not read what waits for him is cut off (seconds).
_READ_WITHIN = 30.0
_HANDSHAKE_WITHIN = 5.0
#: The longest head of a request (bytes).
_MAX_HEAD = 32 * 1024
#: Connections at once, on TCP and on the Unix socket. Sessions wait in those of the latter.
MOST_ON_TCP, MOST_ON_UNIX = 512, 4096
_FILES = 16384


class Listening(NamedTuple):
    """A socket to serve on. most: connections at once; hooks: whether they come in there."""

    socket: socket.socket
    most: int
    tls: ssl.SSLContext | None = None
    hooks: bool = False


class _Crowd:
    """The connections of one socket. When there are too many, who has asked for nothing yet makes room."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._all: set[_Protocol] = set()
        self._waiting: dict[_Protocol, None] = {}

    def enter(self, one: _Protocol) -> bool:
        """Take a connection in; return False when everybody who is there is being answered."""
        if len(self._all) >= self._most:
            oldest = next(iter(self._waiting), None)
            if oldest is None:
                return False
            self.leave(oldest)
            oldest.transport.abort()
        self._all.add(one)
        return True

    def leave(self, one: _Protocol) -> None:
        self._all.discard(one)
        self._waiting.pop(one, None)

    def wait(self, one: _Protocol) -> None:
        if one in self._all:
            self._waiting.setdefault(one)

    def ask(self, one: _Protocol) -> None:
        self._waiting.pop(one, None)


class _Protocol(H11Protocol):
    def __init__(self, crowd: _Crowd, **of_uvicorn: Any) -> None:
        super().__init__(**of_uvicorn)
        self._crowd = crowd
        self._head_due: asyncio.TimerHandle | None = None
        self._read_due: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if self._crowd.enter(self):
            self._watch()
        else:
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._crowd.leave(self)
        for due in (self._head_due, self._read_due):
            if due is not None:
                due.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._watch()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._read_due = self.loop.call_later(_READ_WITHIN, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._read_due is not None:
            self._read_due.cancel()
            self._read_due = None

    def send_400_response(self, msg: str) -> None:
        body = encoded(400, "this is no HTTP request that is understood, or its head is too long")
        headers = [("content-type", MEDIA_TYPE), ("content-length", str(len(body))), ("connection", "close")]
        with contextlib.suppress(h11.LocalProtocolError):  # an answer has begun already
            answer = self.conn.send(h11.Response(status_code=400, headers=headers, reason=b"Bad Request"))
            self.transport.write((answer or b"") + body)
        self.transport.close()

    def _watch(self) -> None:
        """See that who is not being answered asks for something soon, whatever of it has come so far."""
        if self.cycle is not None and not self.cycle.response_complete:
            self._crowd.ask(self)
            if self._head_due is not None:
                self._head_due.cancel()
                self._head_due = None
        elif self._head_due is None:
            self._crowd.wait(self)
            self._head_due = self.loop.call_later(_HEAD_WITHIN, self.transport.abort)


class Server(uvicorn.Server):
    """uvicorn on sockets of ours, without its signal handlers (held answers must be let go first) and its ten looks a
    second at a clock."""

    def __init__(self, app: Any, listening: list[Listening], entrance: Entrance) -> None:
        # It warns of each request that is none: whoever can connect could fill the log.
        logging.getLogger("uvicorn").setLevel(logging.ERROR)
        config = uvicorn.Config(
            app,
            http=_Protocol,
            ws="none",
            loop="asyncio",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            timeout_graceful_shutdown=2,
            h11_max_incomplete_event_size=_MAX_HEAD,
        )
        super().__init__(config)
        self._listening, self._entrance = listening, entrance
        self._over = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen on each socket. TLS is one socket's, not the server's."""
        raise_file_limit()
        loop = asyncio.get_running_loop()
        self.servers = []
        for listening in self._listening:
            crowd = _Crowd(listening.most)

            def protocol(crowd: _Crowd = crowd) -> _Protocol:
                return _Protocol(crowd, config=self.config, server_state=self.server_state, app_state={})

            if listening.hooks:
                door = Door(listening.socket, self._entrance, protocol, self.server_state.tasks)
                self.servers.append(door)  # type: ignore[arg-type]
                continue
            within = _HANDSHAKE_WITHIN if listening.tls else None
            self.servers.append(
                await loop.create_server(
                    protocol,
                    sock=listening.socket,
                    backlog=1024,
                    ssl=listening.tls,
                    ssl_handshake_timeout=within,
                )
            )
        self.started = True

    async def main_loop(self) -> None:
        await self._over.wait()

    def end(self) -> None:
        """Stop serving."""
        self.should_exit = True
        self._over.set()


def raise_file_limit() -> None:
    """Allow as many open files as all connections may need: hooks must get in however many strangers knock."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def bind_unix(path: Path) -> socket.socket:
    """Return a socket bound to `path` (mode 0600), put in the place of what a predecessor left in one step."""
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)  # of a predecessor that was killed here
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    mask = os.umask(0o177)
    try:
        bound.bind(str(part))
    finally:
        os.umask(mask)
    # Listening before the name is there: whoever finds the name is not refused.
    bound.listen(1024)
    part.rename(path)
    return bound


def bind_tcp(http: Http) -> Listening:
    """Return a socket bound to the TCP address. Raises HostError: the address, or its TLS, is not to be had."""
    tls = tls_context(http.tls) if http.tls else None
    family = socket.AF_INET6 if ":" in http.host else socket.AF_INET
    # The protocol is named since asyncio otherwise leaves Nagle's delay of 40 ms on: an answer is two writes.
    tcp = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        tcp.bind((http.host, http.port))
        tcp.listen(1024)
    except OSError as error:
        tcp.close()
        raise HostError(f"{http.listen} cannot be had ({error.strerror}); change http.listen") from None
    return Listening(tcp, MOST_ON_TCP, tls)
