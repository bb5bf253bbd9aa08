"""What the parts of one simulated session share: identity, files, hooks, status, queue."""

from __future__ import annotations

import threading
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from failover.sim.cli.ask import Asker
from failover.sim.cli.hooks import Hooks, Outcome
from failover.sim.cli.log import note
from failover.sim.cli.options import Home, Options, Settings
from failover.sim.cli.registry import Registry
from failover.sim.cli.screen import Dialog, Screen
from failover.sim.cli.statusline import StatusLine
from failover.sim.cli.tools import Shells
from failover.sim.cli.transcript import Transcript

_EFFORT = {"level": "medium"}
_WITH_MODE = ("UserPromptSubmit", "PreToolUse", "PostToolUse", "PostToolUseFailure", "PostToolBatch", "Stop",
              "SubagentStop", "PermissionRequest")  # fmt: skip


@dataclass
class Queued:
    """Something that waits for its turn: a prompt, or a notification of a background task."""

    text: str
    source: str = "typed"  # typed | queued | system
    notification: bool = False
    hooked: bool = False  # UserPromptSubmit has seen it


@dataclass
class Background:
    """A sub-agent or a shell at work in the background."""

    ident: str
    kind: str  # subagent | shell
    description: str
    command: str = ""

    def shown(self) -> dict[str, Any]:
        """Return the entry of `background_tasks` in a hook's body."""
        shown = {"id": self.ident, "type": self.kind, "status": "running", "description": self.description}
        return {**shown, **({"command": self.command} if self.kind == "shell" else {"agent_type": "general-purpose"})}


@dataclass
class Session:
    """One session; everything in it may be used from several threads."""

    options: Options
    home: Home
    settings: Settings
    screen: Screen
    started: float = field(default_factory=time.time)
    prompt_id: str | None = None
    tasks: dict[str, Background] = field(default_factory=dict)
    queue: list[Queued] = field(default_factory=list)
    busy: bool = False
    ending: bool = False

    def __post_init__(self) -> None:
        conversation = self.options.conversation
        self.lock = threading.RLock()
        self.wake = threading.Condition(self.lock)
        self.path = self.home.transcript(conversation)
        self._helped: dict[str, Any] | None = None
        common = {"cwd": str(self.home.cwd), "sessionId": conversation, "session_id": conversation,
                  "version": self.options.version, "gitBranch": "HEAD", "userType": "external",
                  "entrypoint": "cli"}  # fmt: skip
        self.common = common
        self.transcript = Transcript(self.path, common)
        self.hooks = Hooks(self.settings.hooks, self.screen.say)
        self.shells = Shells(conversation)
        self.registry: Registry | None = None
        self.askers: list[Asker] = []
        self.main = self.asker(self.screen.say_more, self._retrying)
        self.status_line = StatusLine(self.settings.status_line, self._status_body, self._status_shown)

    def asker(self, on_word: Any, on_retry: Any) -> Asker:
        """Make a line to the API for the main conversation or a sub-agent."""
        made = Asker(self.options.conversation, self.options.model, self.token, on_word, on_retry)
        made.limits = self.askers[0].limits if self.askers else made.limits
        self.askers.append(made)
        return made

    def token(self) -> str | None:
        """Return the made-up token or key that counts now."""
        found = self.login().get("token")
        return None if found is None else str(found)

    def login(self) -> dict[str, Any]:
        """Return the made-up login; a key that a helper printed is kept (by the real one for five minutes)."""
        if self.settings.helper and self._helped is None:
            self._helped = self.home.login(self.settings.helper)
        return self._helped or self.home.login()

    def hook(self, event: str, agent: str | None = None, matcher: str = "", final: bool = False,
             **fields: Any) -> Outcome:  # fmt: skip
        """Run the hooks of an event with the fields that every body has."""
        body: dict[str, Any] = {"session_id": self.options.conversation, "transcript_path": str(self.path)}
        body["cwd"] = str(self.home.cwd)
        if self.prompt_id is not None:
            body["prompt_id"] = self.prompt_id
        if event in _WITH_MODE:
            body["permission_mode"] = self.options.mode
        if agent is not None:
            body |= {"agent_id": agent, "agent_type": "general-purpose"}
        if event in _WITH_MODE[1:] or event == "StopFailure":
            body["effort"] = _EFFORT
        return self.hooks.run(event, {**body, "hook_event_name": event, **fields}, matcher, final)

    def clear(self) -> None:
        """Go on with a new conversation in the same process (`/clear`)."""
        self.hook("SessionEnd", reason="clear")
        self.transcript.flush()
        self.options.conversation = conversation = str(uuid.uuid4())
        self.prompt_id = None
        self.path = self.home.transcript(conversation)
        self.common |= {"sessionId": conversation, "session_id": conversation}
        self.transcript = Transcript(self.path, self.common)
        for asker in self.askers:
            asker.conversation = conversation
        if self.registry is not None:
            self.registry.turn_to(conversation)
        self.transcript.begin_cleared()
        self.note("cleared")
        self.hook("SessionStart", source="clear")  # without the model (measured on 2.1.330)
        self.show_status()

    def new_prompt_id(self) -> None:
        """Begin a new prompt."""
        self.prompt_id = str(uuid.uuid4())

    def show_status(self, activity: str | None = None) -> None:
        """Bring registry and pane in line with what is going on."""
        with self.lock:
            agents = any(t.kind == "subagent" for t in self.tasks.values())
            if self.busy:
                status, shown = "busy", activity or self.screen.activity or "Working…"
            elif agents:
                status, shown = "busy", "Waiting for background agents to finish"
            else:
                status, shown = "shell" if self.tasks else "idle", None
            self.screen.activity = shown
            self.screen.queued = [q.text for q in self.queue if not q.notification]
            if self.registry is not None and self.screen.dialog is None:
                self.registry.set(status)
        self.screen.draw()
        self.status_line.changed()

    def ask_user(self, dialog: Dialog, waiting_for: str) -> int:
        """Show a question and wait for its answer: the option's index, -1 for Esc."""
        dialog.done = threading.Event()
        with self.lock:
            self.screen.dialog = dialog
            if self.registry is not None:
                self.registry.set("waiting", waiting_for)
        self.screen.draw()
        dialog.done.wait()
        with self.lock:
            self.screen.dialog = None
        self.show_status()
        return -1 if dialog.answer is None else dialog.answer

    def enqueue(self, item: Queued) -> None:
        """Put a prompt or a notification in the queue; the turn loop takes it."""
        with self.lock:
            if self.busy or item.notification:
                self.transcript.plain("queue-operation", operation="enqueue", content=item.text)
                item.source = "system" if item.notification else "queued"
            self.queue.append(item)
            self.wake.notify_all()
        if self.busy:
            self.show_status()

    def background(self) -> list[dict[str, Any]]:
        """Return `background_tasks` as hooks show it."""
        with self.lock:
            return [t.shown() for t in self.tasks.values()]

    def note(self, event: str, **fields: Any) -> None:
        """Write to the process log."""
        account = self.login().get("account")
        note(event, conversation=self.options.conversation, account=account, **fields)

    def task_output(self, ident: str) -> Path:
        """Return the path that a background task's result names."""
        return Path("/tmp/claude-sim") / self.home.slug / self.options.conversation / "tasks" / f"{ident}.output"

    def _retrying(self, text: str) -> None:
        self.show_status(text)

    def _status_shown(self, text: str) -> None:
        self.screen.status_line = text
        self.screen.draw()

    def _cost(self) -> float:
        """Return what the whole conversation has cost, over all accounts, as the real one tells it."""
        answers: int = sum(message["role"] == "assistant" for message in self.transcript.messages)
        return round(0.0012 * answers, 6)

    def _status_body(self) -> dict[str, Any]:
        body: dict[str, Any] = {
            "session_id": self.options.conversation, "transcript_path": str(self.path), "cwd": str(self.home.cwd),
            "prompt_id": self.prompt_id, "effort": _EFFORT,
            "model": {"id": self.options.model, "display_name": "Opus 5.5"},
            "workspace": {"current_dir": str(self.home.cwd), "project_dir": str(self.home.cwd), "added_dirs": []},
            "version": self.options.version, "output_style": {"name": "default"},
            "cost": {"total_cost_usd": self._cost(), "total_duration_ms": int((time.time() - self.started) * 1000)},
            "context_window": {"total_input_tokens": 2100, "context_window_size": 1000000, "used_percentage": 0},
            "exceeds_200k_tokens": False, "prompt_cache": {"warm": True, "recache_tokens_if_cold": 2100},
        }  # fmt: skip
        if self.main.limits and self.login().get("method") != "api_key_helper":
            body["rate_limits"] = dict(self.main.limits)
        return body
