"""A window over time: what is known when, and what a column of a chart shows of it."""

from __future__ import annotations

from failover.core.curve import Curve, Step, columns, curve
from failover.core.usage import Reading


def read(at: float, used: float, resets_at: int | None = 1000) -> Reading:
    return Reading(
        account="a", window="five_hour", used=used, resets_at=resets_at, observed_ms=int(at * 1000), source="statusline"
    )


def test_use_rises_in_a_period_and_is_not_known_after_its_reset() -> None:
    drawn = curve([read(10, 5), read(20, 8), read(30, 6), read(40, 8)], now=2000)
    assert drawn == Curve((Step(10, 5), Step(20, 8), Step(1000, None)), (1000.0,))


def test_the_next_period_begins_with_its_first_reading() -> None:
    drawn = curve([read(10, 50), read(1500, 3, 3000), read(1600, 50, 1000)], now=2000)
    assert drawn == Curve((Step(10, 50), Step(1000, None), Step(1500, 3)), (1000.0,))


def test_a_period_that_ends_early_gives_way_to_the_later_one() -> None:
    drawn = curve([read(10, 50), read(20, 3, 5000), read(30, 60)], now=100)
    assert drawn.steps == (Step(10, 50), Step(20, 3))


def test_what_says_no_reset_or_comes_from_the_future_harms_nothing() -> None:
    assert curve([read(10, 5, None), read(20, 7, None)], now=100).steps == (Step(10, 5), Step(20, 7))
    assert curve([read(200, 5)], now=100) == Curve((), ())
    assert curve([], now=100) == Curve((), ())


def test_a_column_shows_the_highest_use_in_its_time_and_gaps_where_nothing_is_known() -> None:
    steps = [Step(0, 10.0), Step(25, 90.0), Step(30, None), Step(50, 20.0)]
    assert columns(steps, 0, 100, 10) == [10, 10, 90, 90, None, 20, 20, 20, 20, 20]
    assert columns([], 0, 100, 2) == [None, None]


def test_what_held_before_the_chart_begins_is_no_peak_in_it() -> None:
    assert columns([Step(0, 90.0), Step(50, 5.0)], 100, 200, 2) == [5, 5]
    assert columns([Step(0, 90.0), Step(50, None)], 100, 200, 2) == [None, None]
