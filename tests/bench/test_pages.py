"""The page of the figures says what the results in the tree say, and nothing by hand."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from failover.bench import pages, result
from failover.bench.result import row
from failover.errors import UsageError

_ROWS = [
    row("blackout of one session", 1.9, "s", 1.5, 1.3),
    row("bus, events each second", 80.0, "1/s", 100.0, 0.85, least=True, note="raw pyzmq"),
    row("requests that failed", 0.0, "of them", None, 0.0),
    row("a cycle of nobody, by sessions (CPU)", 4.0, "ms", 2.0, 1.2, curve={1: 1.0, 400: 4.0}),
]


def test_the_page_and_the_plots_are_those_of_the_results_in_the_tree() -> None:
    rows = result.read(pages.DOCS / pages.RESULTS)
    text = (pages.DOCS / pages.PAGE).read_text()
    assert pages.renewed(text, rows) == text, "run scripts/bench --pages"
    for name in pages.PLOTS:
        assert pages.digest(rows) in (pages.DOCS / name).read_text(), (
            f"{name} is of other results: scripts/bench --pages"
        )
        assert name in text


def test_a_result_that_changes_changes_the_page_and_every_plot(tmp_path: Path) -> None:
    shutil.copy(pages.DOCS / pages.PAGE, tmp_path)
    result.write(tmp_path / pages.RESULTS, _ROWS)
    pages.write(tmp_path)
    text = (tmp_path / pages.PAGE).read_text()
    assert "| blackout of one session | 1.9 s | 1.5 s | 1.27 | 1.3 × | within |" in text
    assert "| bus, events each second (raw pyzmq) | 80 1/s | 100 1/s | 0.8 | at least 0.85 × | **outside** |" in text
    assert "| a cycle of nobody, by sessions (CPU) | 1 | 4 | 2.00 × | **outside** |" in text
    for name in pages.PLOTS:
        assert pages.digest(_ROWS) in (tmp_path / name).read_text()
        assert pages.digest(_ROWS[1:]) not in (tmp_path / name).read_text()
    assert pages.renewed(text, _ROWS[1:]) != text


def test_what_is_written_by_hand_stays(tmp_path: Path) -> None:
    text = (pages.DOCS / pages.PAGE).read_text()
    assert pages.renewed(text, _ROWS).partition("## What limits them")[2] == text.partition("## What limits them")[2]
    with pytest.raises(UsageError, match="has no part from"):
        pages.renewed("# Figures\n", _ROWS)


def test_a_share_of_a_budget_above_one_is_outside_it() -> None:
    for one in _ROWS:
        assert (one.of_budget > 1) == (one.verdict == "outside"), one
