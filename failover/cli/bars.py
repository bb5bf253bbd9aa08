"""Bars and short words for windows, for a terminal and for pipes alike."""

from __future__ import annotations

from failover.cli.shared import span

_EIGHTHS = " ▏▎▍▌▋▊▉"
_NAMES = {"five_hour": "5 hours", "seven_day": "7 days", "spend": "money"}


def window_name(window: str) -> str:
    """Return what people call a window, in at most seven characters; the week of a model by the model's name."""
    name = _NAMES.get(window) or window.removeprefix("seven_day_").replace("_", " ")
    return name if len(name) <= 7 else name[:6] + "…"


def bar(used: float | None, threshold: float, width: int) -> str:
    """Return a bar of `width` characters: what is used, and the threshold as a line; dots where nothing is known."""
    if used is None:
        return "·" * width
    eighths = round(min(max(used, 0.0), 100.0) / 100 * width * 8)
    cells = ["█"] * (eighths // 8)
    if len(cells) < width:
        cells.append(_EIGHTHS[eighths % 8])
    cells += [" "] * (width - len(cells))
    at = min(width - 1, int(threshold / 100 * width))
    if cells[at] == " ":
        cells[at] = "│"
    return "".join(cells)


def countdown(seconds: float) -> str:
    """Return a time to come in at most six characters: 45s, 12m, 1h05m, 3d04h."""
    left = max(0, int(seconds))
    for unit, length, lower, part in (("d", 86400, "h", 3600), ("h", 3600, "m", 60)):
        if left >= length:
            return f"{left // length}{unit}{left % length // part:02d}{lower}"
    return span(left) if left < 60 else f"{left // 60}m"
