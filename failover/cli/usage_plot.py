"""Windows over time as a picture, in the look that all plots share."""

from __future__ import annotations

import itertools
import math
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from failover.cli import plot
from failover.cli.bars import window_name
from failover.http.usage_views import UsageView, WindowHistory

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw(view: UsageView, path: Path) -> None:
    """Draw a row for each account that has readings, its windows in one; write it to `path`."""
    names = list(dict.fromkeys(history.account for history in view.windows if history.steps))
    names = names or [view.windows[0].account]
    days = (view.until - view.since) / 86400
    period = f"{days:g} days" if days >= 2 else f"{days * 24:g} hours"
    drawn, rows = plot.figure(f"Usage of the last {period}", rows=len(names), height=2.0)
    for axes, name in zip(rows, names, strict=True):
        plot.percent_axis(axes)
        axes.set_xlim(_moment(view.since), _moment(view.until))  # type: ignore[arg-type]
        axes.set_title(name)
        windows = [history for history in view.windows if history.account == name]
        for history, colour in zip(windows, itertools.cycle(plot.COLOURS), strict=False):
            _window(axes, history, colour, view.until)
        _swaps(axes, view, name)
        axes.legend(loc="lower right", bbox_to_anchor=(1, 1.0), fontsize=7.5, ncols=len(windows) + 1)
        plot.clock_axis(axes)
    plot.save(drawn, path)


def _window(axes: Axes, history: WindowHistory, colour: str, until: float) -> None:
    at, used = _line(history, until)
    plot.window(axes, at, used, colour, f"{window_name(history.window)} (threshold {history.threshold:g} %)")
    plot.threshold(axes, history.threshold, colour, named=False)
    for moment in history.resets:
        plot.reset(axes, _moment(moment), colour)


def _swaps(axes: Axes, view: UsageView, name: str) -> None:
    """Mark the swaps away from an account, and those to it at the foot."""
    for swap in view.swaps:
        if swap.source == name:
            plot.swap(axes, _moment(swap.at_ms / 1000))
    came = [_moment(swap.at_ms / 1000) for swap in view.swaps if swap.target == name]
    foot = axes.get_xaxis_transform()
    axes.plot(came, [0.0] * len(came), "^", color=plot.COLOURS[2], markersize=5, clip_on=False, transform=foot)  # type: ignore[arg-type]
    if view.swaps:
        axes.plot([], [], "v", color=plot.ALARM, markersize=5, label="its sessions left (▲ came)")


def _line(history: WindowHistory, until: float) -> tuple[list[datetime], list[float]]:
    """Return the steps of a window, held until the end; NaN where it is not known."""
    steps = [(step.at, math.nan if step.used is None else step.used) for step in history.steps]
    if steps:
        steps.append((until, steps[-1][1]))
    return [_moment(at) for at, _ in steps], [used for _, used in steps]


def _moment(epoch: float) -> datetime:
    return datetime.fromtimestamp(epoch).astimezone()
