"""What is known of each account's windows. A reading counts only while its window's period lasts.

Past its reset a reading is void, which is not the same as zero: the window is then unknown until somebody reads it.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

#: The windows of a subscription, by the names that the binary uses (statusline, 2.1.330).
WINDOWS = ("five_hour", "seven_day")

#: Two reset times at most this far apart (seconds) speak of one period: the provider computes them per answer.
SAME_PERIOD = 120


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """One observation. used: percent of the window; resets_at: epoch seconds; observed_ms: epoch milliseconds."""

    account: str
    window: str
    used: float
    resets_at: int | None
    observed_ms: int
    source: str


def is_void(reading: Reading, now: float) -> bool:
    """Say whether the period that `reading` speaks of is over. now: epoch seconds."""
    return reading.resets_at is not None and reading.resets_at <= now


def newest(readings: Iterable[Reading], now: float) -> dict[tuple[str, str], Reading]:
    """Return the reading that counts for each (account, window), whatever order they come in.

    Of two periods the later one counts, whatever arrived last: a session that was quiet for hours still shows the old.
    Within a period the highest use counts, since use never falls in it; then the latest.
    """
    best: dict[tuple[str, str], Reading] = {}
    for reading in sorted(readings, key=lambda r: (r.resets_at or 0, r.used, r.observed_ms, r.source)):
        if is_void(reading, now):
            continue
        key = (reading.account, reading.window)
        if key not in best or not _same_period(best[key], reading) or reading.used >= best[key].used:
            best[key] = reading
    return best


def opened(readings: Iterable[Reading], now: float) -> frozenset[tuple[str, str]]:
    """Return the (account, window) pairs of which nothing counts now, since the period that was last read is over."""
    known = list(readings)
    counting = newest(known, now)
    return frozenset((r.account, r.window) for r in known if (r.account, r.window) not in counting)


def _same_period(one: Reading, other: Reading) -> bool:
    if one.resets_at is None or other.resets_at is None:
        return one.resets_at == other.resets_at
    return abs(one.resets_at - other.resets_at) <= SAME_PERIOD


def worth_noting(last: Reading | None, reading: Reading) -> bool:
    """Say whether `reading` tells anything that `last` (of the same account and window) did not."""
    if last is None:
        return True
    return reading.observed_ms >= last.observed_ms and (reading.used, reading.resets_at) != (last.used, last.resets_at)
