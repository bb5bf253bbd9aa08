"""Who is told: real servers on loopback, which can be down, refuse, hang or forget to answer."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

TOKEN = "123456789:AAcanaryTelegramTokenOfNobody-0123456789"


class Web:
    """An HTTP server. status, headers, body: what it answers; it hangs while `hanging` is clear of its event."""

    def __init__(self) -> None:
        self.status, self.headers, self.body = 200, dict[str, str](), b'{"ok": true, "result": {}}'
        self.taken: list[tuple[str, dict[str, str], bytes]] = []
        self.asked = 0
        self.answering = threading.Event()
        self.answering.set()
        self._server: ThreadingHTTPServer | None = None
        self.port = 0
        self.open()

    def open(self) -> None:
        """Listen, on the same port as before."""
        web = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                web.asked += 1
                web.answering.wait(20)
                if web.status < 300:
                    web.taken.append((self.path, dict(self.headers), body))
                self.send_response(web.status)
                for name, value in {**web.headers, "Content-Length": str(len(web.body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(web.body)

            def log_message(self, *_: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            allow_reuse_address = True
            daemon_threads = True

            def handle_error(self, *_: Any) -> None:  # who hung up did not wait for the answer
                pass

        self._server = Server(("127.0.0.1", self.port), Handler)
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        """Stop listening: connections are refused."""
        self.answering.set()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/in"

    @property
    def json(self) -> list[Any]:
        """Return the bodies that it took."""
        return [json.loads(body) for _, _, body in self.taken]


@contextmanager
def web() -> Iterator[Web]:
    made = Web()
    try:
        yield made
    finally:
        made.close()


@contextmanager
def datagrams(path: Path | None = None) -> Iterator[socket.socket]:
    """Give a UDP socket on loopback, or a local one at `path`."""
    with socket.socket(socket.AF_UNIX if path else socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.bind(str(path) if path else ("127.0.0.1", 0))
        made.settimeout(10)
        yield made


@contextmanager
def stream() -> Iterator[tuple[int, list[bytes]]]:
    """Give the port of a TCP server, and what its connections brought."""
    brought: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    data = b""
                    while part := connection.recv(65536):
                        data += part
                    brought.append(data)

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1], brought
        server.shutdown(socket.SHUT_RDWR)
