"""What all verbs share: the configuration, the store, and how answers look."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import click

from failover.config import Config, find, load
from failover.config_yaml import seconds_in
from failover.errors import UsageError
from failover.store.db import Store

F = TypeVar("F", bound=Callable[..., Any])

_COLOURS = {
    "running": "green", "idle": "green", "working": "cyan", "done": "green", "verified": "green", "ok": "green",
    "blocked": "yellow",
    "waiting": "yellow", "moving": "magenta", "partial": "yellow", "open": "cyan", "starting": "cyan", "limited": "red",
    "failed": "red", "exited": "red", "down": "red", "unknown": "yellow", "refused": "yellow",
}  # fmt: skip


class Cli:
    """What a verb is given. The configuration and the store are opened when they are first asked for."""

    def __init__(self, file: Path | None) -> None:
        self._file = file

    @property
    def named(self) -> Path | None:
        """Return the configuration file that was named by --config or FAILOVER_CONFIG, whether it is there or not."""
        variable = os.environ.get("FAILOVER_CONFIG")
        return self._file or (Path(variable) if variable else None)

    @property
    def is_there(self) -> bool:
        """Say whether there is a configuration file, good or bad."""
        try:
            return os.path.lexists(self.file)
        except UsageError:
            return False

    @cached_property
    def file(self) -> Path:
        """Return the configuration file that counts. Raises UsageError when there is none."""
        return (self._file or find(os.environ)).absolute()

    @cached_property
    def config(self) -> Config:
        """Return the configuration. Raises ConfigError."""
        return load(self.file)

    @cached_property
    def store(self) -> Store:
        """Return the store, for looking only; the daemon need not run. Raises StoreError when there is none."""
        return Store.read_only(self.config.paths.store)


def json_option(function: F) -> F:
    """Add --json to a verb; its parameter is `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")(function)


class Duration(click.ParamType[float]):
    """A duration such as 90s, 10m, 2h or 7d; its value is seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the seconds."""
        found = seconds_in(str(value))
        if found is None or not 0 < found <= 3650 * 86400:
            self.fail(f"{value!r} is no duration up to ten years; write 90s, 10m, 2h or 7d", param, ctx)
        return found


def print_json(value: Any) -> None:
    """Print a value as indented JSON."""
    import msgspec

    click.echo(msgspec.json.format(msgspec.json.encode(value, enc_hook=str), indent=2).decode())


def width() -> int:
    """Return the columns to fill: the terminal's, or 80 when there is none."""
    return max(60, os.get_terminal_size(sys.stdout.fileno()).columns) if sys.stdout.isatty() else 80


def table(heads: Sequence[str], rows: Sequence[Sequence[object]], columns: int = 0) -> str:
    """Return a table that fits the columns (default: see `width`): the last column is cut, then the widest."""
    room = columns or width()
    cells = [[printable(str(cell)) for cell in row] for row in rows]
    sizes = [max(len(line[place]) for line in [list(heads), *cells]) for place in range(len(heads))]
    excess = sum(sizes) + 2 * (len(sizes) - 1) - room
    if excess > 0:
        sizes[-1] -= min(excess, max(0, sizes[-1] - max(12, len(heads[-1]))))
    while (excess := sum(sizes) + 2 * (len(sizes) - 1) - room) > 0 and max(sizes) > 8:
        sizes[sizes.index(max(sizes))] -= 1
    lines = [_line(heads, sizes, bold=True), *(_line(row, sizes) for row in cells)]
    return "\n".join(lines)


def _line(cells: Sequence[str], sizes: Sequence[int], bold: bool = False) -> str:
    parts = []
    for cell, size in zip(cells, sizes, strict=True):
        text = cell if len(cell) <= size else cell[: size - 1] + "…"
        parts.append((click.style(text, bold=True) if bold else paint(text)) + " " * (size - len(text)))
    return "  ".join(parts).rstrip()


def paint(text: str) -> str:
    """Return a state's word in its colour. click takes colours away where there is no terminal."""
    colour = _COLOURS.get(text.strip())
    return click.style(text, fg=colour) if colour else text


def printable(text: str) -> str:
    """Return a text that cannot move a terminal's cursor: names of tasks and branches are data."""
    return "".join(character if character.isprintable() else "·" for character in text)


def ago(at_ms: int) -> str:
    """Return how long ago a moment was, in at most four characters."""
    return span(time.time() - at_ms / 1000) if at_ms else "-"


def span(seconds: float) -> str:
    """Return a duration in at most four characters: 12s, 4m, 3h, 9d."""
    seconds = max(0, int(seconds))
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length}{unit}"
    return f"{seconds}s"


def clock_time(at_ms: int) -> str:
    """Return a moment as local date and time."""
    return time.strftime("%m-%d %H:%M:%S", time.localtime(at_ms / 1000)) if at_ms else "-"
