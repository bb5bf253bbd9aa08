"""What is seen while something takes its time, on standard error: live on a terminal, plain lines elsewhere."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from failover.cli.shared import console, fit, printable, width

if TYPE_CHECKING:
    from failover.core.move import Move
    from failover.store.db import Store

#: Where nothing is rewritten, so much time passes before and between two lines (seconds).
_PLAIN_EVERY = 1.0
#: The states of a move that are worth a line where nothing is rewritten, beside those that end it.
_TOLD = ("holding", "stopping", "leaving")

#: Called with what is newest, as often as one likes.
Tell = Callable[[str], None]


def live() -> bool:
    """Say whether lines can be rewritten on standard error."""
    return sys.stderr.isatty() and os.environ.get("TERM", "dumb") != "dumb"


@contextmanager
def ticker(quiet: bool) -> Iterator[Tell]:
    """Give a function that shows one line, rewritten on a terminal; elsewhere a line a second at most.

    quiet: show nothing.
    """
    began = last = time.monotonic()
    shown = ""

    def plain(text: str) -> None:
        nonlocal last, shown
        now = time.monotonic()
        if text != shown and now - began > _PLAIN_EVERY and now - last > _PLAIN_EVERY:
            click.echo(printable(text), err=True)
            last, shown = now, text

    def rewritten(text: str) -> None:
        nonlocal shown
        if text != shown:
            sys.stderr.write("\r\x1b[2K" + fit(printable(text), width() - 1).rstrip())
            sys.stderr.flush()
            shown = text

    if quiet:
        yield lambda text: None
        return
    try:
        yield rewritten if live() else plain
    finally:
        if live() and shown:
            sys.stderr.write("\r\x1b[2K")
            sys.stderr.flush()


@contextmanager
def order(store: Store, number: int, verb: str, quiet: bool) -> Iterator[Callable[[], None]]:
    """Give a function that shows how far an order is; it is called again and again until there is a result."""
    if quiet:
        yield lambda: None
    elif live():
        with _bars(store, number, verb) as look:
            yield look
            look()
    else:
        look = _lines(store, number)
        yield look
        look()


def _parts(store: Store, number: int) -> Iterator[tuple[str, str, str, float]]:
    """Return session, state, why and progress (0 to 1) of all that an order has set in motion."""
    from failover.events import SessionLaunched
    from failover.http import views
    from failover.store import events, swaps

    row = store.one("SELECT id FROM swaps WHERE order_id = ? ORDER BY id DESC LIMIT 1", (number,))
    if row is not None:
        moves: list[Move] = swaps.moves(store, row["id"])
        for view in map(views.swap_progress, moves):
            yield view.session, view.state, view.why, view.progress
        return
    placed = store.one(
        "SELECT id FROM events WHERE type = 'operator.order-placed' AND json_extract(body, '$.order') = ?"
        " ORDER BY id DESC LIMIT 1",
        (number,),
    )
    for envelope in events.after(store, placed["id"], prefix="session.launched") if placed else ():
        if isinstance(envelope.event, SessionLaunched):
            yield envelope.event.session, "launched", f"on {envelope.event.account}", 1.0


def _lines(store: Store, number: int) -> Callable[[], None]:
    from failover.core.move import TERMINAL

    known: dict[str, str] = {}

    def look() -> None:
        for session, state, why, _ in _parts(store, number):
            if known.get(session) != state and (state in _TOLD or state in TERMINAL or state == "launched"):
                click.echo(f"{session} {state}" + (f": {printable(why)}" if why else ""), err=True)
            known[session] = state

    return look


@contextmanager
def _bars(store: Store, number: int, verb: str) -> Iterator[Callable[[], None]]:
    from rich.markup import escape
    from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

    bars: dict[str, TaskID] = {}
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        TextColumn("{task.fields[state]}"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[why]}"),
        console=console(err=True),
        refresh_per_second=10,
    ) as progress:
        whole = progress.add_task(escape(verb), total=None, state="", why=f"order {number}")

        def look() -> None:
            for session, state, why, done in _parts(store, number):
                if session not in bars:
                    bars[session] = progress.add_task(escape(printable(session)), total=1.0, state="", why="")
                progress.update(bars[session], completed=done, state=state, why=escape(printable(why)[:40]))
                if done >= 1:
                    progress.stop_task(bars[session])
            if bars:
                ended = [one.completed for one in progress.tasks if one.id != whole]
                progress.update(whole, total=len(ended), completed=sum(ended))

        yield look
