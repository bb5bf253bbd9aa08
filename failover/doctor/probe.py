"""Try on the binary itself what the daemon relies on: a start in a config dir of its own, hooks, statusline, registry,
SIGTERM, resume.

Nothing of the user's is touched and nothing leaves the host: home, config dir and project are folders that go
afterwards, nobody is logged in there, and API and proxies are a loopback port that is listened on and answers nothing.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import signal
import socket
import struct
import subprocess
import tempfile
import termios
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from failover.claude import auth, hooks, launch, registry, seed, transcript
from failover.claude.launch import LaunchSpec
from failover.errors import FailoverError
from failover.host import process
from failover.host.process import ProcessId

_LAUNCH = "0" * 12
_BODY = 1024 * 1024
#: How long is waited once something did not come (seconds): then much else will not come either.
_IMPATIENT = 2.0
#: The leader of a session makes a terminal its own by opening it.
_ON_TERMINAL = 'exec sh "$1" <>"$2" >&0 2>&0'


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What the binary did. Each is a sentence of what was not as expected, empty where it was; reached: connections to
    the port that stood in for the world."""

    status: str = ""
    registry: str = ""
    hooks: str = ""
    statusline: str = ""
    stop: str = ""
    resume: str = ""
    reached: int = 0


def probe(command: str, patience: float = 30.0) -> Facts:
    """Start the binary twice in a world of its own and return what it did; 2 to 5 s on a quiet host.

    patience: how long a thing is waited for (seconds), until one did not come.
    """
    with tempfile.TemporaryDirectory(prefix="cf-", ignore_cleanup_errors=True) as made, _nobody() as world:
        return _Trial(command, Path(made), world, patience).run()


class _World:
    """A loopback port on which connections are counted and closed."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port, self.reached = self.listener.getsockname()[1], 0

    def serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                link, _ = self.listener.accept()
                self.reached += 1
                link.close()


@contextlib.contextmanager
def _nobody() -> Iterator[_World]:
    world = _World()
    threading.Thread(target=world.serve, daemon=True).start()
    try:
        yield world
    finally:
        with contextlib.suppress(OSError):
            world.listener.shutdown(socket.SHUT_RDWR)
        world.listener.close()


class _Entrance:
    """The Unix socket that hooks and statuslines are posted to: bodies by path."""

    def __init__(self, path: Path) -> None:
        self.hooks: list[bytes] = []
        self.statuslines: list[bytes] = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(16)
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                link, _ = self._listener.accept()
                threading.Thread(target=self._answer, args=(link,), daemon=True).start()

    def _answer(self, link: socket.socket) -> None:
        with link, contextlib.suppress(OSError, ValueError):
            link.settimeout(5)
            data = b""
            while b"\r\n\r\n" not in data and len(data) < _BODY and (part := link.recv(65536)):
                data += part
            head, _, body = data.partition(b"\r\n\r\n")
            lines = head.split(b"\r\n")
            length = next((int(line[15:]) for line in lines if line.lower().startswith(b"content-length:")), 0)
            while len(body) < min(length, _BODY) and (part := link.recv(65536)):
                body += part
            (self.hooks if b"/hook?" in lines[0] else self.statuslines).append(body)
            link.sendall(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


class _Trial:
    def __init__(self, command: str, root: Path, world: _World, patience: float) -> None:
        self._command, self._root, self._world, self._patience = command, root, world, patience
        self._config_dir, self._cwd, self._home = root / "c", root / "p", root / "h"
        for folder in (self._config_dir, self._cwd, self._home):
            folder.mkdir(mode=0o700)
        self._entrance = _Entrance(root / "s")
        self._conversation = str(uuid.uuid4())

    def run(self) -> Facts:
        try:
            status = self._status()
            seed.seed(self._config_dir, [self._cwd])
            with self._started(resume=False) as one:
                entry = self._entry(one)
                registered = self._registry(one, entry)
                told = self._hooks()
                line = self._statusline()
                stop = self._stop(one, entry)
            resume = self._resume()
        finally:
            self._entrance.close()
        return Facts(
            status=status, registry=registered, hooks=told, statusline=line, stop=stop, resume=resume,
            reached=self._world.reached,
        )  # fmt: skip

    def _environment(self) -> dict[str, str]:
        here = f"http://127.0.0.1:{self._world.port}"
        inherited = ("PATH", "LANG", "LC_ALL", "SHELL")
        return {
            **{name: os.environ[name] for name in inherited if name in os.environ},
            "HOME": str(self._home), "TERM": "xterm-256color", "CLAUDE_CONFIG_DIR": str(self._config_dir),
            "ANTHROPIC_BASE_URL": here, "HTTP_PROXY": here, "HTTPS_PROXY": here, "NO_PROXY": "127.0.0.1",
            "DISABLE_TELEMETRY": "1", "DISABLE_AUTOUPDATER": "1", "DISABLE_ERROR_REPORTING": "1",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        }  # fmt: skip

    def _status(self) -> str:
        try:
            auth.status(self._command, self._config_dir, self._environment())
        except FailoverError as error:
            return str(error)
        return ""

    @contextlib.contextmanager
    def _started(self, resume: bool) -> Iterator[ProcessId]:
        """Start the binary by launch files of ours in a terminal of its own; it is gone afterwards."""
        script = launch.write_launch_files(
            LaunchSpec(
                session="probe", account="probe", launch=_LAUNCH, conversation=self._conversation, cwd=self._cwd,
                config_dir=self._config_dir, command=self._command, env=self._environment(), resume=resume,
                prompt=None if resume else "hello", directory=self._root / "l", control_socket=self._root / "s",
            )
        )  # fmt: skip
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 160, 0, 0))
        child = subprocess.Popen(
            ["sh", "-c", _ON_TERMINAL, "sh", str(script), os.ttyname(theirs)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env=self._environment(), start_new_session=True,
        )  # fmt: skip
        done = threading.Event()
        drain = threading.Thread(target=_drain, args=(ours, done), daemon=True)
        drain.start()
        one = process.identify(child.pid) or ProcessId(child.pid, 0)
        try:
            yield one
        finally:
            # It is our own child and not waited for yet, so its number is still its own.
            with contextlib.suppress(ProcessLookupError):
                child.send_signal(signal.SIGKILL)
            child.wait(10)
            done.set()
            drain.join(2)
            os.close(ours)
            os.close(theirs)

    def _entry(self, one: ProcessId) -> registry.RegistryEntry | None:
        """Wait for the record of a process that is in the conversation and at rest."""
        sessions = self._config_dir / "sessions"

        def at_rest() -> registry.RegistryEntry | None:
            found = next((entry for entry in registry.read_all(sessions) if entry.pid == one.pid), None)
            return found if found and found.status == "idle" else None

        self._wait(lambda: at_rest() or not process.alive(one))
        return at_rest()

    def _registry(self, one: ProcessId, entry: registry.RegistryEntry | None) -> str:
        if entry is None:
            alive = "lives but" if process.alive(one) else "ended and"
            return f"a session that was started {alive} has no record in sessions/ that says it is idle"
        if entry.start != one.start:
            return "procStart in sessions/ is not the time at which the process started"
        if entry.conversation != self._conversation:
            return "sessionId in sessions/ is not the conversation that was asked for"
        return ""

    def _hooks(self) -> str:
        wanted = {"SessionStart", "UserPromptSubmit"}
        seen: dict[str, hooks.HookBody] = {}

        def all_seen() -> bool:
            for body in list(self._entrance.hooks):
                hook = hooks.parse(body)
                seen[hook.hook_event_name] = hook
            return wanted <= set(seen)

        try:
            self._wait(all_seen)
        except FailoverError as error:
            return str(error)
        if missing := wanted - set(seen):
            return f"no hook {' and no '.join(sorted(missing))} came from the settings that a session is started with"
        if seen["UserPromptSubmit"].prompt != "hello":
            return "the hook UserPromptSubmit does not carry the prompt"
        return ""

    def _statusline(self) -> str:
        if not self._wait(lambda: bool(self._entrance.statuslines)):
            return "the statusline of the settings that a session is started with was not run"
        try:
            body = msgspec.json.decode(self._entrance.statuslines[-1])
        except (msgspec.MsgspecError, RecursionError):
            return "the statusline is given no JSON"
        known = isinstance(body, dict) and body.get("session_id") == self._conversation
        return "" if known else "the statusline's JSON does not say session_id"

    def _stop(self, one: ProcessId, entry: registry.RegistryEntry | None) -> str:
        self._wait(lambda: self._transcript() is not None)  # its first records are written a little after the hook
        if not process.send_signal(one, signal.SIGTERM):
            return "it ended by itself"
        if not self._wait(lambda: not process.alive(one)):
            return f"it did not end within {self._patience:g} s of a SIGTERM"
        return f"its record {entry.path.name} stays after a SIGTERM" if entry and entry.path.exists() else ""

    def _resume(self) -> str:
        if self._transcript() is None:
            return "a prompt left no transcript projects/FOLDER/CONVERSATION.jsonl"
        with self._started(resume=True) as one:
            entry = self._entry(one)
        if entry is None or entry.conversation != self._conversation:
            return "--resume does not go on in the conversation"
        return ""

    def _transcript(self) -> Path | None:
        return transcript.locate(self._config_dir, self._cwd, self._conversation)

    def _wait(self, condition: Callable[[], object]) -> bool:
        until = time.monotonic() + self._patience
        while not condition():
            if time.monotonic() > until:
                self._patience = min(self._patience, _IMPATIENT)
                return False
            time.sleep(0.02)
        return True


def _drain(terminal: int, done: threading.Event) -> None:
    """Read what a program shows, so that it never waits for its terminal."""
    with contextlib.suppress(OSError):
        while not done.is_set():
            if select.select([terminal], [], [], 0.1)[0] and not os.read(terminal, 65536):
                return
