"""An account of the world: its two windows, which open at first use and are empty again after their reset."""

from __future__ import annotations

from math import inf

from failover.core.usage import Reading
from failover.replay.demand import FIVE_HOURS, WEEK, Quota


class Window:
    """A window of a quota.

    used: tokens of the period that runs; resets: when it ends (epoch seconds), 0 while none runs; ended: how many
    periods did; unused: tokens that were left at their ends.
    """

    __slots__ = ("ended", "length", "name", "quota", "resets", "unused", "used")

    def __init__(self, name: str, length: int, quota: int) -> None:
        self.name, self.length, self.quota = name, length, quota
        self.used = self.resets = self.ended = self.unused = 0

    def roll(self, now: float) -> None:
        """End the period if it is over."""
        if self.resets and self.resets <= now:
            self.unused += self.quota - self.used
            self.ended += 1
            self.used = self.resets = 0


class Account:
    """What an account has left, and what is read of it. spent: tokens in all."""

    def __init__(self, name: str, quota: Quota, start: int) -> None:
        self.name, self.spent = name, 0
        self.windows = (Window("five_hour", FIVE_HOURS, quota.five_hour), Window("seven_day", WEEK, quota.seven_day))
        self.windows[1].resets = quota.week_ends and start + quota.week_ends
        self._shown: tuple[int, ...] = ()

    def take(self, wanted: int, now: float) -> int:
        """Take up to `wanted` tokens; return how many there were. now: epoch seconds."""
        five_hour, week = self.windows
        five_hour.roll(now)
        week.roll(now)
        taken = min(wanted, five_hour.quota - five_hour.used, week.quota - week.used)
        if taken:
            self.spent += taken
            for window in self.windows:
                window.used += taken
                if not window.resets:
                    window.resets = int(now) + window.length
        return taken

    def full(self) -> Window:
        """Return the used-up window that stops sessions longest."""
        return max((w for w in self.windows if w.used >= w.quota), key=lambda window: window.resets)

    def percents(self) -> tuple[float, ...]:
        """Return how much of each window is used."""
        return tuple(100 * window.used / window.quota for window in self.windows)

    def tokens_per_point(self) -> dict[str, float]:
        """Return what one percent of each window costs (tokens)."""
        return {window.name: window.quota / 100 for window in self.windows}

    def next_reset(self, now: float) -> float:
        """Return when the first of the running periods ends (epoch seconds), infinite when none runs."""
        return min((float(window.resets) for window in self.windows if window.resets > now), default=inf)

    def news(self, now: float, source: str) -> list[Reading]:
        """Return what is read of the windows now, nothing while it is what was read last.

        The binary shows whole percent (2.1.330).
        """
        five_hour, week = self.windows
        five_hour.roll(now)
        week.roll(now)
        shown = (five_hour.used * 100 // five_hour.quota, five_hour.resets, week.used * 100 // week.quota, week.resets)
        if shown == self._shown:
            return []
        self._shown = shown
        return [
            Reading(
                account=self.name,
                window=window.name,
                used=float(window.used * 100 // window.quota),
                resets_at=window.resets or None,
                observed_ms=int(now * 1000),
                source=source,
            )
            for window in self.windows
        ]
