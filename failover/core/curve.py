"""A window's use over time, as steps that can be drawn, and thinned to the columns of a chart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from failover.core.usage import SAME_PERIOD, Reading


class Step(msgspec.Struct, frozen=True):
    """From `at` (epoch seconds) on the window is used by `used` percent; None: not known."""

    at: float
    used: float | None


class Curve(msgspec.Struct, frozen=True):
    """A window over time. resets: when a period that was seen ended (epoch seconds)."""

    steps: tuple[Step, ...]
    resets: tuple[float, ...]


def curve(readings: Iterable[Reading], now: float) -> Curve:
    """Return the steps of one account's window until `now` (epoch seconds).

    A reading of a period that is over, by its own word or by a later one's, is left out. Within a period the highest
    use counts: a session that was quiet for a while still shows the old. From a reset on nothing is known until the
    next reading.
    """
    steps: list[Step] = []
    resets: list[float] = []
    end: int | None = None
    most = 0.0
    for one in sorted(readings, key=lambda r: (r.observed_ms, r.resets_at or 0, r.used)):
        at = one.observed_ms / 1000
        late = one.resets_at is not None and (one.resets_at <= at or (end or 0) - one.resets_at > SAME_PERIOD)
        if late or at > now:
            continue
        if end is not None and end <= at:
            resets.append(float(end))
            steps.append(Step(float(end), None))
            end, most = None, 0.0
        elif end is not None and one.resets_at is not None and one.resets_at - end > SAME_PERIOD:
            most = 0.0
        most = max(most, one.used)
        if not steps or steps[-1].used != most:
            steps.append(Step(at, most))
        end = one.resets_at if one.resets_at is not None else end
    if end is not None and end <= now:
        resets.append(float(end))
        steps.append(Step(float(end), None))
    return Curve(tuple(steps), tuple(resets))


def columns(steps: Sequence[Step], start: float, end: float, count: int) -> list[float | None]:
    """Return the highest use in each of `count` equal parts of the time from `start` to `end`; None: not known."""
    width = (end - start) / count
    found: list[float | None] = []
    current: float | None = None
    place = 0
    for column in range(count):
        most = current
        while place < len(steps) and steps[place].at < start + (column + 1) * width:
            current = steps[place].used
            if current is not None and (most is None or current > most or steps[place].at < start):
                most = current
            elif steps[place].at < start:
                most = None
            place += 1
        found.append(most)
    return found
