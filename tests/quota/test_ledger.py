"""What sessions push becomes readings once; what is another account's is refused and reported."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from failover.clock import ManualClock
from failover.events import UsageNoted
from failover.quota.ledger import Ledger
from failover.quota.sources import Statuslines
from failover.store import events, hooks, usage
from failover.store.db import Store

Figures = tuple[float, int]


class Books:
    """A store, and the two that make readings of pushes."""

    def __init__(self, folder: Path) -> None:
        self.clock = ManualClock()
        self.store = Store.open(folder / "state.db", "quota-monitor", "boot", self.clock)
        self.begin()

    def begin(self) -> None:
        self.ledger, self.statuslines = Ledger(self.store, ["a", "b"]), Statuslines(self.store)

    def push(self, account: str, five: Figures, seven: Figures = (5, 90_000), by: str = "s-0") -> None:
        """Let a session's statusline tell of its account, (used, resets in seconds), and take it in."""
        windows = {
            name: {"used_percentage": used, "resets_at": int(ManualClock().epoch()) + resets}
            for name, (used, resets) in (("five_hour", five), ("seven_day", seven))
        }
        self.clock.advance(1)
        with self.store.transaction() as tx:
            line = usage.StatuslineRow(
                session=by, account=account, launch=f"{by}-{account}", conversation="c",
                at_ms=self.store.now_ms(), body=json.dumps({"rate_limits": {**windows, "overage": None}}),
            )  # fmt: skip
            hooks.record_statusline(tx, line)
        self.ledger.keep(self.statuslines.read())

    def kept(self, account: str) -> list[float]:
        return [r.used for r in usage.recent(self.store, 0) if (r.account, r.window) == (account, "five_hour")]

    def noted(self) -> list[str]:
        return [one.event.what for one in events.latest(self.store, 99) if isinstance(one.event, UsageNoted)]


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Books]:
    made = Books(tmp_path)
    yield made
    made.store.close()


def test_a_figure_that_a_session_repeats_is_kept_once_also_after_a_restart(books: Books) -> None:
    for used in (10, 10, 11, 11):
        books.push("a", (used, 3600))
    books.begin()
    books.push("a", (11, 3600))
    books.push("a", (12, 3600))
    assert books.kept("a") == [10, 11, 12]


def test_an_idle_sessions_old_figures_are_no_fall(books: Books) -> None:
    books.push("a", (10, 3600), by="idle")
    for used in (40, 60):
        books.push("a", (used, 3600))
        books.push("a", (10, 3600), by="idle")
    assert books.kept("a") == [10, 40, 60]
    assert books.noted() == []


def test_a_fall_is_noted_once(books: Books) -> None:
    for used in (80, 20, 21, 22):
        books.push("a", (used, 3600))
    assert books.kept("a") == [80, 20, 21, 22]
    assert books.noted() == ["fell"]


def test_the_figures_of_the_account_that_a_session_left_are_refused_and_reported_once(books: Books) -> None:
    books.push("a", (91, 3600), (40, 86_400))
    books.push("b", (91, 3600), (40, 86_400))
    books.push("b", (91, 3600), (40, 86_400))
    assert books.kept("b") == []
    assert books.noted() == ["foreign", "foreign"], "for each of its windows"
    books.push("b", (3, 7200), (10, 200_000))
    assert books.kept("b") == [3]
