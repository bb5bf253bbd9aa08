"""When a window will reach its threshold, from the history of its readings.

Two memories tell the rate: a short one, what is being used now, and a long one, what is used on the whole. What lies
within the short memory's reach is told by it, what lies further off by the long one. In both, older use counts less
(exponentially), and silence counts as no use: so an idle night is forgotten within minutes of work, and work within
minutes of silence. Only the present period counts, and of it what came after the last true fall.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import exp, sqrt

import msgspec

from failover.core.usage import SAME_PERIOD, Reading

#: The two memories of a window (seconds): of the 5 hours, and of all longer ones.
_MEMORIES = {"five_hour": (300.0, 3600.0)}
_LONG_MEMORIES = (3600.0, 43200.0)
#: A history shorter than this (seconds), or with fewer rises, says nothing.
_LEAST_SPAN, _LEAST_RISES = 120.0, 3
#: So many later readings, all lower than the highest by more than this (percent points), are a fall of the window
#: itself; fewer are a session that was quiet and shows what it last heard.
_FALL_SHOWN, _FALL_BY = 3, 1.0
#: So many standard deviations to either side hold the truth four times out of five (tried on made-up histories, steady
#: and bursting, see the tests).
_SPREAD = 1.6


class Forecast(msgspec.Struct, frozen=True, kw_only=True):
    """What the history of a window says of its future.

    rate: percent points per hour; crosses: when the threshold is expected to be reached (epoch seconds; None: not in
    this period); earliest, latest: between these it lies four times out of five (epoch seconds; None: not in this
    period).
    """

    account: str
    window: str
    rate: float
    crosses: float | None
    earliest: float | None
    latest: float | None


def forecast(history: Sequence[Reading], threshold: float, now: float) -> Forecast | None:
    """Return when a window will reach `threshold` (percent), None where its history does not suffice to say.

    history: readings of one account and window, in any order; now: epoch seconds.
    """
    present = _present(history, now)
    points = _climb(present)
    if len(points) <= _LEAST_RISES or now - points[0][0] < _LEAST_SPAN:
        return None
    last, left = present[-1], threshold - points[-1][1]
    short, long = _MEMORIES.get(last.window, _LONG_MEMORIES)
    fast, slow = _remember(points, short, now), _remember(points, long, now)
    near = fast.rises >= _LEAST_RISES and left <= fast.rate * short
    told = fast if near else slow
    error = _SPREAD * sqrt(told.doubt + told.step / max(left, told.step))
    quickest = max(told.rate, fast.rate if fast.rises >= _LEAST_RISES else 0.0) * (1 + error)

    def when(per_second: float) -> float | None:
        if left <= 0:
            return now
        if per_second <= 0 or (last.resets_at is not None and now + left / per_second >= last.resets_at):
            return None
        return now + left / per_second

    return Forecast(
        account=last.account,
        window=last.window,
        rate=told.rate * 3600,
        crosses=when(told.rate),
        earliest=when(quickest),
        latest=when(min(fast.rate, slow.rate) / (1 + error)),
    )


def _present(history: Sequence[Reading], now: float) -> list[Reading]:
    """Return the readings of the period that lasts, by time; readings of the future (a clock that jumped) do not count.

    They are those of the latest reset; without any reset time, all.
    """
    known = sorted((r for r in history if r.observed_ms <= now * 1000), key=lambda r: (r.observed_ms, r.used, r.source))
    resets = [r.resets_at for r in known if r.resets_at is not None]
    if not resets:
        return known
    end = max(resets)
    return [r for r in known if r.resets_at is not None and end - r.resets_at <= SAME_PERIOD] if end > now else []


def _climb(present: Sequence[Reading]) -> list[tuple[float, float]]:
    """Return (epoch seconds, percent) of each reading that was higher than all before it, since the last true fall."""
    points: list[tuple[float, float]] = []
    lower: list[tuple[float, float]] = []
    for reading in present:
        at, used = reading.observed_ms / 1000, reading.used
        if not points or used > points[-1][1]:
            points.append((at, used))
            lower = []
        elif used < points[-1][1] - _FALL_BY:
            lower.append((at, used))
            if len(lower) >= _FALL_SHOWN:
                points, lower = [lower[-1]], []
        else:
            lower = []
    return points


class _Memory(msgspec.Struct, frozen=True):
    """What a memory has of a climb.

    rate: percent points per second; rises: how many it remembers; step: how large a rise is (percent points, the large
    ones counting more); doubt: the variance of the rate as a share of its square.
    """

    rate: float
    rises: float
    step: float
    doubt: float


def _remember(points: Sequence[tuple[float, float]], memory: float, now: float) -> _Memory:
    """Return what a memory of so many seconds has of a climb of at least one rise."""
    last = points[-1][0]
    rises = [(exp((at - last) / memory), after - before) for (_, before), (at, after) in pairwise(points)]
    used, since = sum(weight * rise for weight, rise in rises), exp((last - now) / memory)
    return _Memory(
        rate=used * since / (memory * (1 - exp((points[0][0] - now) / memory))),
        rises=sum(weight for weight, _ in rises) * since,
        step=sum(weight * rise * rise for weight, rise in rises) / used,
        doubt=sum((weight * rise) ** 2 for weight, rise in rises) / used**2,
    )
