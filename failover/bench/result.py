"""What a benchmark tells: a value, the limit that it is held against, and whether the budget is kept."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from failover.errors import UsageError


class Row(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One figure. limit: what was measured beside it, None where the budget is absolute; ratio: value to limit; budget:
    the largest ratio, or the largest value where there is no limit (with `least`: the smallest).

    benchmark, binary: which of the suite told it, with which binary; note: what else is to be known of this very run;
    curve: the values by size, where the figure tells how something grows.
    """

    name: str
    value: float
    unit: str
    limit: float | None
    ratio: float | None
    budget: float
    verdict: str
    machine: str
    least: bool = False
    note: str = ""
    curve: dict[str, float] = {}
    benchmark: str = ""
    binary: str = ""

    def sentence(self) -> str:
        """Return the figure in words."""
        note = f" ({self.note})" if self.note else ""
        against = f" against {self.limit:g} {self.unit}: ratio {self.ratio:g}" if self.limit else ""
        grown = "; ".join(f"{size}: {value:g}" for size, value in self.curve.items())
        curve = f" [{grown}]" if grown else ""
        least = "at least " if self.least else ""
        return f"{self.name}{note}: {self.value:g} {self.unit}{curve}{against}; budget {least}{self.budget:g}, " + (
            self.verdict
        )

    @property
    def of_budget(self) -> float:
        """Return which share of its budget the figure takes: 1 is all of it, more is outside."""
        held = self.ratio if self.ratio is not None else self.value
        if self.least:
            return self.budget / held if held else float("inf")
        return held / self.budget if self.budget else float(held > 0) * 2


def machine() -> str:
    """Return what the figures are taken on, and how busy it is with other things at that moment."""
    load = os.getloadavg()[0]
    return (
        f"{os.cpu_count()} cores, {platform.system()} {platform.release()}, Python {platform.python_version()}, "
        f"load {load:.1f}"
    )


def row(
    name: str,
    value: float,
    unit: str,
    limit: float | None,
    budget: float,
    *,
    least: bool = False,
    note: str = "",
    curve: Mapping[int, float] | None = None,
) -> Row:
    """Return one result. With a limit the budget is a ratio to it, else it is in the unit of the value.

    least: the budget is the smallest that will do, not the largest. The name says what is measured and stays the same
    from run to run, so that runs can be compared; what differs goes into the note.
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
        least=least,
        note=note,
        curve={str(size): round(each, 3) for size, each in (curve or {}).items()},
    )


def read(file: Path) -> list[Row]:
    """Return the results that a run has written. Raises UsageError."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=list[Row])
    except OSError as error:
        raise UsageError(f"{file}: cannot be read: {error.strerror}") from None
    except msgspec.MsgspecError as error:
        raise UsageError(f"{file}: holds no results of this suite: {error}") from None


def write(file: Path, rows: Sequence[Row]) -> None:
    """Write results, a field a line: a change of one figure is a change of few lines."""
    file.write_bytes(msgspec.json.format(msgspec.json.encode(rows), indent=1) + b"\n")


def middle(values: Sequence[float]) -> float:
    """Return the median without the first value, which is the warm-up."""
    return statistics.median(values[1:])


def worst_but_one_percent(values: Sequence[float]) -> float:
    """Return the 99th percentile: of fewer than a hundred values the largest."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
