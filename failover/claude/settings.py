"""Make the settings overlay of a launch: our hooks beside the user's, our statusline before the user's.

Measured on 2.1.330: hooks of a `--settings` file run beside those of the user's settings, its statusLine replaces
theirs; the file is read at start only. A hook holds the agent until it ends or its `timeout` (seconds) is over. The
command is a line for a shell: it replaces that shell, and says nothing and succeeds when its script is gone.
"""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import msgspec

from failover.claude.kinds import READER

if TYPE_CHECKING:
    from failover.claude.launch import LaunchSpec

#: Hooks whose answer the control plane may hold back.
HELD = ("PostToolBatch", "Stop", "UserPromptSubmit")
#: Hooks that are told only. All are waited for, so that they arrive in their order; PostToolUse adds nothing to
#: PostToolBatch and would cost each tool call as much again.
TOLD = (
    "SessionStart",
    "PreToolUse",
    "PermissionRequest",
    "StopFailure",
    "SubagentStart",
    "SubagentStop",
    "SessionEnd",
)
#: The longest that an answer may be held back (s). The hook's own timeout lies above it: it would be reported.
HOLD_LIMIT = 540
_HELD_TIMEOUT = 560
#: What a told hook may cost when the control plane hangs (s).
_TOLD_LIMIT = 2
_TOLD_TIMEOUT = 10
#: Pushes besides those after each change (s): a session that sits idle tells of itself now and then.
_REFRESH = 60


def overlay(spec: LaunchSpec, user_statusline: dict[str, Any] | None) -> dict[str, Any]:
    """Return the content of the `--settings` file: hooks, statusline and, where it needs one, the way to log in.

    user_statusline: the user's own `statusLine`, run behind ours.
    """
    query = urlencode(
        {"session": spec.session, "account": spec.account, "launch": spec.launch}, quote_via=quote, safe=""
    )
    where = [str(spec.control_socket), query]
    hooks = {event: _hook(spec.directory / "hook.sh", [*where, str(HOLD_LIMIT)], _HELD_TIMEOUT) for event in HELD}
    hooks |= {event: _hook(spec.directory / "hook.sh", [*where, str(_TOLD_LIMIT)], _TOLD_TIMEOUT) for event in TOLD}
    theirs = user_statusline or {}
    line = {key: value for key, value in theirs.items() if key != "command"}
    line["type"] = "command"
    line["command"] = _command(spec.directory / "statusline.sh", [*where, *_words(theirs.get("command"))])
    interval = theirs.get("refreshInterval")
    line["refreshInterval"] = min(interval, _REFRESH) if isinstance(interval, int) and interval > 0 else _REFRESH
    return {"hooks": hooks, "statusLine": line, **spec.login.settings(spec.directory / READER.name)}


def user_statusline(config_dir: Path, cwd: Path) -> dict[str, Any] | None:
    """Return the user's own `statusLine`, None when there is none: the project's local settings, then its own, then
    the user's. A file that cannot be read counts as empty; the binary reports it.
    """
    project = cwd / ".claude"
    for path in (project / "settings.local.json", project / "settings.json", config_dir / "settings.json"):
        try:
            content = msgspec.json.decode(path.read_bytes())
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            continue
        found = content.get("statusLine") if isinstance(content, dict) else None
        if isinstance(found, dict) and found.get("type") == "command" and _words(found.get("command")):
            return found
    return None


def _words(command: object) -> list[str]:
    return [command] if isinstance(command, str) and command.strip() else []


def _hook(script: Path, arguments: list[str], timeout: int) -> list[dict[str, Any]]:
    return [{"hooks": [{"type": "command", "command": _command(script, arguments), "timeout": timeout}]}]


def _command(script: Path, arguments: list[str]) -> str:
    # A shell whose script is missing exits 2, and that stops the agent.
    name = shlex.quote(str(script))
    return f"test -r {name} || exit 0; exec sh {name} {shlex.join(arguments)}"
