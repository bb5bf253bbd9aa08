"""A tmux server of a test's own, with sessions of either CLI in it."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import threading
import uuid
from pathlib import Path
from typing import Any

from failover.sim.api import Api
from failover.sim.real_cli import config_dir, environment, real_claude, sim_claude
from tests.waiting import wait_for

EVENTS = (
    *("SessionStart", "UserPromptSubmit", "PreToolUse", "PostToolUse", "PostToolUseFailure", "PostToolBatch", "Stop"),
    *("StopFailure", "SubagentStart", "SubagentStop", "PermissionRequest", "Notification", "SessionEnd"),
)

_HOOK = """import json, os, sys, time
body = json.load(sys.stdin)
name = body["hook_event_name"] + "-" + body["session_id"]
with open(sys.argv[1] + "/hooks.jsonl", "a") as out:
    out.write(json.dumps(body) + "\\n")
while os.path.exists(sys.argv[1] + "/hold-" + name) and "agent_id" not in body:
    time.sleep(0.02)
"""


class Stage:
    """A fake API, accounts, a work folder and a tmux server; `real` says which CLI is played."""

    def __init__(self, folder: Path, *, real: bool = False) -> None:
        self.folder = folder
        self.real = real
        self.work = folder / "app"
        self.work.mkdir()
        self.command = real_claude() if real else sim_claude(folder / "bin")
        self.api = Api(folder / "api.jsonl")
        self.socket = f"failover-test-{uuid.uuid4().hex[:10]}"
        self.log = folder / "sim.jsonl"
        (folder / "hook.py").write_text(_HOOK)
        command = f"{sys.executable} -S {folder}/hook.py {folder}"
        hook = {"hooks": [{"type": "command", "command": command, "timeout": 600}]}
        self.overlay = folder / "overlay.json"
        self.overlay.write_text(json.dumps({"hooks": {event: [hook] for event in EVENTS}}))

    def __enter__(self) -> Stage:
        self.api.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.tmux("kill-server")
        self.api.stop()

    def tmux(self, *arguments: str, text: str | None = None) -> str:
        command = ["tmux", "-u", "-L", self.socket, "-f", "/dev/null", *arguments]
        done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=20)
        return done.stdout

    def account(self, name: str, **options: Any) -> Path:
        settings = {"skipDangerousModePermissionPrompt": True}
        folder = self.folder / f"account-{name}"
        shared = self.folder / "shared"
        return config_dir(folder, name, [self.work], real=self.real, shared=shared, settings=settings, **options)

    def run(self, account: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the CLI that opens no session."""
        command = [str(self.command), *arguments]
        env = self.env(account)
        return subprocess.run(command, env=env, cwd=self.work, capture_output=True, text=True, timeout=30)

    def env(self, account: str) -> dict[str, str]:
        home = self.folder / "home"
        return environment(self.api.url, self.account(account), home, FAILOVER_SIM_LOG=str(self.log))


class Player:
    """One conversation on a stage; `launch` starts it or moves it to another account."""

    def __init__(self, stage: Stage, account: str = "a") -> None:
        self.stage = stage
        self.conversation = str(uuid.uuid4())
        self._mark = self.conversation[:8]
        self.account = account
        self.launches = 0
        self.pid = 0
        self.statuses: list[tuple[str, str | None]] = []
        self.exits: list[int] = []
        self._over = threading.Event()
        threading.Thread(target=self._watch, daemon=True).start()

    @property
    def name(self) -> str:
        return f"s{self.launches}-{self._mark}"

    def launch(self, *arguments: str, idle: bool = True, skip: bool = True, newest: bool = False) -> Player:
        """Start the binary; newest: with --continue, which is to find the conversation by itself."""
        stage = self.stage
        self.launches += 1
        which = ["--resume" if self.launches > 1 else "--session-id", self.conversation]
        words = [str(stage.command), *(["--continue"] if newest else which), "--settings", str(stage.overlay)]
        words += ["--dangerously-skip-permissions"] if skip else []
        env = [f"{key}={value}" for key, value in stage.env(self.account).items()]
        line = " ".join(map(shlex.quote, ["env", "-i", *env, *words, *arguments]))
        script = f"{line}; echo EXIT $?; exec sleep 600"
        stage.tmux("new-session", "-d", "-s", self.name, "-x", "120", "-y", "40", "-c", str(stage.work), script)
        if idle:
            wait_for(lambda: "❯\xa0" in self.screen(), 20, f"a prompt box:\n{self.screen()}")
            self.pid = wait_for(lambda: (self.entry() or {}).get("pid", 0), 10, "a registry entry")
        return self

    def resume(self, account: str, *arguments: str) -> Player:
        self.account = account
        return self.launch(*arguments)

    def screen(self) -> str:
        return self.stage.tmux("capture-pane", "-p", "-t", f"={self.name}:")

    def prompt(self, text: str) -> None:
        stage = self.stage
        stage.tmux("load-buffer", "-b", self.name, "-", text=text)
        stage.tmux("paste-buffer", "-d", "-p", "-b", self.name, "-t", f"={self.name}:")
        wait_for(lambda: text.splitlines()[0][:40] in self.screen(), 10, f"{text!r} in the box")
        self.press("Enter")

    def press(self, key: str) -> None:
        self.stage.tmux("send-keys", "-t", f"={self.name}:", key)

    def entry(self) -> dict[str, Any] | None:
        folder = self.stage.folder / "shared" / "sessions"
        for path in folder.glob("*.json"):
            try:
                found = json.loads(path.read_text())
            except (OSError, ValueError):
                continue
            if found.get("sessionId") == self.conversation:
                entry: dict[str, Any] = found
                return entry
        return None

    def turned(self) -> None:
        """Look at the other conversation that its process is in now."""
        path = self.stage.folder / "shared" / "sessions" / f"{self.pid}.json"
        was = self.conversation
        self.conversation = wait_for(
            lambda: found if (found := json.loads(path.read_text())["sessionId"]) != was else None, 10, "a new id"
        )

    def status(self) -> str | None:
        return (self.entry() or {}).get("status")

    def _watch(self) -> None:
        while not self._over.wait(0.02):
            entry = self.entry() or {}
            seen = (str(entry.get("status")), entry.get("waitingFor"))
            if "status" in entry and (not self.statuses or self.statuses[-1] != seen):
                self.statuses.append(seen)

    def done(self) -> None:
        """Stop watching the registry."""
        self._over.set()

    def wait_status(self, status: str, timeout: float = 20) -> None:
        entry = wait_for(
            lambda: next((e for e in [self.entry()] if e and e.get("status") == status), None),
            timeout,
            f"status {status} (now {self.status()})\n{self.screen()}",
        )
        self.statuses.append((status, entry.get("waitingFor")))

    def hooks(self) -> list[dict[str, Any]]:
        path = self.stage.folder / "hooks.jsonl"
        text = path.read_text() if path.exists() else ""
        bodies = [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]
        return [b for b in bodies if b["session_id"] == self.conversation]

    def count(self, event: str) -> int:
        return sum(b["hook_event_name"] == event for b in self.hooks())

    def agent_hooks(self, event: str) -> int:
        return sum(b["hook_event_name"] == event and "agent_id" in b for b in self.hooks())

    def wait_hook(self, event: str, count: int = 1, timeout: float = 20) -> None:
        wait_for(lambda: self.count(event) >= count, timeout, f"{count} × {event}")

    def hold(self, event: str) -> None:
        (self.stage.folder / f"hold-{event}-{self.conversation}").touch()

    def release(self, event: str) -> None:
        (self.stage.folder / f"hold-{event}-{self.conversation}").unlink()

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and wait for the death; return the exit code as the shell saw it."""
        os.kill(self.pid, number)
        wait_for(lambda: "EXIT " in self.screen(), 15, "the exit")
        self.exits.append(int(self.screen().rpartition("EXIT ")[2].split()[0]))
        return self.exits[-1]

    def records(self) -> list[dict[str, Any]]:
        (path,) = (self.stage.folder / "shared" / "projects").glob(f"*/{self.conversation}.jsonl")
        return [json.loads(line) for line in path.read_text().splitlines()]

    def requests(self) -> list[dict[str, Any]]:
        return self.stage.api.requests(self.conversation)

    def answers(self) -> list[dict[str, Any]]:
        return [r for r in self.records() if r["type"] == "assistant"]
