"""Text in columns, measured as a terminal shows it: a wide character takes two cells, a combining one none."""

from __future__ import annotations

import os
import sys
import textwrap
from collections.abc import Sequence

import click

_COLOURS = {
    "running": "green", "idle": "green", "working": "cyan", "done": "green", "verified": "green", "ok": "green",
    "blocked": "yellow",
    "waiting": "yellow", "moving": "magenta", "partial": "yellow", "open": "cyan", "starting": "cyan", "limited": "red",
    "failed": "red", "exited": "red", "down": "red", "unknown": "yellow", "refused": "yellow",
}  # fmt: skip
#: Up to here every printable character takes one cell (what combines begins at U+0300).
_ONE_CELL = "\u02ff"
#: Narrower than this no table is made; a line then runs into the next one.
_LEAST = 60


def width() -> int:
    """Return the columns to fill: the terminal's, or 80 when there is none."""
    if not sys.stdout.isatty():
        return 80
    try:
        return max(_LEAST, os.get_terminal_size(sys.stdout.fileno()).columns or 80)
    except OSError:
        return 80


def printable(text: str) -> str:
    """Return a text that cannot move a terminal's cursor: names of tasks and branches are data."""
    return "".join(character if character.isprintable() else "·" for character in text)


def cells(text: str) -> int:
    """Return how many cells of a terminal a printable text takes."""
    if max(text, default="") <= _ONE_CELL:
        return len(text)
    from rich.cells import cell_len  # a millisecond that plain text need not pay for

    return cell_len(text)


def fit(text: str, size: int, *, name: bool = False) -> str:
    """Return a printable text in exactly `size` cells: filled with spaces, or cut with an ellipsis.

    name: cut in the middle, since names that are alike differ at their ends.
    """
    taken = cells(text)
    if taken <= size:
        return text + " " * (size - taken)
    if size < 1:
        return ""
    if taken == len(text):
        kept = size // 3 if name else 0
        return text[: size - 1 - kept] + "…" + text[len(text) - kept :]
    from rich.cells import set_cell_size

    return set_cell_size(text, size - 1) + "…"


def hanging(text: str, first: str, rest: str, columns: int) -> list[str]:
    """Return a text in lines of at most `columns`; `first` stands before the first, `rest` before the others."""
    room = max(20, columns - max(cells(click.unstyle(first)), cells(rest)))
    # A number and its percent sign stay together.
    lines = [line.replace("\xa0", " ") for line in _wrapped(printable(text).replace(" %", "\xa0%"), room)] or [""]
    return [first + lines[0], *(rest + line for line in lines[1:])]


def _wrapped(text: str, room: int) -> list[str]:
    if max(text, default="") <= _ONE_CELL:
        return textwrap.wrap(text, room, break_on_hyphens=False)
    from rich.cells import chop_cells

    lines = [""]
    for part in (part for word in text.split() for part in chop_cells(word, room)):
        joined = f"{lines[-1]} {part}".strip()
        if cells(joined) <= room:
            lines[-1] = joined
        else:
            lines.append(part)
    return lines


def table(heads: Sequence[str], rows: Sequence[Sequence[object]], columns: int = 0) -> str:
    """Return a table that fits the columns (default: see `width`): the last column is cut, then the widest."""
    room = columns or width()
    texts = [[printable(str(cell)) for cell in row] for row in rows]
    sizes = [max(cells(line[place]) for line in [list(heads), *texts]) for place in range(len(heads))]
    excess = sum(sizes) + 2 * (len(sizes) - 1) - room
    if excess > 0:
        sizes[-1] -= min(excess, max(0, sizes[-1] - max(12, len(heads[-1]))))
    while (excess := sum(sizes) + 2 * (len(sizes) - 1) - room) > 0 and max(sizes) > 8:
        sizes[sizes.index(max(sizes))] -= 1
    lines = [_line(heads, sizes, bold=True), *(_line(row, sizes) for row in texts)]
    return "\n".join(lines)


def _line(line: Sequence[str], sizes: Sequence[int], bold: bool = False) -> str:
    parts = []
    for place, (text, size) in enumerate(zip(line, sizes, strict=True)):
        filled = fit(text, size, name=place == 0)
        shown = filled.rstrip()
        parts.append((click.style(shown, bold=True) if bold else paint(shown)) + filled[len(shown) :])
    return "  ".join(parts).rstrip()


def paint(text: str) -> str:
    """Return a state's word in its colour. click takes colours away where none are wanted."""
    colour = _COLOURS.get(text.strip())
    return click.style(text, fg=colour) if colour else text
