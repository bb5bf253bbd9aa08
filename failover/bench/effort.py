"""How much is measured: the same benchmark as a figure for the table, or as a quick proof that it still runs."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import msgspec

T = TypeVar("T")


class Effort(msgspec.Struct, frozen=True, kw_only=True):
    """real: the real binary, None for the simulated one; trials: how many are counted, after one warm-up; seconds: how
    long those benchmarks watch that watch; sessions: how many the long run has; quick: few sessions, small sizes: what
    comes out is no figure."""

    real: Path | None = None
    trials: int = 5
    seconds: float = 60.0
    sessions: int = 100
    quick: bool = False

    def size(self, full: T, quick: T) -> T:
        """Return how many or how much of something it takes."""
        return quick if self.quick else full


#: What the tests run.
QUICK = Effort(trials=1, seconds=1.0, quick=True)
