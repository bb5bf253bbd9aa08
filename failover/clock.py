"""Two clocks that must not be mixed: monotonic seconds for durations, epoch seconds for display and reset times."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """What the edge hands to the core as `now`."""

    def monotonic(self) -> float:
        """Return seconds on the host's monotonic clock (the same for all processes of one boot)."""

    def epoch(self) -> float:
        """Return seconds since 1970, as the provider's reset times count them."""


class SystemClock:
    """The host's own clocks."""

    def monotonic(self) -> float:
        return time.monotonic()

    def epoch(self) -> float:
        return time.time()


class ManualClock:
    """A clock that stands still until it is told to advance; for tests and simulation."""

    def __init__(self, monotonic: float = 1000.0, epoch: float = 1_800_000_000.0) -> None:
        self._monotonic, self._epoch = monotonic, epoch

    def monotonic(self) -> float:
        return self._monotonic

    def epoch(self) -> float:
        return self._epoch

    def advance(self, seconds: float) -> None:
        """Let both clocks run on by `seconds`."""
        self._monotonic += seconds
        self._epoch += seconds

    def jump(self, seconds: float) -> None:
        """Set the time of day on or back by `seconds`; no time passes by that."""
        self._epoch += seconds
