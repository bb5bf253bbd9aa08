"""The real CLI for tests and the demo, and made-up accounts for it and for the simulated one.

Nothing here is used by the daemon. The accounts are inventions: their tokens hold nothing but the account's name, and
only the fake API of this package knows them.
"""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from failover.claude.version import MEASURED

PINNED = MEASURED
"""The version that the facts about Claude Code were measured on."""

SHARED = ("projects", "sessions", "file-history", "session-env", "shell-snapshots", "paste-cache", "plugins")
_PACKAGE = "@anthropic-ai/claude-code"


class InstallError(Exception):
    """The real CLI could not be installed; the text says why and what to do."""


def cache_folder() -> Path:
    """Return the folder in which the real CLI is kept between runs."""
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "claude-failover"


def installed(folder: Path) -> Path | None:
    """Return the native binary of an installation, None where there is none."""
    found = sorted((folder / "node_modules" / "@anthropic-ai").glob("claude-code-*/claude*"))
    return next((p for p in found if p.name in ("claude", "claude.exe") and os.access(p, os.X_OK)), None)


def ensure(folder: Path, version: str = PINNED) -> Path:
    """Return the path of the real CLI's binary, installed by npm under `folder`/<version> when it is not there.

    Raises InstallError when npm is missing or fails.
    """
    target = folder / version
    found = installed(target)
    if found is not None and version != "latest":
        return found
    npm = shutil.which("npm")
    if npm is None:
        raise InstallError("npm is needed to install Claude Code and was not found; install Node.js, or set "
                           "FAILOVER_REAL_CLAUDE to the path of a claude binary")  # fmt: skip
    target.mkdir(parents=True, exist_ok=True)
    command = [npm, "install", "--prefix", str(target), "--no-audit", "--no-fund", f"{_PACKAGE}@{version}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    found = installed(target)
    if done.returncode or found is None:
        last = "\n".join((done.stdout + done.stderr).strip().splitlines()[-5:])
        raise InstallError(f"`{' '.join(command)}` did not install a native binary (exit {done.returncode}):\n{last}")
    return found


def real_claude() -> Path:
    """Return the binary for tests: FAILOVER_REAL_CLAUDE, else the pinned version in the cache folder."""
    named = os.environ.get("FAILOVER_REAL_CLAUDE")
    return Path(named) if named else ensure(cache_folder())


def sim_claude(folder: Path) -> Path:
    """Write an executable named `claude` that is the simulated one, and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    script = folder / "claude"
    program = Path(__file__).with_name("claude.py")
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S -E -P "{program}" "$@"\n')
    script.chmod(0o755)
    return script


def config_dir(
    folder: Path,
    name: str,
    projects: Iterable[Path] = (),
    *,
    real: bool,
    shared: Path | None = None,
    settings: Mapping[str, Any] | None = None,
    trusted: bool = True,
) -> Path:
    """Make the config dir of a made-up account and return it; what is there already is kept.

    With `shared` the directories that accounts have in common are links to that tree. `real` makes a made-up
    `.credentials.json` for the real CLI, else a `.sim-token` for the simulated one; both mode 0600.
    """
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(stat.S_IRWXU)
    identity = {"accountUuid": f"uuid-{name}", "emailAddress": f"{name}@example.test",
                "organizationUuid": f"org-{name}", "organizationName": f"Organisation of {name}"}  # fmt: skip
    seen = {str(p.resolve()): {"hasTrustDialogAccepted": True} for p in projects} if trusted else {}
    state = {"hasCompletedOnboarding": True, "lastOnboardingVersion": PINNED, "theme": "dark", "projects": seen,
             "resumeReturnDismissed": True, "oauthAccount": identity}  # fmt: skip
    _write_once(folder / ".claude.json", state)
    if settings is not None or shared is None:
        _write_once(folder / "settings.json", {"skipDangerousModePermissionPrompt": True, **(settings or {})})
    _write_login(folder, name, identity, real)
    for entry in SHARED if shared is not None else ():
        assert shared is not None
        (shared / entry).mkdir(parents=True, exist_ok=True)
        if not (folder / entry).exists():
            (folder / entry).symlink_to(shared / entry)
    return folder


def token(name: str) -> str:
    """Return the made-up access token of an account."""
    return f"sk-ant-oat01-sim.{name}.g0"


def environment(api_url: str, config: Path, home: Path, **extra: str) -> dict[str, str]:
    """Return a whole environment for either CLI that reaches the fake API and nothing else."""
    home.mkdir(parents=True, exist_ok=True)
    return {
        "HOME": str(home), "PATH": os.environ.get("PATH", "/usr/local/bin:/usr/bin:/bin"), "SHELL": "/bin/bash",
        "TERM": "xterm-256color", "LANG": "C.UTF-8", "CLAUDE_CONFIG_DIR": str(config), "IS_SANDBOX": "1",
        **api_environment(api_url), **extra,
    }  # fmt: skip


def api_environment(api_url: str) -> dict[str, str]:
    """Return the variables that make either CLI talk to the fake API only, and leave everything else be."""
    return {
        "ANTHROPIC_BASE_URL": api_url, "DISABLE_TELEMETRY": "1", "DISABLE_AUTOUPDATER": "1",
        "DISABLE_ERROR_REPORTING": "1", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    }  # fmt: skip


def _write_login(folder: Path, name: str, identity: Mapping[str, str], real: bool) -> None:
    if not real:
        login = {"token": token(name), "account": name, "email": identity["emailAddress"],
                 "orgId": identity["organizationUuid"], "orgName": identity["organizationName"],
                 "loginExpiresAt": None}  # fmt: skip
        _write_once(folder / ".sim-token", login)
        return
    scopes = ["user:inference", "user:profile", "user:sessions:claude_code"]
    tokens = {"accessToken": token(name), "refreshToken": token(name).replace("-oat01-", "-ort01-")}
    login_of = {**tokens, "expiresAt": int((time.time() + 8 * 3600) * 1000), "scopes": scopes,
                "subscriptionType": "max", "rateLimitTier": "default_claude_max_5x"}  # fmt: skip
    _write_once(folder / ".credentials.json", {"claudeAiOauth": login_of})


def _write_once(path: Path, value: Mapping[str, Any]) -> None:
    if not path.exists():
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as out:
            json.dump(value, out, indent=2)
