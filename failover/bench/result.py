"""What a benchmark tells: a value, the limit that it is held against, and whether the budget is kept."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Sequence

import msgspec


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One figure. limit: what was measured beside it, None where the budget is absolute; ratio: value to limit; budget:
    the largest ratio, or the largest value where there is no limit."""

    name: str
    value: float
    unit: str
    limit: float | None
    ratio: float | None
    budget: float
    verdict: str
    machine: str

    def sentence(self) -> str:
        """Return the figure in words."""
        against = f" against {self.limit:g} {self.unit}: ratio {self.ratio:g}" if self.limit else ""
        return f"{self.name}: {self.value:g} {self.unit}{against}; budget {self.budget:g}, {self.verdict}"


def machine() -> str:
    """Return what the figures were taken on."""
    return f"{os.cpu_count()} cores, {platform.system()} {platform.release()}, Python {platform.python_version()}"


def row(name: str, value: float, unit: str, limit: float | None, budget: float, *, least: bool = False) -> Row:
    """Return one result. With a limit the budget is a ratio to it, else it is in the unit of the value.

    least: the budget is the smallest that will do, not the largest.
    """
    ratio = value / limit if limit else None
    held = ratio if ratio is not None else value
    within = held >= budget if least else held <= budget
    return Row(
        name=name,
        value=round(value, 3),
        unit=unit,
        limit=round(limit, 3) if limit else None,
        ratio=round(ratio, 3) if ratio is not None else None,
        budget=budget,
        verdict="within" if within else "outside",
        machine=machine(),
    )


def middle(values: Sequence[float]) -> float:
    """Return the median without the first value, which is the warm-up."""
    return statistics.median(values[1:])


def worst_but_one_percent(values: Sequence[float]) -> float:
    """Return the 99th percentile: of fewer than a hundred values the largest."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
