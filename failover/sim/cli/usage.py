"""`-p /usage`: ask at most once a minute, keep the answer in `.claude.json`, and print an old one as if it were new.

As measured on 2.1.330: the request gives up after 5 s; an answer of up to an hour ago is printed whatever happened to
the question; without any, only the first line is. Exit code 0 in every case. Logged out, the cost of the session is
printed instead.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import time
from datetime import datetime
from typing import Any

from failover.sim.cli import wire
from failover.sim.cli.commands import clock
from failover.sim.cli.options import Home, Options
from failover.sim.cli.registry import Registry

_FRESH, _KEPT, _TIMEOUT = 60.0, 3600.0, 5.0
_TITLES = {"five_hour": "session", "seven_day": "week (all models)", "seven_day_sonnet": "week (Sonnet only)"}
_HEAD = "You are currently using your subscription to power your Claude Code usage"
_NO_LOGIN = """Estimated cost:        $0.0000
Total duration (API):  0s
Total duration (wall): 0s
Total code changes:    0 lines added, 0 lines removed
Usage:                 0 input, 0 output, 0 cache read, 0 cache write"""


def show(home: Home, options: Options) -> int:
    """Print what is used; return the exit code."""
    registry = Registry(home.config_dir, options.conversation, home.cwd, options.version)
    try:
        text = _text(home)
    finally:
        registry.remove()
    result = {"type": "result", "subtype": "success", "is_error": False, "num_turns": 0, "result": text,
              "session_id": options.conversation, "local_command": "usage"}  # fmt: skip
    print(json.dumps(result) if options.json_output else text)
    return 0


def _text(home: Home) -> str:
    login = home.login()
    if not login:
        return _NO_LOGIN
    kept = home.state().get("cachedUsageUtilization") or {}
    age = time.time() - kept.get("fetchedAtMs", 0) / 1000
    silent = "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC" in os.environ
    if not silent and not 0 <= age < _FRESH and (told := _asked(str(login["token"]))):
        kept, age = _keep(home, told), 0.0
    windows = kept.get("utilization", {}) if 0 <= age <= _KEPT else {}
    lines = [_line(title, windows[key]) for key, title in _TITLES.items() if windows.get(key)]
    return "\n".join([_HEAD, *(["", *lines] if lines else [])])


def _asked(token: str) -> dict[str, Any] | None:
    with contextlib.suppress(OSError, ValueError):
        answer = wire.request("GET", "/api/oauth/usage", token, {}, timeout=_TIMEOUT)
        told = json.loads(answer.read())
        if answer.status == 200 and all(isinstance(told.get(key), dict) for key in ("five_hour", "seven_day")):
            return dict(told)
    return None


def _keep(home: Home, told: dict[str, Any]) -> dict[str, Any]:
    state = home.state()
    kept = {"fetchedAtMs": int(time.time() * 1000), "utilization": told}
    if uuid := (state.get("oauthAccount") or {}).get("accountUuid"):
        kept["accountUuid"] = uuid
    target = home.config_dir / ".claude.json"
    fresh = target.with_name(f".claude.json.{os.getpid()}")
    fresh.write_text(json.dumps({**state, "cachedUsageUtilization": kept}, indent=2))
    fresh.replace(target)
    return kept


def _line(title: str, window: dict[str, Any]) -> str:
    resets = window.get("resets_at")
    until = f" · resets {clock(datetime.fromisoformat(resets).timestamp(), weekly=True)}" if resets else ""
    return f"Current {title}: {math.floor(window['utilization'])}% used{until}"
