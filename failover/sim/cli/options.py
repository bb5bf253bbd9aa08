"""The command line and the files that shape a session: config dir, made-up token, merged settings."""

from __future__ import annotations

import json
import os
import re
import subprocess
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

VERSION = "2.1.330"
_WITH_VALUE = {"--session-id", "--resume", "-r", "--settings", "--permission-mode", "--model", "--output-format", "-n"}


class Problem(Exception):
    """The session cannot start; printed as it stands, exit code 1."""


@dataclass
class Options:
    """What the arguments ask for."""

    verb: str = "interactive"
    conversation: str = ""
    resume: bool = False
    settings: list[str] = field(default_factory=list)
    prompt: str | None = None
    mode: str = "default"
    model: str = "claude-opus-5-5"
    json_output: bool = False
    version: str = VERSION
    arguments: list[str] = field(default_factory=list)


def parse(arguments: list[str]) -> Options:
    """Read the arguments. Raises Problem on an unknown option."""
    options = Options(version=os.environ.get("FAILOVER_SIM_VERSION", VERSION), arguments=list(arguments))
    rest = list(arguments)
    words = []
    while rest:
        word = rest.pop(0)
        name, equals, value = word.partition("=")
        if name in _WITH_VALUE and name.startswith("-"):
            if not equals:
                value = rest.pop(0) if rest else ""
            _take(options, name, value)
        elif word in ("--version", "-v"):
            options.verb = "version"
        elif word in ("-p", "--print"):
            options.verb = "print"
        elif word == "--dangerously-skip-permissions":
            options.mode = "bypassPermissions"
        elif word in ("--continue", "-c"):
            options.conversation = Home.here().newest()
            options.resume = bool(options.conversation)  # where there is none a new one is begun, as by the real one
        elif word in ("--verbose", "--no-session-persistence", "--strict-mcp-config"):
            continue  # nothing of these is simulated
        elif word.startswith("--"):
            raise Problem(f"error: unknown option '{word}'")
        else:
            words.append(word)
    if words == ["auth", "status"]:
        options.verb = "auth status"
        return options
    options.prompt = words[0] if words else None
    options.conversation = options.conversation or str(uuid.uuid4())
    return options


def _take(options: Options, name: str, value: str) -> None:
    if name in ("--session-id", "--resume", "-r"):
        options.conversation, options.resume = value, name != "--session-id"
        if not re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", value):
            raise Problem("Error: Invalid session ID. Must be a valid UUID.")
    elif name == "--settings":
        options.settings.append(value)
    elif name == "--permission-mode":
        options.mode = value
    elif name == "--model":
        options.model = value
    elif name == "--output-format":
        options.json_output = value == "json"


@dataclass
class Home:
    """A config dir as one process sees it, and the folder that it works in."""

    config_dir: Path
    cwd: Path

    @classmethod
    def here(cls) -> Home:
        """Return the one that the environment names."""
        named = os.environ.get("CLAUDE_CONFIG_DIR")
        return cls(Path(named) if named else Path.home() / ".claude", Path.cwd().resolve())

    @property
    def slug(self) -> str:
        """Return the name of this folder's directory under projects/."""
        return re.sub(r"[^A-Za-z0-9]", "-", str(self.cwd))

    def transcript(self, conversation: str) -> Path:
        """Return where a conversation's transcript is, under the config dir, links not resolved."""
        return self.config_dir / "projects" / self.slug / f"{conversation}.jsonl"

    def newest(self) -> str:
        """Return the conversation of this folder that was written to last, empty when there is none."""
        found = (self.config_dir / "projects" / self.slug).glob("*.jsonl")
        return max(found, key=lambda path: path.stat().st_mtime_ns, default=Path()).stem

    def state(self) -> dict[str, Any]:
        """Return .claude.json, {} when there is none."""
        return read_json(self.config_dir / ".claude.json")

    def login(self, helper: str = "") -> dict[str, Any]:
        """Return the made-up login: {"method", "token", "account", "email", "orgId", ...}; {} when logged out.

        helper: the setting apiKeyHelper, a shell command that prints a key. It and a token in the environment count
        before the config dir, as with the real one.
        """
        if helper:
            return {"method": "api_key_helper", **_named(_printed(helper))}
        if given := os.environ.get("CLAUDE_CODE_OAUTH_TOKEN"):
            return {"method": "oauth_token", **_named(given)}
        found = read_json(self.config_dir / ".sim-token")
        return {"method": "claude.ai", **found} if found else {}

    def trusted(self) -> bool:
        """Say whether the folder-trust question was answered for this folder."""
        projects = self.state().get("projects") or {}
        return bool((projects.get(str(self.cwd)) or {}).get("hasTrustDialogAccepted"))

    def trust(self) -> None:
        """Write down that the folder is trusted."""
        state = self.state()
        state.setdefault("projects", {}).setdefault(str(self.cwd), {})["hasTrustDialogAccepted"] = True
        target = self.config_dir / ".claude.json"
        fresh = target.with_name(f".claude.json.{os.getpid()}")
        fresh.write_text(json.dumps(state, indent=2))
        fresh.replace(target)


@dataclass
class Settings:
    """All settings files of a session, merged: hooks add up, the last statusline wins."""

    hooks: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    status_line: dict[str, Any] | None = None
    allow: set[str] = field(default_factory=set)
    values: dict[str, Any] = field(default_factory=dict)

    @property
    def helper(self) -> str:
        """Return the command that prints an API key, empty for none."""
        return str(self.values.get("apiKeyHelper") or "")

    @classmethod
    def read(cls, home: Home, extra: list[str]) -> Settings:
        """Read user, project and local settings, then those of the command line. Raises Problem on a missing file."""
        merged = cls()
        project = home.cwd / ".claude"
        paths = [home.config_dir / "settings.json", project / "settings.json", project / "settings.local.json"]
        for path in paths:
            merged._add(read_json(path))
        for given in extra:
            if given.lstrip().startswith("{"):
                merged._add(json.loads(given))
                continue
            if not Path(given).exists():
                raise Problem(f"Error: Settings file not found: {given}")
            merged._add(read_json(Path(given)))
        return merged

    def _add(self, found: dict[str, Any]) -> None:
        for event, groups in (found.get("hooks") or {}).items():
            self.hooks.setdefault(event, []).extend(groups)
        self.status_line = found.get("statusLine") or self.status_line
        permissions = found.get("permissions") or {}
        self.allow.update(str(rule) for rule in permissions.get("allow") or [])
        self.values.update({k: v for k, v in found.items() if k not in ("hooks", "statusLine")})


def _printed(helper: str) -> str:
    done = subprocess.run(["sh", "-c", helper], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=10)
    return done.stdout.strip() if done.returncode == 0 else ""


def _named(token: str) -> dict[str, Any]:
    """Return a login whose account is what the made-up token names."""
    found = re.search(r"\bsim\.([A-Za-z0-9_-]+)", token)
    return {"token": token, "account": found[1] if found else None}


def read_json(path: Path) -> dict[str, Any]:
    """Return a JSON object from a file; {} when it is missing or no object."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
