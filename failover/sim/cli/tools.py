"""The tools that really run: Bash in a process group of its own, in the foreground or in the background."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from typing import Any

from failover.sim.cli.log import note

REJECTED = (
    "The user doesn't want to proceed with this tool use. The tool use was rejected (eg. if it was a file edit, the "
    "new_string was NOT written to the file). STOP what you are doing and wait for the user to tell you how to proceed."
)


class Interrupted(Exception):
    """The user pressed Esc, or the session is ending."""


class Shells:
    """Every command of a session that runs; killed with the session, orphaned when it is SIGKILLed."""

    def __init__(self, conversation: str) -> None:
        self._conversation = conversation
        self._lock = threading.Lock()
        self._running: dict[subprocess.Popen[bytes], bool] = {}
        self._ended = False

    def run(self, ident: str, command: str, timeout: float, agent: str | None) -> tuple[int, str]:
        """Run a command to its end and return (exit code, output). Raises Interrupted when it was killed by us."""
        child = self.start(ident, command, agent, background=False)
        try:
            out, _ = child.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            _kill(child)
            out, _ = child.communicate()
            out += f"\nCommand timed out after {timeout:g} s".encode()
        return self.finish(child, ident, agent), out.decode("utf-8", "replace").rstrip("\n")

    def start(self, ident: str, command: str, agent: str | None, background: bool) -> subprocess.Popen[bytes]:
        """Start a command. Raises Interrupted when the session is ending."""
        with self._lock:
            if self._ended:
                raise Interrupted
            child = subprocess.Popen(
                ["bash", "-c", command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                start_new_session=True, env={**os.environ, "CLAUDECODE": "1"},
            )  # fmt: skip
            self._running[child] = background
        note(
            "tool_start",
            conversation=self._conversation,
            tool_use_id=ident,
            child=child.pid,
            agent=agent,
            command=command[:200],
        )
        return child

    def finish(self, child: subprocess.Popen[bytes], ident: str, agent: str | None) -> int:
        """Take note of a command's end and return its exit code. Raises Interrupted when it was killed by us."""
        code = child.wait()
        with self._lock:
            killed = self._running.pop(child, None) is None
        note(
            "tool_end",
            conversation=self._conversation,
            tool_use_id=ident,
            child=child.pid,
            agent=agent,
            exit=code,
            killed=killed,
        )
        if killed:
            raise Interrupted
        return code

    def kill(self, background: bool = False) -> None:
        """Kill what runs in the foreground; with `background` everything, and let nothing start any more."""
        with self._lock:
            self._ended = self._ended or background
            for child, behind in list(self._running.items()):
                if background or not behind:
                    del self._running[child]
                    _kill(child)


def _kill(child: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(OSError):
        os.killpg(child.pid, signal.SIGKILL)


def bash_response(out: str) -> dict[str, Any]:
    """Return what PostToolUse shows of a command that succeeded."""
    return {"stdout": out, "stderr": "", "interrupted": False, "isImage": False, "noOutputExpected": False}
