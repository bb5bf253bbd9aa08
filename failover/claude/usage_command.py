"""Ask the binary how much of an account's windows is used: `claude -p /usage`.

Measured on 2.1.330. No model is called; it takes 0.3–3.5 s, its own request gives up after 5 s, and it exits 0 whatever
came of it. The windows are printed with whole percents, rounded down, and a reset time without a year; a window that is
not running has none ("Current session: 0% used"), at a full hour the minutes are left out ("3pm").

**What it prints may be an hour old.** It asks the provider no more than once a minute, and when the provider refuses
(429, 403, 500, garbage) it prints its last answer as if it were new. Only `cachedUsageUtilization` in `.claude.json`
tells when that answer came, whose it was, unrounded percents and whole reset times; so the readings are taken from
there, and nothing else of that file is looked at but the account's id. Without it (another version, or no answer ever)
the printed text is all there is, and it counts for less.

With CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC it asks nobody and prints no window. `--no-session-persistence` leaves no
transcript (but an empty folder under `projects/` for where it was run); while it runs it stands in `sessions/` under
its own number and a conversation of its own. Without `disableAllHooks` and `--strict-mcp-config` the user's hooks and
MCP servers are started each time.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from failover.claude.launch import AUTH_VARIABLES, NESTING_VARIABLES
from failover.core.usage import PRINTED, USAGE_COMMAND, Reading, is_window, length
from failover.errors import HostError

ARGUMENTS = (
    "-p", "/usage", "--output-format", "json", "--no-session-persistence", "--strict-mcp-config",
    "--settings", '{"disableAllHooks":true}',
)  # fmt: skip
#: While this stands in the config dir the binary must not be killed: the refreshed login would be lost.
REFRESH_LOCK = ".oauth_refresh.lock"

#: The binary asks no more often than this (milliseconds, measured).
_FRESH_MS = 60_000
_LINE = re.compile(r"Current (session|week \(([^()\n]{1,40})\)): (\d{1,3})% used(?: · resets ([^\n]{1,60}))?")
_RESET = re.compile(r"(?:([A-Z][a-z]{2}) (\d{1,2}), )?(\d{1,2})(?::(\d{2}))?(am|pm) \(UTC\)")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class _Window(msgspec.Struct):
    utilization: float | None = None
    resets_at: str | None = None


class _Model(msgspec.Struct):
    display_name: str = ""


class _Scope(msgspec.Struct):
    model: _Model | None = None


class _Scoped(msgspec.Struct):
    percent: float
    group: str = ""
    resets_at: str | None = None
    scope: _Scope | None = None


class Cached(msgspec.Struct, rename="camel"):
    """The binary's last answer of the provider. fetched_at_ms: when it came (epoch milliseconds)."""

    fetched_at_ms: int
    utilization: dict[str, Any]
    account_uuid: str | None = None


class _Identity(msgspec.Struct, rename="camel"):
    account_uuid: str | None = None


class _State(msgspec.Struct, rename="camel"):
    cached_usage_utilization: Cached | None = None
    oauth_account: _Identity | None = None


class _Output(msgspec.Struct):
    result: str
    is_error: bool = False


_state = msgspec.json.Decoder(_State)
_output = msgspec.json.Decoder(_Output)


def environment(env: Mapping[str, str], config_dir: Path) -> dict[str, str]:
    """Return the whole environment of the command: the operator's, without logins, and with one zone for times."""
    cleared = AUTH_VARIABLES | NESTING_VARIABLES
    inherited = {key: value for key, value in os.environ.items() if key not in cleared}
    return {**inherited, **env, "CLAUDE_CONFIG_DIR": str(config_dir), "TZ": "UTC"}


def cached(config_dir: Path) -> Cached | None:
    """Return what the binary keeps of its last answer for the account that is logged in, None when it keeps nothing.

    Raises HostError when the file cannot be read, or the answer is another account's.
    """
    path = config_dir / ".claude.json"
    try:
        state = _state.decode(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise HostError(f"{path}: cannot be read, or holds usage of a shape that is not known") from None
    kept, identity = state.cached_usage_utilization, state.oauth_account
    if kept is not None and identity is not None and kept.account_uuid != identity.account_uuid:
        raise HostError(f"{path}: the usage that it holds is another account's; run claude -p /usage there by hand")
    return kept


def parse(output: bytes, kept: Cached | None, account: str, started_ms: int, now_ms: int) -> list[Reading]:
    """Return the readings that an answer holds, at least one.

    kept: what `cached` returned after the command had ended; started_ms, now_ms: of the command (epoch milliseconds).
    Raises HostError when it answered nothing that can be relied on: no windows, garbage, or what it knew before.
    """
    try:
        answer = _output.decode(output)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise HostError("answered no JSON that is known; is this a Claude Code that works?") from None
    if answer.is_error:
        raise HostError("answered with an error; run it by hand to see which")
    if kept is None:
        found = _printed(answer.result, account, now_ms)
    elif not started_ms - _FRESH_MS <= kept.fetched_at_ms <= now_ms + 1000:
        age = (now_ms - kept.fetched_at_ms) / 60_000
        raise HostError(f"was refused by the provider and repeated its answer of {age:.0f} minutes ago")
    else:
        found = _exact(kept, account)
    if not found:
        raise HostError(
            "named no window; is somebody logged in there, under a subscription, and is "
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC unset?"
        )
    return found


def _exact(kept: Cached, account: str) -> list[Reading]:
    """Return the readings of the provider's own answer. Raises HostError when it has a shape that is not known."""
    windows: dict[str, tuple[float, str | None]] = {}
    try:
        for name, body in kept.utilization.items():
            if is_window(name) and body is not None:
                window = msgspec.convert(body, _Window)
                if window.utilization is not None:
                    windows[name] = (window.utilization, window.resets_at)
        for one in msgspec.convert(kept.utilization.get("limits") or [], list[_Scoped]):
            model = one.scope.model.display_name if one.scope and one.scope.model else ""
            if model and one.group == "weekly" and is_window(_weekly(model)):
                windows.setdefault(_weekly(model), (one.percent, one.resets_at))
        return [
            Reading(
                account=account,
                window=name,
                used=_percent(used),
                resets_at=None if resets is None else _epoch(resets),
                observed_ms=kept.fetched_at_ms,
                source=USAGE_COMMAND,
            )
            for name, (used, resets) in sorted(windows.items())
        ]
    except (msgspec.MsgspecError, ValueError, OverflowError):
        raise HostError("keeps usage of a shape that is not known; is this another version of Claude Code?") from None


def _printed(text: str, account: str, now_ms: int) -> list[Reading]:
    """Return the readings that a printed text holds; one whose reset time is not sure has none."""
    found = {}
    for title, model, used, resets in _LINE.findall(text):
        name = "five_hour" if title == "session" else "seven_day" if model == "all models" else _weekly(model)
        if not is_window(name):
            continue
        found[name] = Reading(
            account=account,
            window=name,
            used=_percent(float(used)),
            resets_at=reset_time(resets, length(name), now_ms / 1000) if resets else None,
            observed_ms=now_ms,
            source=PRINTED,
        )
    return [found[name] for name in sorted(found)]


def reset_time(text: str, within: float, now: float) -> int | None:
    """Return the reset time (epoch seconds) that a text like "Nov 28, 2:40am (UTC)" or "3pm (UTC)" names.

    The text has neither year nor seconds: of the days that it may mean exactly one must lie within the window's length
    (seconds) from now, else None. The last second of the minute is meant, so that it is never early.
    """
    match = _RESET.fullmatch(text)
    if match is None:
        return None
    month, day, hour, minute, half = match.groups()
    if not 1 <= int(hour) <= 12:
        return None
    today = datetime.fromtimestamp(now, UTC)
    base = today.replace(
        hour=int(hour) % 12 + (12 if half == "pm" else 0), minute=int(minute or 0), second=59, microsecond=0
    )
    found = []
    for candidate in (
        [base.timestamp() + shift * 86400 for shift in (-1, 0, 1)]
        if month is None
        else [_on(base, year, month, int(day)) for year in (today.year - 1, today.year, today.year + 1)]
    ):
        if candidate is not None and now - 60 <= candidate <= now + within + 60:
            found.append(int(candidate))
    return found[0] if len(found) == 1 else None


def _on(base: datetime, year: int, month: str, day: int) -> float | None:
    try:
        return base.replace(year=year, month=_MONTHS.index(month) + 1, day=day).timestamp()
    except ValueError:
        return None


def _weekly(model: str) -> str:
    """Return the name of a model's weekly window: seven_day_sonnet of "Sonnet only"."""
    return "seven_day_" + re.sub(r"[^a-z0-9]+", "_", model.lower().removesuffix(" only")).strip("_")


def _percent(used: float) -> float:
    if not 0 <= used <= 1000:
        raise ValueError(f"{used} is no percentage")
    return used


def _epoch(text: str) -> int:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time without a zone")
    return int(moment.timestamp())
