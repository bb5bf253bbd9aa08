"""Two clocks that must not be mixed: monotonic seconds for durations, epoch seconds for display and reset times."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path
from typing import Protocol

#: Names a file with the seconds by which the time of day is wrong; never set outside tests.
VARIABLE = "FAILOVER_CLOCK_OFF_BY"


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
        return time.time() + _off_by()


def _off_by() -> float:
    """Return by how many seconds a test lets the time of day be wrong, 0 where none does."""
    if file := os.environ.get(VARIABLE):
        with contextlib.suppress(FileNotFoundError):
            return float(Path(file).read_text())
    return 0.0


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
