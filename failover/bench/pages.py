"""`scripts/bench --pages`: the tables and plots of docs/performance.md, made from the results in docs/performance.json.

What is written there by hand (how it was measured, what limits it, what is not claimed) stays as it is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from failover.bench import pictures, result
from failover.bench.result import Row
from failover.errors import UsageError

DOCS = Path(__file__).resolve().parents[2] / "docs"
RESULTS, PAGE = "performance.json", "performance.md"
#: The plots by the file that they are drawn to.
PLOTS: dict[str, Callable[[Sequence[Row], Path, str], None]] = {
    "performance-budgets.svg": pictures.budgets,
    "performance-growth.svg": pictures.growth,
}
_END = "<!-- end -->"


def write(docs: Path = DOCS) -> list[Path]:
    """Make tables and plots anew from the results; return what was written. Raises UsageError."""
    rows = result.read(docs / RESULTS)
    page = docs / PAGE
    page.write_text(renewed(page.read_text(), rows))
    for name, draw in PLOTS.items():
        draw(rows, docs / name, digest(rows))
    return [page, *(docs / name for name in PLOTS)]


def digest(rows: Sequence[Row]) -> str:
    """Return what tells these results from others; it is kept in each plot."""
    return "results " + hashlib.sha256(msgspec.json.encode(rows)).hexdigest()


def renewed(text: str, rows: Sequence[Row]) -> str:
    """Return the page with its tables made anew. Raises UsageError when it has no place for one."""
    for name, table in {"figures": figures, "growth": growth}.items():
        begin = f"<!-- {name}, made from {RESULTS}: scripts/bench --pages -->"
        before, found, rest = text.partition(begin)
        _, ended, after = rest.partition(_END)
        if not found or not ended:
            raise UsageError(f"{PAGE} has no part from {begin} to {_END}; put both lines where its table belongs")
        text = f"{before}{begin}\n{table(rows)}\n{_END}{after}"
    return text


def figures(rows: Sequence[Row]) -> str:
    """Return the table of all figures that are no curve, and what they were taken on."""
    lines = ["| figure | measured | limit in the same run | ratio | budget | |", "|---|---|---|---|---|---|"]
    for row in (row for row in rows if not row.curve):
        limit = f"{_number(row.limit)} {row.unit}" if row.limit is not None else ""
        ratio = f"{row.ratio:.3g}" if row.ratio is not None else ""
        unit = "×" if row.ratio is not None else row.unit
        budget = f"{'at least ' if row.least else ''}{row.budget:g} {unit}"
        verdict = row.verdict if row.verdict == "within" else f"**{row.verdict}**"
        lines.append(f"| {_named(row)} | {_number(row.value)} {row.unit} | {limit} | {ratio} | {budget} | {verdict} |")
    return "\n".join([*lines, "", _machines(rows)])


def growth(rows: Sequence[Row]) -> str:
    """Return the tables of all curves: one for each set of sizes."""
    by_sizes: dict[tuple[str, tuple[str, ...]], list[Row]] = {}
    for row in rows:
        if row.curve:
            by_sizes.setdefault((row.benchmark, tuple(row.curve)), []).append(row)
    tables = []
    for (_, sizes), curves in by_sizes.items():
        heads = " | ".join(f"{int(size):,}" for size in sizes)
        lines = [f"| {curves[0].unit} | {heads} | of the limit | |", "|---" * (len(sizes) + 3) + "|"]
        for row in curves:
            values = " | ".join(map(_number, row.curve.values()))
            verdict = row.verdict if row.verdict == "within" else f"**{row.verdict}**"
            lines.append(f"| {_named(row)} | {values} | {row.ratio:.2f} × | {verdict} |")
        tables.append("\n".join(lines))
    return "\n\n".join(tables)


def _number(value: float) -> str:
    return f"{value:.3g}" if value < 1000 else f"{value:,.0f}"


def _named(row: Row) -> str:
    binary = f", {row.binary}" if row.binary not in ("", "simulated") else ""
    note = f" ({row.note})" if row.note else ""
    return f"{row.name}{binary}{note}"


def _machines(rows: Sequence[Row]) -> str:
    """Say what the figures were taken on, and beside how much other work."""
    loads: dict[str, list[str]] = {}
    for row in rows:
        machine, _, load = row.machine.partition(", load ")
        loads.setdefault(machine, []).append(load)
    told = []
    for machine, found in loads.items():
        known = sorted(float(load) for load in found if load)
        low, high = (known[0], known[-1]) if known else (0.0, 0.0)
        span = f", load {low:g}{f' to {high:g}' if high > low else ''}" if known else ""
        told.append(f"{machine}{span} ({len(found)} figures)")
    return "Taken on: " + "; ".join(told) + "."
