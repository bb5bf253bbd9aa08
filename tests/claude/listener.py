"""A small HTTP server on a unix socket, in the place of the control plane."""

from __future__ import annotations

import contextlib
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any


class Listener(socketserver.ThreadingUnixStreamServer):
    """Keeps what is posted. While `gate` is clear, no post is answered."""

    daemon_threads = True

    def __init__(self, path: Path) -> None:
        self.posts: list[tuple[str, bytes]] = []
        self.gate = threading.Event()
        self.gate.set()
        super().__init__(str(path), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: Listener

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.posts.append((self.path, body))
        self.server.gate.wait(30)
        with contextlib.suppress(BrokenPipeError):  # a hook ends with the first word of its answer
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"an answer that nobody may see")

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def listening(path: Path) -> Iterator[Listener]:
    """Serve at `path` until the block ends."""
    with Listener(path) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.gate.set()
            server.shutdown()
            thread.join(5)
