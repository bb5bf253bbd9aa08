"""A control plane as a process of its own, and a client that speaks to it over real sockets."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from failover.config import load
from failover.core.session import Activity
from failover.host.process import identify
from failover.http import auth
from failover.store import hooks, swaps
from failover.store.db import Store
from tests.waiting import wait_for

ROOT = Path(__file__).parent.parent.parent
CONVERSATION = "75f7a22f-fb7f-4def-bea1-c45496615fb0"
LAUNCH = "abcdef012345"


class Plane:
    """One state dir, its control plane, and the store as the other roles would use it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "config.yaml"
        (folder / "p").mkdir()
        self.file.write_text(
            f"version: 1\nstate_dir: {folder}/s\nshared_dir: {folder}/shared\n"
            f"accounts: [{{name: a, config_dir: {folder}/a}}, {{name: b, config_dir: {folder}/b}}]\n"
            f'sessions: [{{name: "s-{{0..1}}", project: {folder}/p}}]\n'
            f'projects: [{folder}/p]\nhttp: {{listen: "127.0.0.1:0"}}\ntmux: {{socket: none-of-ours}}\n'
        )
        self.file.chmod(0o600)
        self.paths = load(self.file).paths
        self.environ = {**os.environ, "FAILOVER_CONFIG": str(self.file), "PYTHONPATH": str(ROOT)}
        self.process: subprocess.Popen[bytes] | None = None
        self.port = 0
        self.said = ""  # on stderr, by the one that was stopped last
        self._store: Store | None = None

    def start(self, until: str = "http://") -> None:
        """Start the control plane and wait until its sentence has `until` in it."""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "workers.control_plane"],
            cwd=ROOT, env=self.environ, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )  # fmt: skip
        said = wait_for(lambda: self._said(until), 20, "the control plane to serve")
        self.port = int(said.partition("http://127.0.0.1:")[2].partition(";")[0] or 0)

    def _said(self, until: str) -> str:
        assert self.process is not None
        if self.process.poll() is not None:
            raise AssertionError(f"the control plane ended: {self.process.stderr and self.process.stderr.read()!r}")
        if not self.paths.store.exists():
            return ""
        row = self.store.one("SELECT did FROM roles WHERE role = 'control-plane' AND pid = ?", (self.process.pid,))
        return str(row["did"]) if row and until in row["did"] else ""

    @property
    def store(self) -> Store:
        """The switcher's connection, so that tests can set holds as it does."""
        if self._store is None:
            self._store = Store.open(self.paths.store, "account-switcher", "test")
        return self._store

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(10)
        assert self.process.stderr is not None
        self.said = self.process.stderr.read().decode()
        self.process.stderr.close()
        return code

    def close(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.stop(signal.SIGKILL)
        if self._store is not None:
            self._store.close()

    def set_hold(self, holder: int = 0, seconds: float = 60.0, conversation: str = CONVERSATION) -> None:
        who = identify(holder or os.getpid())
        assert who is not None
        with self.store.transaction() as tx:
            swaps.set_hold(tx, conversation, 1, who.pid, who.start, time.monotonic() + seconds)

    def lift_hold(self) -> None:
        with self.store.transaction() as tx:
            swaps.lift_hold(tx, CONVERSATION)

    def activity(self, session: str = "s-0") -> Activity:
        found = hooks.activity(self.store, session)
        assert found is not None
        return found

    def hook(self, name: str, *, wait: bool = True, **fields: Any) -> subprocess.Popen[bytes]:
        """Send a hook by curl, as the sessions do."""
        body = {"session_id": CONVERSATION, "hook_event_name": name, "cwd": "/x", **fields}
        url = f"http://failover/hook?session=s-0&account=a&launch={LAUNCH}"
        process = subprocess.Popen(
            ["curl", "-s", "-m", "30", "-o", "/dev/null", "-w", "%{http_code}", "--unix-socket",
             str(self.paths.control_socket), "--data-binary", "@-", url],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        assert process.stdin is not None
        process.stdin.write(json.dumps(body).encode())
        process.stdin.close()
        if wait:
            process.wait(20)
        return process

    def token(self, scope: auth.Scope) -> str:
        return auth.token(self.paths.token_file, scope)

    def request(
        self, method: str, path: str, body: bytes | dict[str, Any] | None = None, **headers: str
    ) -> tuple[int, Any]:
        """Speak over the Unix socket."""
        connection = http.client.HTTPConnection("failover", timeout=20)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(20)
        connection.sock.connect(str(self.paths.control_socket))
        return _exchange(connection, method, path, body, headers)

    def stream(self, after: str = "", last_id: int | None = None, *, scope: auth.Scope = "read") -> Stream:
        """Listen to the events over TCP. after: the query."""
        headers = {"Authorization": f"Bearer {self.token(scope)}"}
        if last_id is not None:
            headers["Last-Event-ID"] = str(last_id)
        return Stream(self.port, f"/v1/events/stream{after}", headers)

    def tcp(
        self,
        method: str,
        path: str,
        body: bytes | dict[str, Any] | None = None,
        *,
        token: bool = True,
        scope: auth.Scope = "operate",
        **headers: str,
    ) -> tuple[int, Any]:
        """Speak over TCP; with a token unless told not to. Underscores in header names become dashes."""
        if token:
            headers["Authorization"] = f"Bearer {self.token(scope)}"
        return _exchange(http.client.HTTPConnection("127.0.0.1", self.port, timeout=20), method, path, body, headers)


class Stream:
    """A listener at /v1/events/stream. It is there, and hears what comes, once this is made."""

    def __init__(self, port: int, path: str, headers: dict[str, str]) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        self.connection.request("GET", path, headers=headers)
        self.response = self.connection.getresponse()
        self.status = self.response.status
        if self.status == 200:
            assert self.response.readline() == b": alive\n"

    def next(self) -> dict[str, Any] | None:
        """Return the next event's fields, its data decoded; None at the stream's end."""
        fields: dict[str, Any] = {}
        while line := self.response.readline():
            text = line.decode().rstrip("\n")
            if text and not text.startswith(":"):
                name, _, value = text.partition(": ")
                fields[name] = json.loads(value) if name == "data" else value
            elif not text and fields:
                return fields
        return None

    def take(self, count: int) -> list[int]:
        """Return the ids of the next events."""
        found = [self.next() for _ in range(count)]
        return [int(one["id"]) for one in found if one]

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.response.close()
        self.connection.close()


def _exchange(
    connection: http.client.HTTPConnection, method: str, path: str, body: Any, headers: dict[str, str]
) -> tuple[int, Any]:
    if isinstance(body, dict):
        body, headers = json.dumps(body), {"Content-Type": "application/json", **headers}
    try:
        with contextlib.suppress(BrokenPipeError):  # answered, and closed, before the body was asked for
            connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        response = connection.getresponse()
        text = response.read()
        return response.status, json.loads(text) if text else None
    finally:
        connection.close()


@contextmanager
def plane() -> Iterator[Plane]:
    """Give a started control plane in a folder whose name is short enough for its sockets."""
    with tempfile.TemporaryDirectory(prefix="cf-") as folder:
        found = Plane(Path(folder))
        try:
            found.start()
            yield found
        finally:
            found.close()
