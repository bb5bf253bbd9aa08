"""The host of a reader: a home with everything where the pages say that it is, and a shell to type into."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import subprocess
import sys
import termios
import threading
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from failover.sim import real_cli
from failover.sim.world import World
from tests.cli.run import ROOT
from tests.waiting import wait_for

SESSIONS = ("ccl-0", "ccl-1", "ccl-2", "ccl-3")


class Host(World):
    """A home with the accounts main and backup, the sessions ccl-0 to ccl-3 in ~/src/app, and ~/src/other for nobody.

    All is at its default place (configuration, state dir, shared tree, the tmux server `default`): below a home, with a
    folder for tmux's sockets and a working folder that shows the checkout. Only the HTTP address is another one.
    TMUX_TMPDIR has to be `root` in this process's environment too.
    """

    def __init__(self, root: Path) -> None:
        assert os.environ["TMUX_TMPDIR"] == str(root), "else the tmux server would be that of whoever runs the tests"
        super().__init__(
            root=root, accounts=(), sessions=dict.fromkeys(SESSIONS, "app"),
            extra={"notify": [{"kind": "file", "path": str(root / "notices.jsonl")}]},
        )  # fmt: skip
        self.socket = "default"
        self.state = self.home / ".local" / "state" / "claude-failover"
        self.shared = self.shared.rename(self.home / ".claude")  # with the settings of this host's operator
        self.projects = {name: self.home / "src" / name for name in ("app", "other")}
        for project in self.projects.values():
            (project / ".agent-queue" / "inbox").mkdir(parents=True)
        self.accounts = {name: self.home / f".claude-{name}" for name in ("main", "backup")}
        for name, folder in self.accounts.items():
            real_cli.config_dir(folder, name, real=False, shared=None, settings=None)
            (folder / "settings.json").unlink()
        self.here = root / "checkout"
        self.here.mkdir()
        for entry in ROOT.iterdir():
            if not entry.name.startswith("."):
                (self.here / entry.name).symlink_to(entry)
        self._prelude = 'curl() { command curl --silent --show-error --fail-with-body "$@"; }\n'

    @property
    def config_file(self) -> Path:
        return self.home / ".config" / "claude-failover" / "config.yaml"

    def write_config(self) -> None:
        """Write nothing: the pages that begin with `init` do, and the others call `configure`."""

    def configure(self) -> None:
        """Write the configuration, as `init` would, with the four sessions."""
        self.config_file.parent.mkdir(parents=True, exist_ok=True)
        super().write_config()
        self.config_file.chmod(0o600)

    def environment(self) -> dict[str, str]:
        programs = f"{self.root / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}"
        return {
            "HOME": str(self.home), "PATH": programs, "TMUX_TMPDIR": str(self.root), "LANG": "C.UTF-8",
            "TERM": "xterm-256color", "SHELL": "/bin/bash", "BROWSER": "true", "COLUMNS": "100",
        }  # fmt: skip

    def running(self) -> bool:
        """Tell whether a daemon serves this host."""
        return (self.state / "run" / "control.sock").exists()

    def typed(self, text: str) -> str:
        """Return a command with what differs on this host: the address, and places outside the home."""
        if "127.0.0.1:7717" in text:
            text = text.replace("127.0.0.1:7717", urlsplit(self.cli("page", "--read").stdout.strip()).netloc)
        return text.replace("/elsewhere", f"{self.root}/elsewhere")

    def shell(self, text: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """Run a command in a shell, after the assignments of the page so far."""
        if text.startswith("export ") or "=$(" in text.partition(" ")[0]:
            self._prelude += f"{text}\n"
            text = ":"
        return subprocess.run(
            ["bash", "-c", f"set -euo pipefail\n{self._prelude}{self.typed(text)}"], env=self.environment(),
            cwd=self.here, capture_output=True, text=True, timeout=timeout, stdin=subprocess.DEVNULL,
        )  # fmt: skip

    def watch(self, text: str, shows: str, poke: Callable[[], object], keys: str) -> tuple[int, str]:
        """Run a command on a terminal until it shows something, poking meanwhile; then press keys and let it end.

        Returns how it ended and what was on the terminal. Raises AssertionError when it shows it not.
        """
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, b"\x1e\x00\x78\x00\x00\x00\x00\x00")  # 30 lines of 120
        process = subprocess.Popen(
            ["setsid", "--ctty", "--wait", "bash", "-c", f"{self._prelude}{self.typed(text)}"],
            env=self.environment(), cwd=self.here, stdin=theirs, stdout=theirs, stderr=theirs,
        )  # fmt: skip
        os.close(theirs)
        heard = bytearray()

        def read() -> None:
            try:
                while got := os.read(ours, 4096):
                    heard.extend(got)
            except OSError:  # its other end was closed
                return

        reader = threading.Thread(target=read)
        reader.start()
        try:

            def seen() -> bool:
                assert process.poll() is None or shows in heard.decode(errors="replace"), heard.decode(errors="replace")
                if shows in heard.decode(errors="replace"):
                    return True
                poke()
                return False

            wait_for(seen, 60, f"{shows!r} from {text}")
            os.write(ours, keys.encode())
            return process.wait(60), heard.decode(errors="replace")
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
                process.wait()
            os.close(ours)
            reader.join(10)
