"""Windows over time as a picture, in the look that all plots share."""

from __future__ import annotations

import math
from datetime import datetime
from pathlib import Path

from failover.cli import plot
from failover.cli.bars import window_name
from failover.http.usage_views import UsageView, WindowHistory


def draw(view: UsageView, path: Path) -> None:
    """Draw a row for each account, its windows in one; write it to `path`."""
    names = list(dict.fromkeys(history.account for history in view.windows))
    days = (view.until - view.since) / 86400
    period = f"{days:g} days" if days >= 2 else f"{days * 24:g} hours"
    drawn, rows = plot.figure(f"Usage of the last {period}", rows=len(names), height=1.9)
    for axes, name in zip(rows, names, strict=True):
        windows = [history for history in view.windows if history.account == name]
        plot.percent_axis(axes)
        axes.set_xlim(_moment(view.since), _moment(view.until))  # type: ignore[arg-type]
        axes.set_title(name)
        for number, history in enumerate(windows):
            colour = plot.COLOURS[number % len(plot.COLOURS)]
            at, used = _line(history, view.until)
            plot.window(axes, at, used, colour, window_name(history.window))
            for moment in history.resets:
                plot.reset(axes, _moment(moment), colour)
        for threshold in sorted({history.threshold for history in windows}):
            plot.threshold(axes, threshold)
        for swap in view.swaps:
            if name in (swap.source, swap.target):
                word = f"→ {swap.target}" if swap.source == name else f"← {swap.source}"
                plot.swap(axes, _moment(swap.at), word)
        axes.legend(loc="upper left", fontsize=7, ncols=max(1, len(windows)))
        plot.clock_axis(axes)
    plot.save(drawn, path)


def _line(history: WindowHistory, until: float) -> tuple[list[datetime], list[float]]:
    """Return the steps of a window, held until the end; NaN where it is not known."""
    steps = [(step.at, math.nan if step.used is None else step.used) for step in history.steps]
    if steps:
        steps.append((until, steps[-1][1]))
    return [_moment(at) for at, _ in steps], [used for _, used in steps]


def _moment(epoch: float) -> datetime:
    return datetime.fromtimestamp(epoch).astimezone()
