"""Made-up readings and accounts for the tests of the choice."""

from __future__ import annotations

from typing import Any

from failover.core.choice import Candidate, Load, Rules
from failover.core.forecast import Forecast
from failover.core.usage import Reading

NOW = 1_800_000_000.0
RULES = Rules(margin=10, cooldown=120, now=NOW)


def rules(**fields: Any) -> Rules:
    """Return the rules with some of them changed."""
    return Rules(**{"margin": 10, "cooldown": 120, "now": NOW, **fields})


def reading(used: float, account: str = "main", **fields: Any) -> Reading:
    """Return a reading of the 5 hours."""
    base: dict[str, Any] = {"window": "five_hour", "resets_at": int(NOW) + 3600, "observed_ms": 1000, "source": "t"}
    return Reading(account=account, used=used, **{**base, **fields})


def account(name: str, used: float | None = None, week: float | None = None, **fields: Any) -> Candidate:
    """Return an account. used, week: percent of its windows, None: not known; resets: seconds until the 5 hours end."""
    resets = fields.pop("resets", 3600)
    readings = {}
    if used is not None:
        readings["five_hour"] = reading(used, name, resets_at=int(NOW) + resets)
    if week is not None:
        readings["seven_day"] = reading(week, name, window="seven_day", resets_at=int(NOW) + 300_000)
    base: dict[str, Any] = {
        "priority": 1,
        "thresholds": {"five_hour": 90.0, "seven_day": 95.0},
        "readings": readings,
        "sessions": 0,
        "in_use": fields.get("sessions", 0),
    }
    return Candidate(name=name, **{**base, **fields})


def loads(count: int, tokens: int) -> tuple[Load, ...]:
    """Return so many sessions with contexts of one size."""
    return tuple(Load(session=f"s{number:02}", tokens=tokens) for number in range(count))


def expected(crosses: float | None, rate: float = 30.0, **fields: Any) -> Forecast:
    """Return a forecast: so many seconds until the threshold, None: not in this period."""
    at = None if crosses is None else NOW + crosses
    base: dict[str, Any] = {"account": "main", "window": "five_hour", "earliest": at, "latest": at}
    return Forecast(rate=rate, crosses=at, **{**base, **fields})
