"""A host of the old world: two accounts, six sessions under five shell scripts, cron, and a person who types.

Everything is real but the accounts, the API and cron's own daemon: a table of lines stands for the crontab, and its
minutes pass when a test says so. With the real binary nothing of it differs.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from failover.claude import registry, transcript
from failover.host import process
from failover.host.process import ProcessId
from failover.host.tmux import Tmux
from failover.sim import real_cli
from failover.sim.api import Api
from tests.cli.run import ROOT
from tests.places import short_dir
from tests.waiting import wait_for

OLD = Path(__file__).with_name("old_world")
SCRIPTS = ("launch-agent.sh", "graceful-switch.sh", "watchdog.sh", "checkpoint-daemon.sh", "start-dedicated-agents.sh")
POOL = ("ccl-0", "ccl-1", "ccl-2", "ccl-3")
DEDICATED = ("ccl-auto-11", "ccl-auto-12")
SESSIONS = (*POOL, *DEDICATED)


class Seen(NamedTuple):
    """A session as somebody sees it who only looks: process, pane, what was said in it, conversation."""

    one: ProcessId
    pane: str
    pane_pid: int
    screen: str
    conversation: str
    account: str


class OldHost:
    """The host. Use `old_host`."""

    def __init__(self, place: Path, real: Path | None) -> None:
        self.home = place / "home"
        self.bin, self.agents = self.home / "bin", self.home / ".agents"
        for folder in (self.bin, self.agents, self.home / "tmux"):
            folder.mkdir(parents=True)
        if real is None:
            real_cli.sim_claude(self.bin)
        else:
            (self.bin / "claude").symlink_to(real)
        self.api = Api(place / "api.jsonl")
        self.api.start()
        self.real, self.sim_log = real is not None, place / "sim.jsonl"
        self.tmux = Tmux()
        self._folders()
        self._scripts(place)
        self._seen: set[ProcessId] = set()

    def _folders(self) -> None:
        """Make projects and accounts: the scripts' way to let conversations go on was one link, to `projects`."""
        folders = {name: self.home / "src" / f"app-{name[-1]}" for name in POOL}
        folders |= dict.fromkeys(DEDICATED, self.home / "src" / "other")
        self.folders = folders
        for name, folder in folders.items():
            (folder / ".agent-queue" / "inbox").mkdir(parents=True, exist_ok=True)
            (self.agents / f"{name}.folder").write_text(f"{folder}\n")
        (self.agents / "account").write_text("main\n")
        shared = self.home / ".claude-shared" / "projects"
        shared.mkdir(parents=True)
        for name in ("main", "backup"):
            folder = self.config_dir(name)
            real_cli.config_dir(folder, name, set(folders.values()), real=self.real, settings={"theme": "dark"})
            (folder / "projects").symlink_to(shared)

    def _scripts(self, place: Path) -> None:
        gateway = {**real_cli.api_environment(self.api.url), "TMUX_TMPDIR": str(self.home / "tmux")}
        if not self.real:
            gateway["FAILOVER_SIM_LOG"] = str(self.sim_log)
        (self.agents / "gateway.env").write_text("".join(f"export {key}={value}\n" for key, value in gateway.items()))
        for name in (*SCRIPTS, "agents.env"):
            shutil.copy(OLD / name, self.bin / name)
        shutil.copy(OLD / "crontab-shim.sh", self.bin / "crontab")
        (self.home / ".profile").write_text(f'PATH={self.bin}:$PATH\n. "{self.agents}/gateway.env"\n')
        (self.home / ".crontab").write_text((OLD / "crontab").read_text().replace("@HOME@", str(self.home)))
        venv = place / "venv"
        venv.mkdir()
        program = venv / "claude-failover"
        program.write_text(
            f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -c "from failover.cli import main; main()" "$@"\n'
        )
        program.chmod(0o755)
        for name in SCRIPTS:  # ours of the same names come with the package
            shutil.copy(ROOT / "scripts" / name, venv / name)
        self.environment = {
            "HOME": str(self.home), "LOGNAME": "op", "SHELL": "/bin/bash", "TERM": "xterm-256color", "LANG": "C.UTF-8",
            "PATH": f"{venv}:{self.bin}:/usr/local/bin:/usr/bin:/bin", "IS_SANDBOX": "1", **gateway,
        }  # fmt: skip

    def config_dir(self, account: str) -> Path:
        return self.home / f".claude-{account}"

    # -- what the operator and cron do ------------------------------------------------------------------

    def sh(self, line: str, code: int | None = 0, timeout: float = 120.0) -> subprocess.CompletedProcess[str]:
        """Type a line into the operator's shell, which must end with `code` (None: anyhow)."""
        done = subprocess.run(
            ["bash", "-c", line], env=self.environment, cwd=self.home, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=timeout,
        )  # fmt: skip
        assert code in (None, done.returncode), f"{line}: exit {done.returncode}\n{done.stdout}{done.stderr}"
        return done

    def cron(self, when: str = "* * * * *") -> list[str]:
        """Let a minute pass (or the host boot: "@reboot"), and return what cron started."""
        table = (self.home / ".crontab").read_text().splitlines()
        due = [line.removeprefix(when).strip() for line in table if line.startswith(when)]
        settings = dict(line.split("=", 1) for line in table if line.startswith("PATH="))
        for command in due:
            subprocess.run(
                ["/bin/sh", "-c", command], cwd=self.home, env={"HOME": str(self.home), "LOGNAME": "op", **settings},
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=120,
            )  # fmt: skip
        return due

    def say(self, name: str, text: str) -> None:
        """Type a prompt into a session, and wait until it was answered and all is quiet."""
        conversation = self.look(name).conversation
        pane = self.tmux.panes()[name].pane_id
        self.tmux.paste(pane, text)
        wait_for(lambda: text[:40] in self.screen(name), 20, f"{text!r} on the screen of {name}")
        self.tmux.keys(pane, "Enter")
        try:
            wait_for(lambda: text in self.turns(conversation), 15, f"{text!r} taken in {name}")
        except AssertionError:
            # One that was just started may let a key fall: a person sees the text stand there, and presses it again.
            self.tmux.keys(pane, "Enter")
        wait_for(lambda: self._answered(conversation, text), 60, f"an answer to {text!r} in {name}")
        wait_for(lambda: self.status(name) == "idle", 30, f"{name} to be idle")

    def _answered(self, conversation: str, text: str) -> bool:
        texts = self.turns(conversation)
        return text in texts and texts.index(text) < len(texts) - 1

    # -- looking ----------------------------------------------------------------------------------------

    def entries(self) -> list[registry.RegistryEntry]:
        """Return who says in a registry that he runs, and does."""
        folders = {Path(os.path.realpath(self.config_dir(name) / "sessions")) for name in ("main", "backup")}
        found = [entry for folder in folders for entry in registry.read_all(folder)]
        return [entry for entry in found if process.alive(ProcessId(entry.pid, entry.start))]

    def entry(self, name: str) -> registry.RegistryEntry | None:
        """Return the entry of the binary in a session's pane, or below the shell in it."""
        pane = self.tmux.panes().get(name)
        if pane is None or pane.dead:
            return None
        return next((one for one in self.entries() if pane.pid in (one.pid, *process.ancestors(one.pid))), None)

    def status(self, name: str) -> str:
        entry = self.entry(name)
        return entry.status if entry else ""

    def look(self, name: str) -> Seen:
        entry, pane = self.entry(name), self.tmux.panes()[name]
        assert entry is not None, f"nobody runs in {name}:\n{self.screen(name)}"
        one = ProcessId(entry.pid, entry.start)
        # Up to the end of the last turn: what the binary shows below it are hints that come and go by themselves.
        said, ended, rest = self.screen(name).rpartition("\n✻ ")
        text = said + ended + rest.partition("\n")[0]
        return Seen(one, pane.pane_id, pane.pid, text, entry.conversation, self.account(name))

    def account(self, name: str) -> str:
        """Return the account that a session was started under, empty while nobody runs in it."""
        entry = self.entry(name)
        environ = process.environ(ProcessId(entry.pid, entry.start)) if entry else {}
        return environ.get("CLAUDE_CONFIG_DIR", "").rpartition("-")[2]

    def screen(self, name: str) -> str:
        return self.tmux.capture(self.tmux.panes()[name].pane_id)

    def turns(self, conversation: str) -> list[str]:
        """Return what was said in a conversation, by either side, as its transcript has it."""
        path = transcript.locate(self.home / ".claude-shared", self.home, conversation)
        said: list[str] = []
        # The last line may be half-written.
        for line in path.read_text().split("\n")[:-1] if path else ():
            record = json.loads(line)
            if record.get("type") in ("user", "assistant") and not record.get("isMeta"):
                content = record["message"]["content"]
                blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
                said += [block["text"] for block in blocks if block["type"] == "text"]
        return said

    def simulated(self) -> list[dict[str, Any]]:
        """Return what the simulated binaries noted of themselves (none with the real one)."""
        text = self.sim_log.read_text() if self.sim_log.exists() else ""
        return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]

    def start(self) -> None:
        """Let the host be as it was for months: all sessions started by the scripts, the checkpoint daemon running."""
        for name in POOL:
            self.sh(f"~/bin/launch-agent.sh {name}")
        self.cron("@reboot")
        for name in SESSIONS:
            wait_for(lambda name=name: self.status(name) == "idle", 60, f"{name} to be idle")  # type: ignore[misc]

    def close(self) -> None:
        self._remember()
        self.sh("claude-failover down", code=None)
        self.sh("tmux kill-server", code=None)
        self._remember()
        for one in self._seen:
            process.send_signal(one, signal.SIGKILL)
        self.api.stop()

    def _remember(self) -> None:
        """Note every process that was started with a path of this host, or works in it: ours beyond doubt."""
        own = os.getpid()
        for one in process.of_user():
            try:
                cwd = str(Path(f"/proc/{one.pid}/cwd").readlink())
            except OSError:
                cwd = ""
            ours = any(f"{self.home}/" in argument for argument in process.cmdline(one)) or cwd.startswith(
                str(self.home)
            )
            if ours and one.pid != own:
                self._seen.add(one)
        self._seen = {one for one in self._seen if process.alive(one)}


@contextmanager
def old_host(real: Path | None) -> Iterator[OldHost]:
    """Give a host of the old world, and end all that runs on it. real: the real binary, None for the simulated one."""
    with short_dir() as place, pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMUX_TMPDIR", str(place / "home" / "tmux"))
        patch.delenv("TMUX", raising=False)
        host = OldHost(place, real)
        try:
            yield host
        finally:
            host.close()


class Twins:
    """Looks, every 50 ms, whether a conversation has two processes, by registries and by command lines."""

    def __init__(self, host: OldHost) -> None:
        self.seen: list[tuple[str, list[int]]] = []
        self.looks = 0
        self._host, self._over = host, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        known: set[str] = set()
        while not self._over.wait(0.05):
            self.looks += 1
            on: dict[str, set[int]] = defaultdict(set)
            for entry in self._host.entries():
                on[entry.conversation].add(entry.pid)
            known |= set(on)
            table = process.of_user()
            for one, words in table.items():
                for conversation in known.intersection(words):
                    on[conversation].add(one.pid)
            for conversation, pids in on.items():
                # A child has its parent's arguments until it becomes another program.
                own = [pid for pid in pids if not pids.intersection(process.ancestors(pid))]
                if len(own) > 1 and all(Path(f"/proc/{pid}").exists() for pid in own):
                    self.seen.append((conversation, own))

    def stop(self) -> None:
        self._over.set()
        self._thread.join(10)
