"""A fake Anthropic API on loopback, enough for the real CLI and the simulated one to work without a network.

    python -m failover.sim.api --port 0 --log requests.jsonl

The first line of its output is the port. The log holds two lines per model request: "request" when it came (who asked,
under which account, with which history, what is answered) and "end" or "disconnect" when the answer was out.
"""

from __future__ import annotations

import argparse
import json
import ssl
import subprocess
import sys
import threading
import time
import urllib.request
from http.server import ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any

from failover.sim.meter import Meters


class Server(ThreadingHTTPServer):
    """The server of one fake API: its meters, its log, a counter of requests."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, port: int, log: Path) -> None:
        from failover.sim.api_handler import Handler

        super().__init__(("127.0.0.1", port), Handler)
        self.meters = Meters()
        self.lock = threading.Lock()
        self._log = log.open("a", encoding="utf-8", buffering=1)
        self._count = 0

    @property
    def port(self) -> int:
        """Return the port that is listened on."""
        return int(self.server_address[1])

    def number(self) -> int:
        """Return the next request's number."""
        with self.lock:
            self._count += 1
            return self._count

    def write(self, record: dict[str, Any]) -> None:
        """Append one record to the log, stamped with epoch seconds where it has no stamp."""
        line = json.dumps({"t": round(time.time(), 3), **record}) + "\n"
        with self.lock:
            self._log.write(line)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Keep quiet when a client goes away, which killed sessions do all the time."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class Encrypted(ThreadingHTTPServer):
    """The same server over TLS: the real CLI asks for its usage at https://api.anthropic.com, whatever it is told."""

    daemon_threads = True

    def __init__(self, plain: Server, certificate: str, key: str) -> None:
        from failover.sim.api_handler import Handler

        super().__init__(("127.0.0.1", 443), Handler)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate, key)
        self.meters, self.lock, self.number, self.write = plain.meters, plain.lock, plain.number, plain.write

    def get_request(self) -> tuple[Any, Any]:
        """Return a connection that shakes hands when it is first read, in its own thread."""
        link, address = super().get_request()
        link.settimeout(60)
        return self._context.wrap_socket(link, server_side=True, do_handshake_on_connect=False), address

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Keep quiet when a client goes away."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class Api:
    """A fake API as a child process: `with Api(log) as api: api.url ...`."""

    def __init__(self, log: Path, port: int = 0, tls: tuple[Path, Path] | None = None) -> None:
        """tls: certificate and key with which it also answers on port 443, for a namespace of its own."""
        self.log = log
        self.port = port
        self._tls = tls
        self._child: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        """Return what ANTHROPIC_BASE_URL is to be."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> Api:
        """Start the child and wait for its port. Raises RuntimeError when it does not come up."""
        command = [sys.executable, "-m", "failover.sim.api", "--port", str(self.port), "--log", str(self.log)]
        command += ["--tls", *map(str, self._tls)] if self._tls else []
        root = Path(__file__).resolve().parents[2]
        self._child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root)
        assert self._child.stdout is not None
        line = self._child.stdout.readline()
        if not line.strip().isdigit():
            self.stop()
            raise RuntimeError(f"the fake API did not start: {' '.join(command)}")
        self.port = int(line)
        return self

    def stop(self) -> None:
        """Stop the child; a second call does nothing."""
        if self._child is not None:
            self._child.terminate()
            self._child.wait(timeout=10)
            if self._child.stdout is not None:
                self._child.stdout.close()
            self._child = None

    def __enter__(self) -> Api:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def control(self, **order: Any) -> dict[str, Any]:
        """Give an order (`accounts={"a": {"mode": "limit"}}`, `chunk_delay=0`) and return all settings."""
        data = json.dumps(order).encode() if order else None
        with urllib.request.urlopen(self.url + "/_ctl", data, timeout=10) as answer:
            shown: dict[str, Any] = json.load(answer)
        return shown

    def account(self, name: str, **values: Any) -> None:
        """Change one account's settings."""
        self.control(accounts={name: values})

    def records(self) -> list[dict[str, Any]]:
        """Return all whole lines of the log."""
        if not self.log.exists():
            return []
        text = self.log.read_text(encoding="utf-8")
        return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]

    def requests(self, conversation: str | None = None, kind: str | None = "main") -> list[dict[str, Any]]:
        """Return the model requests of a conversation ("main", "subagent", "side", None: all kinds)."""
        return [
            r
            for r in self.records()
            if r["event"] == "request" and "messages" in r
            if conversation in (None, r["conversation"]) and kind in (None, r["kind"])
        ]


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(description="a fake Anthropic API on 127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--tls", nargs=2, metavar=("CERTIFICATE", "KEY"), help="answer over TLS on port 443 too")
    arguments = parser.parse_args()
    server = Server(arguments.port, arguments.log)
    if arguments.tls:
        threading.Thread(target=Encrypted(server, *arguments.tls).serve_forever, daemon=True).start()
    print(server.port, flush=True)
    try:
        server.serve_forever(poll_interval=3600)
    except KeyboardInterrupt:
        server.server_close()


if __name__ == "__main__":
    main()
