"""HTTP to the API and to http hooks over plain sockets: quick to import, and a request can be cut off from outside."""

from __future__ import annotations

import contextlib
import json
import os
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit


class Answer:
    """A response whose body is still to be read."""

    def __init__(self, link: socket.socket) -> None:
        self._link = link
        self._file = link.makefile("rb")
        parts = self._file.readline().split()
        if len(parts) < 2:
            raise ConnectionError("the connection was closed without an answer")
        self.status = int(parts[1])
        self.headers: dict[str, str] = {}
        while (line := self._file.readline()).strip():
            name, _, value = line.decode("latin-1").partition(":")
            self.headers[name.strip().lower()] = value.strip()

    def read(self) -> bytes:
        """Return the whole body."""
        if "chunked" in self.headers.get("transfer-encoding", ""):
            whole = b"".join(self._chunks())
        else:
            length = self.headers.get("content-length")
            whole = self._file.read() if length is None else self._file.read(int(length))
        self.close()
        return whole

    def events(self) -> Iterator[dict[str, Any]]:
        """Yield server-sent events. Raises ConnectionError when the stream breaks off."""
        pending = b""
        for chunk in self._chunks():
            pending += chunk
            while b"\n\n" in pending:
                event, pending = pending.split(b"\n\n", 1)
                for line in event.split(b"\n"):
                    if line.startswith(b"data: "):
                        yield json.loads(line[6:])
        self.close()

    def close(self) -> None:
        """Give the connection up; a reader in another thread gets a ConnectionError."""
        with contextlib.suppress(OSError):
            self._link.shutdown(socket.SHUT_RDWR)
        self._link.close()

    def _chunks(self) -> Iterator[bytes]:
        while True:
            head = self._file.readline()
            if not head.strip():
                raise ConnectionError("the stream broke off")
            size = int(head.split(b";")[0], 16)
            if not size:
                return
            data = self._file.read(size)
            self._file.readline()
            if len(data) < size:
                raise ConnectionError("the stream broke off")
            yield data


def request(
    method: str,
    path: str,
    token: str,
    body: dict[str, Any],
    headers: dict[str, str] | None = None,
    timeout: float = 600.0,
) -> Answer:
    """Send a request to the API. Raises OSError when it cannot be reached."""
    base = os.environ.get("ANTHROPIC_BASE_URL", "")
    all_headers = {"authorization": f"Bearer {token}", "x-app": "cli", **(headers or {})}
    return Answer(send(method, base + path, body if method == "POST" else None, all_headers, timeout))


def send(method: str, url: str, body: dict[str, Any] | None, headers: dict[str, str], timeout: float) -> socket.socket:
    """Send one request and return the connection to read from. Only loopback is spoken to. Raises OSError."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme != "http" or host not in ("127.0.0.1", "localhost", "::1"):
        raise OSError(f"the simulated claude speaks to loopback only, not to {url!r} (set ANTHROPIC_BASE_URL)")
    data = b"" if body is None else json.dumps(body).encode()
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    lines = [f"{method} {target} HTTP/1.1", f"host: {parts.netloc}", "connection: close"]
    lines += ["content-type: application/json", f"content-length: {len(data)}"]
    lines += [f"{key}: {value}" for key, value in headers.items()]
    link = socket.create_connection((host, parts.port or 80), timeout=10)
    link.settimeout(timeout)
    link.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + data)
    return link
