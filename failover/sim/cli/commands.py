"""The commands that open no session: `auth status`, `-p /usage`."""

from __future__ import annotations

import json
import os
import time
from datetime import datetime
from typing import Any

from failover.sim.cli import wire
from failover.sim.cli.options import Home, Options, Problem, Settings


def run(options: Options) -> int:
    """Run the command; return its exit code."""
    home = Home.here()
    if options.verb == "auth status":
        return _auth_status(home, Settings.read(home, options.settings))
    if (options.prompt or "").strip() == "/usage":
        return _usage(home, options.json_output)
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


def _usage(home: Home, as_json: bool) -> int:
    login = home.login()
    if not login:
        print("Not logged in · Please run /login")
        return 1
    answer = wire.request("GET", "/api/oauth/usage", str(login["token"]), {})
    body = json.loads(answer.read())
    if answer.status != 200:
        lines = [f"Failed to load usage data: {answer.status}"]
    else:
        lines = ["You are currently using your subscription to power your Claude Code usage", ""]
        for title, key in (("session", "five_hour"), ("week (all models)", "seven_day")):
            window = body[key]
            lines.append(f"Current {title}: {window['utilization']:.0f}% used · resets {_when(window['resets_at'])}")
    text = "\n".join(lines)
    print(json.dumps({"type": "result", "subtype": "success", "is_error": False, "result": text}) if as_json else text)
    return 0


def _when(iso: str) -> str:
    moment = datetime.fromisoformat(iso)
    return clock(moment.timestamp(), weekly=True)


def clock(epoch: float, weekly: bool = False) -> str:
    """Write a reset time as the CLI prints it, in UTC: "11:21am (UTC)" or "Nov 26, 8:16am (UTC)"."""
    utc = time.gmtime(epoch)
    hour = utc.tm_hour % 12 or 12
    text = f"{hour}:{utc.tm_min:02d}{'am' if utc.tm_hour < 12 else 'pm'}"
    return (time.strftime("%b ", utc) + f"{utc.tm_mday}, {text}" if weekly else text) + " (UTC)"
