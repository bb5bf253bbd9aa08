"""The commands that open no session: `auth status`, `-p /usage`."""

from __future__ import annotations

import json
import os
import time
from typing import Any

from failover.sim.cli.options import Home, Options, Problem, Settings


def run(options: Options) -> int:
    """Run the command; return its exit code."""
    home = Home.here()
    if options.verb == "auth status":
        return _auth_status(home, Settings.read(home, options.settings))
    if (options.prompt or "").strip() == "/usage":
        from failover.sim.cli import usage

        return usage.show(home, options)
    raise Problem("the simulated claude knows no other command than /usage behind -p")


def _auth_status(home: Home, settings: Settings) -> int:
    common = {
        "apiProvider": "firstParty",
        "projectsDirectory": str(home.config_dir / "projects"),
        "configDirectory": str(home.config_dir),
    }
    provider = next((name for name in ("bedrock", "vertex") if os.environ.get(f"CLAUDE_CODE_USE_{name.upper()}")), None)
    # The real one does not run the helper to say so (measured on 2.1.330).
    method = "third_party" if provider else "api_key_helper" if settings.helper else ""
    login = {} if method else home.login()
    method = method or str(login.get("method", "none"))
    if method not in ("claude.ai", "none"):
        shown: dict[str, Any] = {"loggedIn": True, "authMethod": method, **common, "loginExpiresAt": None}
        print(json.dumps({**shown, "apiProvider": provider or "firstParty"}, indent=2))
        return 0
    known = home.state().get("oauthAccount") or {}
    shown = {
        "loggedIn": bool(login),
        "authMethod": method,
        **common,
        "loginExpiresAt": login.get("loginExpiresAt"),
        "email": login.get("email") or known.get("emailAddress"),
        "orgId": login.get("orgId") or known.get("organizationUuid"),
        "orgName": login.get("orgName") or known.get("organizationName"),
        "subscriptionType": "max" if login else None,
        "storedClaudeAiLogin": bool(login),
    }
    print(json.dumps(shown, indent=2))
    return 0 if login else 1


def clock(epoch: float, weekly: bool = False) -> str:
    """Write a reset time as the CLI prints it, in UTC: "11:21am (UTC)", "3pm (UTC)" or "Nov 26, 8:16am (UTC)"."""
    utc = time.gmtime(epoch)
    hour = utc.tm_hour % 12 or 12
    minutes = f":{utc.tm_min:02d}" if utc.tm_min else ""
    text = f"{hour}{minutes}{'am' if utc.tm_hour < 12 else 'pm'}"
    return (time.strftime("%b ", utc) + f"{utc.tm_mday}, {text}" if weekly else text) + " (UTC)"
