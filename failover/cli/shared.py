"""What all verbs share: the configuration, the store, and how answers look.

Nothing heavy comes in here: completion and `--help` load this too.
"""

from __future__ import annotations

import os
import textwrap
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from failover.cli.columns import cells, fit, paint, printable, table, width
from failover.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from failover.config import Config
    from failover.store.db import Store

__all__ = [
    "Cli", "Duration", "ago", "cells", "clock_time", "console", "fit", "interruptible", "json_option", "manual",
    "note", "paint", "print_json", "printable", "span", "table", "width",
]  # fmt: skip

F = TypeVar("F", bound=Callable[..., Any])


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
        from failover.config import find

        return (self._file or find(os.environ)).absolute()

    @cached_property
    def config(self) -> Config:
        """Return the configuration. Raises ConfigError."""
        from failover.config import load

        return load(self.file)

    @cached_property
    def store(self) -> Store:
        """Return the store, for looking only; the daemon need not run. Raises StoreError when there is none."""
        from failover.store.db import Store

        return Store.read_only(self.config.paths.store)


def json_option(function: F) -> F:
    """Add --json to a verb; its parameter is `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")(function)


def manual(examples: Mapping[str, str], columns: Mapping[str, str] | None = None, note: str = "") -> str:
    """Return a verb's epilog. examples: arguments → what they do; columns: head → what stands below it."""
    parts = [_listed("Columns:", columns)] if columns else []
    parts += [note] if note else []
    parts.append(_listed("Examples:", {f"claude-failover {words}": text for words, text in examples.items()}))
    return "\n\n".join(parts)


def _listed(title: str, rows: Mapping[str, str]) -> str:
    """Return terms with what they mean, in 76 columns; the mark in front keeps click from filling the lines."""
    size = min(max(map(len, rows)), 36)
    lines = ["\b", title]
    for term, text in rows.items():
        first, *rest = textwrap.wrap(text, 72 - size, break_on_hyphens=False)
        if len(term) > size:
            lines += [f"  {term}", f"  {'':{size}}  {first}"]
        else:
            lines.append(f"  {term:{size}}  {first}")
        lines += [f"  {'':{size}}  {line}" for line in rest]
    return "\n".join(lines)


def note(sentence: str) -> None:
    """Say something beside the answer: one line on standard error, whatever is in it."""
    line = "".join(character if character.isprintable() else " " for character in sentence)
    click.echo(f"claude-failover: {line}", err=True)


@contextmanager
def interruptible(sentence: str) -> Iterator[None]:
    """Let Ctrl-C end the waiting only: say what goes on, and end with 130."""
    try:
        yield
    except KeyboardInterrupt:
        note(f"interrupted; {sentence}")
        raise click.exceptions.Exit(130) from None


def console(*, err: bool = False) -> Console:
    """Return rich's console, with colours only where click would show them."""
    from rich.console import Console

    context = click.get_current_context(silent=True)
    return Console(stderr=err, no_color=True if context and context.color is False else None)


class Duration(click.ParamType[float]):
    """A duration such as 90s, 10m, 2h or 7d; its value is seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the seconds."""
        from failover.config_yaml import seconds_in

        found = seconds_in(str(value))
        if found is None or not 0 < found <= 3650 * 86400:
            self.fail(f"{value!r} is no duration up to ten years; write 90s, 10m, 2h or 7d", param, ctx)
        return found


def print_json(value: Any) -> None:
    """Print a value as indented JSON."""
    import msgspec

    click.echo(msgspec.json.format(msgspec.json.encode(value, enc_hook=str), indent=2).decode())


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
