"""Ask the binary who is logged in in a config dir.

`claude auth status`, measured on 2.1.330: JSON on standard output (a note may go to standard error), no network,
0.15–0.3 s when the host is quiet, exit 0 logged in and 1 not. email and orgId come from `oauthAccount` in
`.claude.json` and are null where the login has not been used yet; loginExpiresAt is an ISO 8601 time or null. An
expired access token still counts as logged in (the next use refreshes it). Credentials stay with the binary.

Of an account with an env file it tells authMethod and apiProvider alone: no identity, no end, and whether the key or
token is worth anything is known at the first request.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import msgspec

from failover.claude.kinds import Login, words
from failover.claude.launch import AUTH_VARIABLES
from failover.errors import HostError


class AuthStatus(msgspec.Struct, frozen=True):
    """A login. login_expires_at: epoch seconds or None; auth_method: none | claude.ai | oauth_token | api_key |
    api_key_helper | third_party; provider: firstParty | bedrock | vertex | …"""

    logged_in: bool
    email: str | None = None
    org_id: str | None = None
    auth_method: str = "none"
    provider: str = "firstParty"
    subscription: str | None = None
    login_expires_at: float | None = None

    @property
    def identity(self) -> tuple[str, str] | None:
        """Return what tells this login from another (email, organisation), or None when it is not known."""
        return (self.email, self.org_id or "") if self.email else None


class _Output(msgspec.Struct, rename="camel"):
    logged_in: bool
    auth_method: str = "none"
    api_provider: str = "firstParty"
    email: str | None = None
    org_id: str | None = None
    subscription_type: str | None = None
    login_expires_at: str | float | None = None


def status(
    command: str, config_dir: Path, env: Mapping[str, str], login: Login = Login(), timeout: float = 10.0
) -> AuthStatus:
    """Return who is logged in in `config_dir`, in the way that `login` tells. timeout: seconds.

    Raises HostError when an env file cannot be used, the binary is missing, hangs, or answers something else than its
    JSON.
    """
    login.check()
    inherited = {key: value for key, value in os.environ.items() if key not in AUTH_VARIABLES}
    try:
        done = subprocess.run(
            words([command, "auth", "status"], login),
            env={**inherited, **env, **login.switches, "CLAUDE_CONFIG_DIR": str(config_dir)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=timeout,
        )
    except FileNotFoundError:
        raise HostError(f"{command}: is not there; install Claude Code, or set claude.command in the config") from None
    except subprocess.TimeoutExpired:
        raise HostError(
            f"{command} auth status: no answer within {timeout:g} s for {config_dir}; run it by hand"
        ) from None
    except OSError as error:
        raise HostError(f"{command}: {error.strerror}; set claude.command to a program that can be run") from None
    return parse(done.stdout, f"{command} auth status (exit {done.returncode}, config dir {config_dir})")


def parse(output: bytes, origin: str) -> AuthStatus:
    """Return what `auth status` printed. origin: named in the HostError that is raised when it is not its JSON."""
    try:
        found = msgspec.json.decode(output, type=_Output)
        expires = _epoch(found.login_expires_at)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError, OverflowError):
        raise HostError(f"{origin}: answered no JSON that is known; is this a Claude Code that works?") from None
    return AuthStatus(
        logged_in=found.logged_in,
        email=found.email,
        org_id=found.org_id,
        auth_method=found.auth_method,
        provider=found.api_provider,
        subscription=found.subscription_type,
        login_expires_at=expires,
    )


def _epoch(value: str | float | None) -> float | None:
    if value is None:
        return None
    if isinstance(value, str):
        return datetime.fromisoformat(value).timestamp()
    return value / 1000 if value > 1e11 else float(value)
