"""Run the hooks of an event: command hooks as child processes, http hooks as POSTs; the session waits for all."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from failover.sim.cli import wire

_TIMEOUT = 60.0
_COMMAND_ONLY = ("SessionStart",)  # an http hook is not called for it (measured on 2.1.330)


@dataclass
class Outcome:
    """What the hooks of one event said."""

    count: int = 0
    blocked: str | None = None
    infos: list[dict[str, Any]] = field(default_factory=list)


class Hooks:
    """All hooks of a session; what runs can be cut off from another thread."""

    def __init__(self, configured: dict[str, list[dict[str, Any]]], say: Callable[[str], None]) -> None:
        self._configured = configured
        self._say = say
        self._lock = threading.Lock()
        self._children: set[subprocess.Popen[bytes]] = set()
        self._links: set[socket.socket] = set()
        self._ended = False

    def run(self, event: str, body: dict[str, Any], matcher: str = "", final: bool = False) -> Outcome:
        """Run the hooks of an event at the same time and wait for their answers.

        `final` runs them although the session is ending (SessionEnd).
        """
        wanted = []
        for group in self._configured.get(event, []):
            if group.get("matcher") in (None, "", "*") or matcher in str(group["matcher"]).split("|"):
                wanted += group.get("hooks", [])
        wanted = [h for h in wanted if h.get("type") != "http" or event not in _COMMAND_ONLY]
        outcome = Outcome(len(wanted))
        if not wanted or (self._ended and not final):
            return outcome
        runs = [threading.Thread(target=self._one, args=(event, hook, body, outcome), daemon=True) for hook in wanted]
        for run in runs:
            run.start()
        for run in runs:
            run.join(1.5 if final else None)
        return outcome

    def quiet(self, seconds: float, early: bool = True) -> bool:
        """Wait until no command hook runs, or (not `early`) for the whole time; say whether none runs."""
        until = time.monotonic() + seconds
        while time.monotonic() < until and (self._children or not early):
            time.sleep(0.005)
        return not self._children

    def cut_off_links(self) -> None:
        """End the http hooks that run, and start no more hooks but final ones."""
        self._ended = True
        with self._lock:
            for link in self._links:
                with contextlib.suppress(OSError):
                    link.shutdown(socket.SHUT_RDWR)

    def tell_to_end(self) -> None:
        """Send SIGTERM to each running command hook itself, not to what it may have started."""
        with self._lock:
            for child in self._children:
                with contextlib.suppress(OSError):
                    child.terminate()

    def cut_off(self, ended: bool = False) -> None:
        """End every hook that runs; with `ended` no more are started but final ones."""
        self._ended = self._ended or ended
        with self._lock:
            for child in self._children:
                with contextlib.suppress(OSError):
                    os.killpg(child.pid, signal.SIGTERM)
            for link in self._links:
                with contextlib.suppress(OSError):
                    link.shutdown(socket.SHUT_RDWR)

    def _one(self, event: str, hook: dict[str, Any], body: dict[str, Any], outcome: Outcome) -> None:
        timeout = float(hook.get("timeout", _TIMEOUT))
        try:
            if hook.get("type") == "http":
                answer = self._post(str(hook["url"]), body, timeout)
            else:
                answer = self._command(str(hook["command"]), body, timeout, outcome)
            self._heed(answer, outcome)
        except OSError as error:
            if not self._ended:
                self._say(f"  ⎿  {event} hook failed: {error}")

    def _post(self, url: str, body: dict[str, Any], timeout: float) -> str:
        link = wire.send("POST", url, body, {}, timeout)
        with self._lock:
            self._links.add(link)
        try:
            answer = wire.Answer(link)
            text = answer.read().decode("utf-8", "replace")
            if not 200 <= answer.status < 300:
                raise OSError(f"HTTP {answer.status}")
            return text
        finally:
            with self._lock:
                self._links.discard(link)

    def _command(self, command: str, body: dict[str, Any], timeout: float, outcome: Outcome) -> str:
        pipe = subprocess.PIPE
        child = subprocess.Popen(
            ["sh", "-c", command], stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True,
        )  # fmt: skip
        with self._lock:
            self._children.add(child)
        try:
            out, err = child.communicate(json.dumps(body).encode(), timeout=timeout)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            out, err = child.communicate()
        finally:
            with self._lock:
                self._children.discard(child)
        outcome.infos.append({"command": command, "durationMs": 1})
        if child.returncode == 2:
            outcome.blocked = err.decode("utf-8", "replace").strip() or "blocked by a hook"
        elif child.returncode != 0 and not self._ended:
            self._say(f"  ⎿  hook error: {err.decode('utf-8', 'replace').strip()[:200]}")
        return out.decode("utf-8", "replace") if child.returncode == 0 else ""

    @staticmethod
    def _heed(answer: str, outcome: Outcome) -> None:
        try:
            said = json.loads(answer)
        except ValueError:
            return
        if isinstance(said, dict) and said.get("decision") == "block":
            outcome.blocked = str(said.get("reason", "blocked by a hook"))
