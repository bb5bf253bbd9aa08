"""tmux, one command at a time, each with a timeout and exact targets.

A session is named by `=name:` (a bare name also matches windows and prefixes; tmux(1), COMMANDS), a pane by its id.
tmux expands formats in names and start directories and takes a trailing `;` for the end of a command, so `_literal`
and `_word` guard what goes in; names and texts are data.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from failover.errors import HostError
from failover.host.process import identify

#: Lengths stand before the two texts, so that no byte in a name or title can be taken for a separator.
_PANE = "#{pid} #{pane_id} #{pane_pid} #{pane_dead} #{n:session_name} #{session_name}#{pane_title}"
_NOBODY = ("no server running", "error connecting to", "no current", "server exited", "can't find pane")
#: tmux learns of a death by SIGCHLD, a little after a pidfd tells it (seconds, ample).
_DEATH_SEEN_WITHIN = 1.0
_buffers = itertools.count(1)


class Pane(msgspec.Struct, frozen=True):
    """The first pane of a session.

    pid: its process (the last one, when dead); dead: it ended and the pane stays; server: the tmux server's number.
    """

    session: str
    pane_id: str
    pid: int
    dead: bool
    title: str
    server: int


class Screen(msgspec.Struct, frozen=True):
    """What a pane shows. pid: its process (the last one, when dead); dead: it ended and the pane stays."""

    pid: int
    dead: bool
    text: str


class Tmux:
    """One tmux server by its socket name. conf: its configuration file, None for the user's own (only read when the
    server starts). Each method raises HostError when tmux refuses, is missing, or does not answer in `timeout` s."""

    def __init__(self, socket_name: str = "default", timeout: float = 5.0, conf: str | None = None) -> None:
        self.socket_name, self.timeout = socket_name, timeout
        self._command = ["tmux", "-u", "-L", socket_name, *(["-f", conf] if conf else [])]

    def server_alive(self) -> bool:
        """Tell whether a server answers on the socket."""
        return self._run("list-sessions", "-F", "", absent=True) is not None

    def panes(self) -> dict[str, Pane]:
        """Return the first pane of each session by the session's name; empty when no server runs."""
        out = self._run("list-panes", "-a", "-F", _PANE, absent=True) or b""
        found: dict[str, Pane] = {}
        for line in out.splitlines():
            pane = _parse(line)
            found.setdefault(pane.session, pane)
        return found

    def new_session(self, name: str, cwd: Path, argv: Sequence[str], width: int = 200, height: int = 50) -> Pane:
        """Make a detached session that runs `argv`; the pane stays when the process ends.

        The server is started if none runs; it makes itself a session leader outside our process group.
        Raises HostError when the name is taken.
        """
        made = self._run(
            "new-session", "-d", "-P", "-F", _PANE, "-s", _literal(name), "-c", _literal(str(cwd)),
            "-x", str(width), "-y", str(height), *_program(argv),
            ";", "set-option", "-w", "-t", f"={name}:", "remain-on-exit", "on",
        )  # fmt: skip
        return _parse(made or b"")

    def respawn(self, pane_id: str, cwd: Path, argv: Sequence[str]) -> Pane:
        """Start `argv` in a pane whose process has ended. Raises HostError while that process lives.

        tmux itself is the guard: without -k it refuses to respawn a pane that is still active.
        """
        command = (
            "respawn-pane", "-t", pane_id, "-c", _literal(str(cwd)), *_program(argv),
            ";", "display-message", "-p", "-t", pane_id, _PANE,
        )  # fmt: skip
        give_up = time.monotonic() + _DEATH_SEEN_WITHIN
        while True:
            try:
                return _parse(self._run(*command) or b"")
            except HostError as error:
                if "still active" not in str(error) or time.monotonic() > give_up or self._runs(pane_id):
                    raise
            time.sleep(0.005)

    def keep(self, pane_id: str) -> None:
        """See to it that a pane stays when its process ends, as those that we make do."""
        self._run("set-option", "-w", "-t", pane_id, "remain-on-exit", "on")

    def paste(self, pane_id: str, text: str) -> None:
        """Paste `text` into a pane as one bracketed paste; it is not submitted.

        The server itself looks whether the pane's process lives, in the same step: tmux 3.3a crashes, with all of its
        sessions, when something is pasted into a pane whose process has ended (measured).
        """
        buffer = f"failover-{os.getpid()}-{next(_buffers)}"
        paste = f"paste-buffer -d -p -b {buffer} -t {pane_id}"
        try:
            if self._run(
                "load-buffer", "-b", buffer, "-",
                ";", "if-shell", "-F", "-t", pane_id, "#{pane_dead}", "display-message -p dead", paste,
                stdin=text.encode(),
            ):  # fmt: skip
                raise HostError(f"pane {pane_id}: its process has ended, so nothing was pasted")
        except HostError:
            with contextlib.suppress(HostError):  # the text must not stay in the user's list of buffers
                self._run("delete-buffer", "-b", buffer)
            raise

    def keys(self, pane_id: str, *keys: str) -> None:
        """Press keys by tmux's names for them (Enter, Escape, C-c)."""
        self._run("send-keys", "-t", pane_id, "--", *(_word(key) for key in keys))

    def capture(self, pane_id: str) -> str:
        """Return what the pane shows."""
        return (self._run("capture-pane", "-p", "-t", pane_id) or b"").decode(errors="replace")

    def screen(self, pane_id: str) -> Screen | None:
        """Return what the pane shows and whose it is, of one moment; None when there is no such pane."""
        out = self._run(
            "display-message", "-p", "-t", pane_id, "#{pane_pid} #{pane_dead}",
            ";", "capture-pane", "-p", "-t", pane_id,
            absent=True,
        )  # fmt: skip
        if not out:
            return None
        whose, _, text = out.partition(b"\n")
        pid, dead = whose.split()
        return Screen(int(pid), dead == b"1", text.decode(errors="replace"))

    def kill_session(self, name: str) -> None:
        """End a session and what runs in it; it is no error when there is none of that name."""
        if name in self.panes():
            self._run("kill-session", "-t", f"={name}:")

    def _runs(self, pane_id: str) -> bool:
        for line in (self._run("list-panes", "-t", pane_id, "-F", _PANE) or b"").splitlines():
            pane = _parse(line)
            if pane.pane_id == pane_id:
                return not pane.dead and identify(pane.pid) is not None
        return False

    def _run(self, *arguments: str, stdin: bytes = b"", absent: bool = False) -> bytes | None:
        """Return what a command printed; with `absent`, None when no server runs."""
        try:
            done = subprocess.run(
                [*self._command, *arguments], input=stdin, capture_output=True, timeout=self.timeout, env=_environment()
            )
        except subprocess.TimeoutExpired:
            raise HostError(
                f"tmux -L {self.socket_name} {arguments[0]}: no answer within {self.timeout:g} s; the server hangs"
            ) from None
        except OSError as error:
            raise HostError(f"tmux cannot be run: {error.strerror}; install tmux 3.2 or newer") from None
        if done.returncode == 0:
            return done.stdout
        said = done.stderr.decode(errors="replace").strip()
        if absent and said.startswith(_NOBODY):
            return None
        raise HostError(f"tmux -L {self.socket_name} {arguments[0]}: {said or f'exit status {done.returncode}'}")


def _parse(line: bytes) -> Pane:
    server, pane_id, pid, dead, length, rest = line.rstrip(b"\n").split(b" ", 5)
    name, title = rest[: int(length)].decode(errors="replace"), rest[int(length) :].decode(errors="replace")
    return Pane(name, pane_id.decode(), int(pid), dead == b"1", title, int(server))


def _program(argv: Sequence[str]) -> list[str]:
    if len(argv) < 2:
        raise ValueError("tmux hands a single argument to a shell; give the program and at least one argument")
    return ["--", *(_word(argument) for argument in argv)]


def _word(text: str) -> str:
    return f"{text[:-1]}\\;" if text.endswith(";") else text


def _literal(text: str) -> str:
    return _word(text.replace("#", "##"))


def _environment() -> dict[str, str]:
    """Return our environment without what would mark a session started from it as a part of the daemon."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("SUPERVISOR_", "CLAUDE_FAILOVER_")) and name not in ("TMUX", "TMUX_PANE")
    }
