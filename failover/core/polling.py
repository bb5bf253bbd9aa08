"""Whom to ask for readings next. Values in, one account or a rest with its reason out.

The provider answers whoever asks too often with 429 for long, and some refusals meet the whole host. So only accounts
are asked on which no session runs that tells by itself, as those with our hooks do, one at a time; seldom where there
is much room, more often near a threshold, again when a window has opened; and after an error ever more seldom, the
account itself and all together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from failover.core.usage import WINDOWS, Reading

#: From this far below its thresholds on an account is asked as seldom as may be (percentage points).
ROOMY = 50.0
#: The least time between two questions of this host, whoever is asked (seconds); doubled by each failure in a row.
APART = 60.0
#: No back-off is longer (seconds).
LONGEST = 6 * 3600.0


class Asked(msgspec.Struct, frozen=True):
    """The last question. since: seconds ago; failures: in a row, 0 when the last answer was one."""

    since: float
    failures: int = 0


class Askable(msgspec.Struct, frozen=True, kw_only=True):
    """An account that might be asked.

    live: a session that tells of it runs on it, or is about to; readings: what counts now, by window; thresholds:
    percent by window; asked: None when never.
    """

    account: str
    live: bool
    readings: Mapping[str, Reading]
    thresholds: Mapping[str, float]
    asked: Asked | None = None


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How often one account is asked (seconds); host: the last question to any account."""

    least: float
    most: float
    host: Asked | None = None


class Ask(msgspec.Struct, frozen=True, tag=True):
    """Ask this account now."""

    account: str
    reason: str


class Rest(msgspec.Struct, frozen=True, tag=True):
    """Ask nobody."""

    reason: str


def plan(accounts: Sequence[Askable], pace: Pace) -> Ask | Rest:
    """Return whom to ask now. The order of `accounts` does not matter."""
    idle = [account for account in accounts if not account.live]
    if not idle:
        return Rest("every account tells of itself by a live session")
    if pace.host is not None:
        left = backed_off(APART, pace.host.failures) - pace.host.since
        if left > 0:
            return Rest(f"asked a moment ago; nobody is asked for {left:.0f} s")
    due = [(overdue, one.account) for one in idle if (overdue := _overdue(one, pace)) >= 0]
    if not due:
        return Rest("nobody has to be asked")
    # The longest overdue first, so that nobody waits for ever; one that was never asked before all.
    _, chosen = min((-overdue, name) for overdue, name in due)
    return Ask(chosen, f"{chosen} has no live session")


def interval(one: Askable, pace: Pace) -> float:
    """Return how long after its last question the account is asked again (seconds)."""
    if one.asked is not None and one.asked.failures:
        return backed_off(pace.least, one.asked.failures)
    if any(window not in one.readings for window in WINDOWS):
        return pace.least  # nothing known yet, or a window has just opened
    room = min(one.thresholds.get(window, 100.0) - reading.used for window, reading in one.readings.items())
    if room <= 0:
        return pace.most  # spent; when its window opens nothing is known of it, and the line above holds
    return pace.least + (pace.most - pace.least) * min(1.0, room / ROOMY)


def backed_off(base: float, failures: int) -> float:
    """Return the time to wait after so many failures in a row (seconds)."""
    return min(base * float(1 << min(failures, 30)), max(base, LONGEST))


def _overdue(one: Askable, pace: Pace) -> float:
    return float("inf") if one.asked is None else one.asked.since - interval(one, pace)
