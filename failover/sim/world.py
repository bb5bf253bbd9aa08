"""A whole host in a folder: made-up accounts, a fake API, projects, a configuration, a tmux server and a daemon.

For the demo, the tests and the benchmarks. Everything it starts ends with `close`; nothing of the user's own is touched
and no traffic leaves loopback. Below the daemon nothing is pretended: supervisord, bus, store and tmux are the real
ones, and with `real` the binary is Claude Code itself.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from failover import clock
from failover.config import Config, load
from failover.host import process
from failover.host.process import ProcessId
from failover.host.tmux import Tmux
from failover.sim import real_cli
from failover.sim.api import Api
from failover.store import sessions
from failover.store.db import Store

T = TypeVar("T")

#: A tool for tasks: it notes its start, its end and its pane, so that an audit need not believe anybody's word.
_STEP = """#!/bin/sh
# step TASK NUMBER SECONDS: work for a while and leave a trace.
note() {
    printf '{"t": %s, "task": "%s", "step": %s, "event": "%s", "pid": %s, "pane": "%s"}\\n' \\
        "$(date +%s.%3N)" "$1" "$2" "$3" $$ "$TMUX_PANE" >>"@WITNESS@"
}
note "$1" "$2" start
sleep "$3"
note "$1" "$2" end
echo "step $2 of $1 done"
"""


class World:
    """One made-up host. `with World(...) as world:` starts its API; `up` starts the daemon."""

    def __init__(
        self,
        *,
        real: Path | None = None,
        accounts: Sequence[str] = ("main", "backup", "spare"),
        sessions: Mapping[str, str] | None = None,
        settings: Mapping[str, Any] | None = None,
        failover: Mapping[str, Any] | None = None,
        extra: Mapping[str, Any] | None = None,
        root: Path | None = None,
        wrong_clock: bool = False,
    ) -> None:
        """Make the folders and the configuration.

        real: the real binary, None for the simulated one; sessions: name → project; settings: the user's own
        settings.json in the shared tree; failover, extra: sections of the configuration; wrong_clock: the time of day
        of roles and simulated binaries can be set wrong (`set_clock`).
        """
        self.root = root or Path(tempfile.mkdtemp(prefix="cf-"))
        self.real = real is not None
        self.socket = f"failover-{self.root.name}"
        self.shared, self.state = self.root / "claude", self.root / "state"
        self.witness, self.sim_log = self.root / "witness.jsonl", self.root / "sim.jsonl"
        self.home = self.root / "home"
        for folder in (self.shared, self.home):
            folder.mkdir()
        self.sessions = dict(sessions or {"ccl-0": "app"})
        self.projects = {name: self.root / "projects" / name for name in sorted(set(self.sessions.values()))}
        for project in self.projects.values():
            (project / ".agent-queue" / "inbox").mkdir(parents=True)
        own = {"skipDangerousModePermissionPrompt": True, **(settings or {})}
        (self.shared / "settings.json").write_text(json.dumps(own))
        self.accounts = {name: self.root / "accounts" / name for name in accounts}
        for name, folder in self.accounts.items():
            folder.parent.mkdir(exist_ok=True)
            real_cli.config_dir(folder, name, real=self.real, shared=None, settings=None)
            (folder / "settings.json").unlink(missing_ok=True)  # the shared one is linked by the daemon
        self.step = self.root / "step"
        self.step.write_text(_STEP.replace("@WITNESS@", str(self.witness)))
        self.step.chmod(0o755)
        self.witness.touch()
        self.command = real if real is not None else real_cli.sim_claude(self.root / "bin")
        self.api = Api(self.root / "api.jsonl")
        self._failover, self._extra = dict(failover or {}), dict(extra or {})
        self._clock = self.root / "clock-off-by" if wrong_clock else None
        self._seen: set[ProcessId] = set()

    # -- life -----------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        self.api.start()
        self.write_config()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def write_config(self) -> None:
        """Write config.yaml; call it again after changing what it says."""
        env = {
            "HOME": str(self.home),
            "IS_SANDBOX": "1",
            "SHELL": "/bin/bash",
            **real_cli.api_environment(self.api.url),
        }
        # The real binary would ask the provider by name, so that nobody is asked unless a test wants it.
        wanted = {"poll": False, **self._extra.get("usage", {})}
        if wanted["poll"]:
            del env["CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC"]  # with it the binary asks nobody
        if not self.real:
            env["FAILOVER_SIM_LOG"] = str(self.sim_log)
        config = {
            "version": 1,
            "state_dir": str(self.state),
            "shared_dir": str(self.shared),
            # This operator lets the agents of this made-up host do anything: there is nothing else on it.
            "claude": {"command": str(self.command), "args": ["--dangerously-skip-permissions"], "env": env},
            "accounts": [{"name": name, "config_dir": str(folder)} for name, folder in self.accounts.items()],
            "sessions": [
                {"name": name, "project": str(self.projects[project])} for name, project in self.sessions.items()
            ],
            "projects": [str(project) for project in self.projects.values()],
            "http": {"listen": "127.0.0.1:0"},
            "tmux": {"socket": self.socket},
            "failover": self._failover,
            **self._extra,
            "usage": wanted,
        }
        self.config_file.write_text(json.dumps(config, indent=1))  # JSON is YAML

    @property
    def config_file(self) -> Path:
        """Return where the configuration is."""
        return self.root / "config.yaml"

    @property
    def config(self) -> Config:
        """Return the configuration."""
        return load(self.config_file)

    def environment(self) -> dict[str, str]:
        """Return the environment of the operator of this host."""
        keep = {name: os.environ[name] for name in ("PATH", "LANG", "TERM", "PYTHONPATH") if name in os.environ}
        off = {clock.VARIABLE: str(self._clock)} if self._clock else {}
        return {**keep, **off, "HOME": str(self.home), "FAILOVER_CONFIG": str(self.config_file)}

    def set_clock(self, off_by: float) -> None:
        """Let the host's time of day be wrong from now on. off_by: seconds."""
        assert self._clock is not None
        fresh = self._clock.with_suffix(".new")
        fresh.write_text(str(off_by))
        fresh.replace(self._clock)

    def cli(self, *arguments: str, check: bool = True, timeout: float = 120.0) -> subprocess.CompletedProcess[str]:
        """Run `claude-failover ...` as the operator would. Raises RuntimeError when it fails and `check` is set."""
        done = subprocess.run(
            [sys.executable, "-c", "from failover.cli import main; main()", *arguments],
            env=self.environment(),
            cwd=Path(__file__).resolve().parents[2],
            capture_output=True,
            text=True,
            timeout=timeout,
        )
        if check and done.returncode:
            raise RuntimeError(f"claude-failover {' '.join(arguments)}: exit {done.returncode}: {done.stderr.strip()}")
        return done

    def up(self) -> None:
        """Start the daemon."""
        self.cli("up", "--wait", "60")

    def launch(self, *names: str, account: str = "") -> None:
        """Start sessions (all, if none are named) and wait until each is idle."""
        self.cli("sessions", "launch", *names, *(["--account", account] if account else []))
        for name in names or self.sessions:
            self.wait(lambda name=name: self.state_of(name) == "idle", f"{name} idle", 60)  # type: ignore[misc]

    def close(self) -> None:
        """End everything of this host and remove its folder."""
        self._remember()
        with contextlib.suppress(Exception):
            self.cli("down", check=False, timeout=60)
        tmux = ["tmux", "-L", self.socket]
        server = subprocess.run([*tmux, "display-message", "-p", "#{pid}"], capture_output=True, text=True, timeout=20)
        subprocess.run([*tmux, "kill-server"], capture_output=True, timeout=20)
        # Until its foster parent has taken notice, the dead server still stands in the process table.
        until = time.monotonic() + 5
        while server.stdout.strip() and Path("/proc", server.stdout.strip()).exists() and time.monotonic() < until:
            time.sleep(0.02)
        self._remember()
        for one in self._seen:
            process.send_signal(one, signal.SIGKILL)
        self.api.stop()
        socket = Path(os.environ.get("TMUX_TMPDIR") or "/tmp", f"tmux-{os.geteuid()}", self.socket)
        socket.unlink(missing_ok=True)
        shutil.rmtree(self.root, ignore_errors=True)

    def _remember(self) -> None:
        """Note every process that was started with a path of this host: they are ours beyond doubt."""
        own = os.getpid()
        self._seen |= {
            one
            for one in process.with_argument(f"{self.root}/")
            if one.pid != own and not any("pytest" in argument for argument in process.cmdline(one))
        }
        self._seen = {one for one in self._seen if process.alive(one)}

    # -- looking --------------------------------------------------------------------------------------

    @property
    def store(self) -> Store:
        """Return a fresh look at the store."""
        return Store.read_only(self.config.paths.store)

    def state_of(self, session: str) -> str:
        """Return what the session-watcher says of a session."""
        with contextlib.closing(self.store) as store:
            seen = sessions.sightings(store).get(session)
        return seen.state if seen else ""

    def placement(self, session: str) -> sessions.Placement:
        """Return where a session is placed."""
        with contextlib.closing(self.store) as store:
            return sessions.placements(store)[session]

    def query(self, sql: str, *args: object) -> list[Any]:
        """Return rows of the store."""
        with contextlib.closing(self.store) as store:
            return store.query(sql, args)

    @property
    def tmux(self) -> Tmux:
        """Return this host's tmux server."""
        return Tmux(self.socket, conf="/dev/null")

    def screen(self, session: str) -> str:
        """Return what a session's pane shows."""
        return self.tmux.capture(self.tmux.panes()[session].pane_id)

    def type(self, session: str, text: str) -> None:
        """Type a prompt into a session as a person would, and press Enter."""
        pane = self.tmux.panes()[session].pane_id
        self.tmux.paste(pane, text)
        self.wait(lambda: text[:20] in self.screen(session), f"{text!r} on the screen of {session}", 10)
        self.tmux.keys(pane, "Enter")

    def wait(self, condition: Callable[[], T | None], what: str, timeout: float = 30.0) -> T:
        """Return the first true value of `condition`. Raises TimeoutError, with what the sessions show."""
        until = time.monotonic() + timeout
        while not (value := condition()):
            if time.monotonic() > until:
                raise TimeoutError(f"waited {timeout:g} s for {what}\n{self.report()}")
            time.sleep(0.02)
        return value

    def report(self) -> str:
        """Return what one needs to see when something did not come."""
        lines = []
        with contextlib.suppress(Exception):
            for row in self.query("SELECT name, state, note FROM sessions"):
                lines.append(f"{row['name']} {row['state']} {row['note']}")
            for row in self.query("SELECT role, did FROM roles"):
                lines.append(f"{row['role']}: {row['did']}")
            for name in self.sessions:
                lines += [f"--- {name}", *[line for line in self.screen(name).splitlines() if line.strip()][-12:]]
        return "\n".join(lines)

    # -- what others saw -------------------------------------------------------------------------------

    def steps(self) -> list[dict[str, Any]]:
        """Return what the tools noted of themselves."""
        return [json.loads(line) for line in self.witness.read_text().splitlines()]

    def simulated(self) -> list[dict[str, Any]]:
        """Return what the simulated binaries noted of themselves (none with the real one)."""
        text = self.sim_log.read_text() if self.sim_log.exists() else ""
        return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]
