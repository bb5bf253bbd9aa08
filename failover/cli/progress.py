"""A progress bar per session while a swap runs."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from failover.cli.control import wait_for_result
from failover.http import views
from failover.store import swaps
from failover.store.db import Store
from failover.store.orders import OrderResult


def follow(store: Store, order: int) -> OrderResult:
    """Show the moves of the swap that serves `order` until the order has its result, and return that."""
    bars: dict[str, TaskID] = {}
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        TextColumn("{task.fields[state]}"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[why]}", table_column=None),
        console=Console(),
        refresh_per_second=10,
    ) as progress:

        def look() -> None:
            row = store.one("SELECT * FROM swaps WHERE order_id = ? ORDER BY id DESC LIMIT 1", (order,))
            if row is None:
                return
            for move in swaps.moves(store, row["id"]):
                name = move.session
                if name not in bars:
                    bars[name] = progress.add_task(escape(name), total=1.0, state="", why="")
                view = views.swap_progress(move)
                progress.update(bars[name], completed=view.progress, state=view.state, why=escape(view.why[:40]))

        result = wait_for_result(store, order, look)
        look()
    return result
