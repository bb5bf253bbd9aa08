"""The plots of the results: how much of its budget each figure takes, and how cost grows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from failover.bench.result import Row
from failover.cli import plot

#: A bar is cut here: how many times outside a budget says more as a number.
_LONGEST = 2.0


def budgets(rows: Sequence[Row], path: Path, about: str) -> None:
    """Draw a bar for each figure that is no curve: the share of its budget."""
    plot.check(path)
    bars = [row for row in rows if not row.curve and row.budget][::-1]
    drawn, (axes,) = plot.figure("What of its budget each figure takes", height=max(1.5, 0.19 * len(bars)))
    shares = [row.of_budget for row in bars]
    colours = [plot.COLOURS[0] if row.verdict == "within" else plot.ALARM for row in bars]
    axes.barh(range(len(bars)), [min(share, _LONGEST) for share in shares], color=colours, height=0.62)
    for place, share in enumerate(shares):
        axes.text(min(share, _LONGEST) + 0.01, place, f"{100 * share:.0f} %", va="center", fontsize=6.5)
    real = [f"{row.name} ({row.binary})" if row.binary not in ("", "simulated") else row.name for row in bars]
    axes.set_yticks(range(len(bars)), real, fontsize=6.5)
    axes.set_ylim(-0.6, len(bars) - 0.4)
    axes.set_xlim(0, _LONGEST * 1.06)
    axes.set_xlabel("of the budget")
    axes.grid(visible=False, axis="y")
    axes.axvline(1, color=plot.INK, linewidth=0.9, linestyle=(0, (4, 3)))
    plot.save(drawn, path, about)


def growth(rows: Sequence[Row], path: Path, about: str) -> None:
    """Draw the curves of what grows with something, a panel for each kind; both axes logarithmic."""
    plot.check(path)
    panels: dict[str, list[Row]] = {}
    for row in rows:
        if row.curve and ", by " in row.name:
            panels.setdefault(row.name.partition(", by ")[2].partition(" (")[0], []).append(row)
    drawn, many = plot.figure("How cost grows (ms of the processor)", rows=max(1, len(panels)), height=2.7)
    for axes, (what, curves) in zip(many, panels.items(), strict=False):
        for place, row in enumerate(curves):
            sizes = [int(size) for size in row.curve]
            colour = plot.COLOURS[place % len(plot.COLOURS)]
            name = row.name.partition(", by ")[0]
            again = "--" if place >= len(plot.COLOURS) else "-"
            axes.plot(sizes, [max(value, 0.01) for value in row.curve.values()], again, color=colour, marker="o",
                      markersize=3, label=name)  # fmt: skip
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
        axes.minorticks_off()
        axes.set_title(f"by {what}")
        axes.set_ylabel("ms")
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=7.5)
    plot.save(drawn, path, about)
