"""Windows over time in block characters, for a terminal of 80 columns."""

from __future__ import annotations

import time
from collections.abc import Sequence

import click

from failover.cli.bars import window_name
from failover.cli.columns import hanging
from failover.cli.shared import fit, printable
from failover.core.curve import columns
from failover.http.usage_views import UsageView, WindowHistory

_EIGHTHS = " ▁▂▃▄▅▆▇█"
_ROWS = 5
_MARGIN = 6
_MOST_LINES = 8


def chart(view: UsageView, width: int) -> str:
    """Return a chart for each account and window, one under the other."""
    parts: list[str] = []
    room = width - _MARGIN - 1
    for history in view.windows:
        parts.append("\n".join(_window(view, history, room)))
    parts.append(_legend(view, width))
    return "\n\n".join(parts)


def _window(view: UsageView, history: WindowHistory, room: int) -> list[str]:
    shown = columns(history.steps, view.since, view.until, room)
    known = [used for used in shown if used is not None]
    last = history.steps[-1].used if history.steps else None
    now = f"{last:.0f} % now" if last is not None else "not known now"
    peak = f", {max(known):.0f} % at most" if known else ""
    title = f"{fit(printable(history.account), 24, name=True).rstrip()} · {window_name(history.window)}"
    lines = [f"{click.style(title, bold=True)}   {now}{peak}, threshold {history.threshold:g} %"]
    if not known:
        return [*lines, "      no reading in this time"]
    limit = min(_ROWS - 1, int(history.threshold / 100 * _ROWS))
    # Many resets are marked below the chart only.
    resets = {_column(view, at, room) for at in history.resets if len(history.resets) <= _MOST_LINES}
    for row in range(_ROWS - 1, -1, -1):
        label = {_ROWS - 1: "100 %", 0: "  0 %"}.get(row, "")
        cells = [_cell(used, row, row == limit, place in resets) for place, used in enumerate(shown)]
        lines.append(f"{label:>{_MARGIN - 1}} ▕" + _coloured(cells, shown, history.threshold))
    marks = [" "] * room
    for at in history.resets:
        marks[_column(view, at, room)] = "┴"
    for swap in view.swaps:
        if history.account in (swap.source, swap.target):
            marks[_column(view, swap.at_ms / 1000, room)] = "▲" if swap.source == history.account else "▼"
    if any(mark != " " for mark in marks):
        lines.append(" " * (_MARGIN + 1) + "".join(marks).rstrip())
    lines.append(" " * (_MARGIN + 1) + _axis(view, room))
    return lines


def _cell(used: float | None, row: int, at_threshold: bool, reset: bool) -> str:
    if used is not None:
        eighths = round(min(used, 100.0) / 100 * _ROWS * 8) - row * 8
        if eighths > 0:
            return _EIGHTHS[min(eighths, 8)]
        if row == 0:
            return "▁"  # known to be nothing, which is not the same as not known
    if reset:
        return "┊"
    return "╌" if at_threshold else " "


def _coloured(cells: Sequence[str], shown: Sequence[float | None], threshold: float) -> str:
    """Paint runs of equal colour at once, so that a line stays short."""
    out, run, colour = "", "", ""
    for cell, used in zip(cells, shown, strict=True):
        wanted = "" if cell in " ╌┊" else "red" if used is not None and used >= threshold else "green"
        wanted = "bright_black" if cell in "╌┊" else wanted
        if wanted != colour:
            out += click.style(run, fg=colour) if colour else run
            run, colour = "", wanted
        run += cell
    return out + (click.style(run, fg=colour) if colour else run.rstrip())


def _column(view: UsageView, at: float, room: int) -> int:
    return min(room - 1, max(0, int((at - view.since) / (view.until - view.since) * room)))


def _axis(view: UsageView, room: int) -> str:
    """Return as many moments as fit, each at its place."""
    day = view.until - view.since > 2 * 86400
    form = "%m-%d" if day else "%H:%M"
    count = max(1, room // 16)
    line = ""
    for number in range(count):
        at = view.since + number / count * (view.until - view.since)
        line = line.ljust(_column(view, at, room)) + time.strftime(form, time.localtime(at))
    return line[: room - 4].ljust(room - 3) + "now"


def _legend(view: UsageView, columns: int) -> str:
    marks = "╌ threshold   ┊ reset   ▲ its sessions left   ▼ sessions came   blank: not known"
    if not view.swaps:
        return marks + "\nno swap in this time"
    last, count = view.swaps[-1], len({swap.swap for swap in view.swaps})
    when = time.strftime("%m-%d %H:%M", time.localtime(last.at_ms / 1000))
    went = "1 session" if last.sessions == 1 else f"{last.sessions} sessions"
    swaps = "1 swap" if count == 1 else f"{count} swaps"
    told = f"{swaps}; the last: {when}, {went} from {last.source} to {last.target}"
    return "\n".join([marks, *hanging(told, "", "  ", columns)])
