"""Bytes to the control plane as no well-behaved client would send them."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from tests.http.plane import Plane


@contextmanager
def connected(control: Plane) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", control.port), timeout=20) as connection:
        yield connection


def answer(connection: socket.socket) -> tuple[int, bytes]:
    """Return what comes until the other side closes: the first status (0: closed without one), and all of it."""
    parts = []
    try:
        while part := connection.recv(65536):
            parts.append(part)
    except ConnectionResetError:
        pass
    whole = b"".join(parts)
    return int(whole.split(b" ", 2)[1]) if whole.startswith(b"HTTP/1.1 ") else 0, whole


def sent(control: Plane, text: bytes, *, end: bool = False) -> tuple[int, bytes]:
    """Send bytes on a connection of their own and return the answer. end: and say that nothing more comes."""
    with connected(control) as connection:
        connection.sendall(text)
        if end:
            connection.shutdown(socket.SHUT_WR)
        return answer(connection)


def head(control: Plane, line: str, *fields: str, token: str = "operate") -> bytes:
    """Return the head of a request that closes the connection; with a token unless it is empty."""
    lines = [f"{line} HTTP/1.1", f"Host: localhost:{control.port}", "Connection: close", *fields]
    if token:
        lines.append(f"Authorization: Bearer {control.token('read' if token == 'read' else 'operate')}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()
