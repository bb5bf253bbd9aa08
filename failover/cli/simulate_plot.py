"""The plot of `claude-failover simulate`: the work that waits, and what the weeks of the accounts are used for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from failover.cli import plot

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from failover.replay.compare import Result
    from failover.replay.demand import Demand
    from failover.replay.policies import Policy
    from failover.replay.world import Record

#: More swaps than this are not marked: one would see nothing else.
_MARKED = 150


def draw(demand: Demand, played: Sequence[tuple[Result, Record]], policies: Sequence[Policy], path: Path) -> None:
    """Draw a comparison to `path`: of all policies the backlog, of the first two their weekly windows."""
    shown = played[:2]
    figure, axes = plot.figure(demand.about, rows=1 + len(shown), height=2.3)
    _backlog(axes[0], demand, played)
    for place, (result, record) in enumerate(shown):
        _weeks(axes[1 + place], demand, result, record, policies[place])
    axes[-1].set_xlabel("days")
    plot.save(figure, path)


def _backlog(axes: Axes, demand: Demand, played: Sequence[tuple[Result, Record]]) -> None:
    """Draw what was asked for and is not done yet, over time."""
    coming = sorted((demand.start + turn.at, turn.tokens) for turn in demand.turns)
    axes.set_title("work that waits")
    axes.set_ylabel("million tokens")
    for (result, record), colour in zip(played, plot.COLOURS, strict=False):
        waits, asked, next_one = [], 0, 0
        for at, done, _ in record.samples:
            while next_one < len(coming) and coming[next_one][0] <= at:
                asked += coming[next_one][1]
                next_one += 1
            waits.append((asked - done) / 1e6)
        label = f"{result.policy}: {100 * result.done / result.asked:.1f} % done, blocked {result.blocked / 3600:.0f} h"
        axes.plot(_days(demand, record), waits, color=colour, label=label)
    axes.set_xlim(0, demand.seconds / 86400)
    axes.set_ylim(0)
    axes.legend(loc="upper left", fontsize=8)


def _weeks(axes: Axes, demand: Demand, result: Result, record: Record, policy: Policy) -> None:
    """Draw the use of each account's week, its threshold, and the swaps."""
    unused = result.unused["seven_day"].percent
    axes.set_title(f"{result.policy}: use of the weeks ({unused:g} % unused at their resets), {result.swaps} swaps")
    plot.percent_axis(axes)
    for place, account in enumerate(policy.config.accounts):
        used = [percents[place][1] for _, _, percents in record.samples]
        plot.window(axes, _days(demand, record), used, plot.COLOURS[place % len(plot.COLOURS)], account.name)
    for percent in sorted({account.thresholds.seven_day for account in policy.config.accounts}):
        plot.threshold(axes, percent)
    for at, _ in record.swapped if len(record.swapped) <= _MARKED else ():
        plot.swap(axes, (at - demand.start) / 86400)
    axes.set_xlim(0, demand.seconds / 86400)
    axes.legend(loc="lower left", fontsize=8, ncols=4, frameon=True, framealpha=0.8, edgecolor="none")


def _days(demand: Demand, record: Record) -> list[float]:
    return [(at - demand.start) / 86400 for at, _, _ in record.samples]
