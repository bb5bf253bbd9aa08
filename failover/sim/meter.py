"""Account meters of the fake API: utilisation of the two windows, forced modes and the headers that tell of them."""

from __future__ import annotations

import re
import time
from dataclasses import asdict, dataclass, field
from typing import Any

FIVE_HOURS = 5 * 3600.0
SEVEN_DAYS = 7 * 86400.0
MODES = ("ok", "limit", "limit7", "limit_tr", "429plain", "529", "500", "401", "401expired", "403revoked", "400credit")
#: What becomes of a question for the usage: answered, refused, or answered with something else or not at all.
USAGE_MODES = ("ok", "429", "403", "500", "garbled", "empty", "hang")
_PREFIX = "anthropic-ratelimit-unified-"
_WARN_AT = 0.9

ERRORS: dict[str, tuple[int, str, str]] = {
    "limit": (429, "rate_limit_error", "This request would exceed your account's rate limit. Please try again later."),
    "limit7": (429, "rate_limit_error", "This request would exceed your account's rate limit. Please try again later."),
    "429plain": (429, "rate_limit_error", "Number of request tokens has exceeded your per-minute rate limit"),
    "529": (529, "overloaded_error", "Overloaded"),
    "500": (500, "api_error", "Internal server error"),
    "401": (401, "authentication_error", "invalid bearer token"),
    "401expired": (401, "authentication_error", "OAuth token has expired. Please obtain a new token."),
    "403revoked": (403, "permission_error", "OAuth token revoked"),
    "400credit": (400, "invalid_request_error", "Your credit balance is too low to access the Anthropic API."),
}


def account_of(token: str) -> str | None:
    """Return the account that a made-up token names ("sk-ant-oat01-sim.NAME.g1"), None for any other token."""
    match = re.search(r"\bsim\.([A-Za-z0-9_-]+)(?:\.|$)", token)
    return None if match is None else match.group(1)


@dataclass
class Account:
    """One account: windows as fractions 0..1, resets as epoch seconds, costs per successful model request.

    window5, window7: how long a new window lasts (seconds), so that a run of minutes can see many; usage: what becomes
    of questions for the usage; models: weekly windows of single models, as fractions.
    """

    name: str
    mode: str = "ok"
    u5: float = 0.10
    u7: float = 0.05
    cost5: float = 0.0
    cost7: float = 0.0
    reset5_at: float = 0.0
    reset7_at: float = 0.0
    window5: float = FIVE_HOURS
    window7: float = SEVEN_DAYS
    headers: bool = True
    delay: float = 0.0
    requests: int = 0
    usage: str = "ok"
    models: dict[str, float] = field(default_factory=dict)
    crossed: dict[str, float] = field(default_factory=dict)

    def change(self, values: dict[str, Any], now: float) -> None:
        """Set what an order names; `reset5_in` and `reset7_in` are seconds from now. Raises ValueError on nonsense."""
        for key, value in values.items():
            if key in ("reset5_in", "reset7_in"):
                setattr(self, key.replace("_in", "_at"), now + float(value))
            elif key == "mode" and value not in MODES:
                raise ValueError(f"mode {value!r} is none of {', '.join(MODES)}")
            elif key == "usage" and value not in USAGE_MODES:
                raise ValueError(f"usage {value!r} is none of {', '.join(USAGE_MODES)}")
            elif key in ("name", "crossed") or not hasattr(self, key):
                raise ValueError(f"an account has no setting {key!r}")
            else:
                setattr(self, key, type(getattr(self, key))(value))

    def roll(self, now: float) -> None:
        """Open a new window where the old one's reset has passed."""
        if now >= self.reset5_at:
            self.u5, self.reset5_at = 0.0, now + self.window5
        if now >= self.reset7_at:
            self.u7, self.reset7_at = 0.0, now + self.window7

    def verdict(self, ends_with_result: bool) -> str:
        """Say what becomes of a model request: "ok" or a key of ERRORS."""
        if self.mode == "limit_tr":
            return "limit" if ends_with_result else "ok"
        if self.mode != "ok":
            return self.mode
        if self.u7 >= 1.0:
            return "limit7"
        return "limit" if self.u5 >= 1.0 else "ok"

    def charge(self) -> None:
        """Count one successful model request."""
        self.requests += 1
        self.u5 = round(self.u5 + self.cost5, 6)
        self.u7 = round(self.u7 + self.cost7, 6)

    def limit_headers(self, verdict: str) -> dict[str, str]:
        """Return the unified rate-limit headers of an answer (none for plain throttling, as on the real API)."""
        if not self.headers or verdict == "429plain":
            return {}
        five = 1.0 if verdict == "limit" else self.u5
        seven = 1.0 if verdict == "limit7" else self.u7
        weekly = verdict == "limit7" or (verdict != "limit" and seven >= max(_WARN_AT, five))
        status = "rejected" if verdict in ("limit", "limit7") else "allowed"
        if status == "allowed" and max(five, seven) >= _WARN_AT:
            status = "allowed_warning"
        reset5, reset7 = str(int(self.reset5_at)), str(int(self.reset7_at))
        short = "7d" if weekly else "5h"
        headers = {
            "status": status,
            "reset": reset7 if weekly else reset5,
            "representative-claim": "seven_day" if weekly else "five_hour",
            "5h-status": "allowed" if weekly else status,
            "5h-reset": reset5,
            "5h-utilization": str(five),
            "7d-status": status if weekly else "allowed",
            "7d-reset": reset7,
            "7d-utilization": str(seven),
            "fallback-percentage": "0.5",
            "overage-status": "rejected",
            "overage-disabled-reason": "org_level_disabled",
        }
        if status == "allowed_warning":
            headers[f"{short}-surpassed-threshold"] = str(_WARN_AT)
        return {_PREFIX + key: value for key, value in headers.items()}


class Meters:
    """All accounts of one fake API, made when first heard of, plus settings that hold for every account."""

    def __init__(self) -> None:
        self.accounts: dict[str, Account] = {}
        self.chunk_delay = 0.02
        self.refresh_delay = 0.0
        self.defaults: dict[str, Any] = {"reset5_in": 3600, "reset7_in": 300000}

    def account(self, name: str) -> Account:
        """Return the account of that name with its windows rolled to now."""
        now = time.time()
        if name not in self.accounts:
            made = self.accounts[name] = Account(name)
            made.change(self.defaults, now)
        found = self.accounts[name]
        found.roll(now)
        return found

    def control(self, order: dict[str, Any]) -> None:
        """Carry out an order of `POST /_ctl`. Raises ValueError on an unknown key."""
        for key, value in order.items():
            if key == "accounts":
                for name, values in value.items():
                    self.account(name).change(values, time.time())
            elif key == "defaults":
                self.defaults.update(value)
            elif key in ("chunk_delay", "refresh_delay"):
                setattr(self, key, float(value))
            else:
                raise ValueError(f"unknown setting {key!r}")

    def shown(self) -> dict[str, Any]:
        """Return everything as `GET /_ctl` shows it."""
        accounts = {name: asdict(self.account(name)) for name in sorted(self.accounts)}
        return {"accounts": accounts, "chunk_delay": self.chunk_delay, "refresh_delay": self.refresh_delay}
