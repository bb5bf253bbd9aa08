"""The user's own settings: what in them would take our hooks away, or make all accounts one."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import msgspec

from failover.claude.launch import AUTH_VARIABLES
from failover.doctor.finding import Finding, Look, ok

_CHECK = "settings"
_MANAGED = Path("/etc/claude-code/managed-settings.json")
#: Days under which the binary's own tidying would take away what a session is to go on with.
_DAYS = 7


def check(look: Look) -> list[Finding]:
    """Read the settings of the shared tree, of each project, and the managed ones."""
    config = look.config
    if config is None:
        return []
    folders = {session.project for session in config.sessions} | set(config.projects)
    files = [config.shared_dir / "settings.json", _MANAGED]
    files += [
        folder / ".claude" / name for folder in sorted(folders) for name in ("settings.json", "settings.local.json")
    ]
    subscriptions = any(account.kind == "subscription" for account in config.accounts)
    findings = [found for file in files for found in _file(file, subscriptions)]
    return findings or [ok(_CHECK, "nothing in the settings stands against our hooks")]


def _file(file: Path, subscriptions: bool) -> list[Finding]:
    try:
        content = msgspec.json.decode(file.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return []
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        content = None
    if not isinstance(content, dict):
        return [
            Finding(
                check=_CHECK,
                level="warning",
                sentence=f"{file} is no JSON object",
                mend=f"jq . {shlex.quote(str(file))}",
            )
        ]
    return judge(file, content, subscriptions)


def judge(file: Path, content: dict[str, Any], subscriptions: bool) -> list[Finding]:
    """Return what stands against us in one settings file. subscriptions: whether logins lie in config dirs."""
    found: list[tuple[str, str]] = []
    if content.get("disableAllHooks") is True:
        found.append(("disableAllHooks", "no hook of ours is called, so no boundary is seen"))
    if content.get("allowManagedHooksOnly") is True:
        found.append(("allowManagedHooksOnly", "no hook of ours is called, so no boundary is seen"))
    if content.get("apiKeyHelper") and subscriptions:
        found.append(("apiKeyHelper", "all accounts log in with its key and are one"))
    variables = content.get("env")
    for name in variables if isinstance(variables, dict) else ():
        if name in AUTH_VARIABLES:
            found.append((f"env.{name}", "all accounts log in by it and are one"))
        elif name == "CLAUDE_CONFIG_DIR":
            found.append((f"env.{name}", "sessions look for their account in another folder"))
    errors = [
        Finding(check=_CHECK, level="error", sentence=f"{file} has {key}: {cost}", mend=_without(file, key))
        for key, cost in found
    ]
    days = content.get("cleanupPeriodDays")
    if isinstance(days, int) and not isinstance(days, bool) and days < _DAYS:
        sentence = f"{file} has cleanupPeriodDays {days}: conversations are removed after it, also those to go on with"
        mend = _without(file, "cleanupPeriodDays")
        errors.append(Finding(check=_CHECK, level="warning", sentence=sentence, mend=mend))
    return errors


def _without(file: Path, key: str) -> str:
    old, new = shlex.quote(str(file)), shlex.quote(f"{file}.new")
    return f"jq 'del(.{key})' {old} >{new} && mv {new} {old}"
