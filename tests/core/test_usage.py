"""Readings that count."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from failover.core.usage import Reading, newest, worth_noting
from tests.core.pool import NOW, reading


def test_a_reading_is_void_after_its_reset_and_not_zero() -> None:
    assert newest([reading(95, resets_at=int(NOW) - 1)], NOW) == {}
    assert newest([reading(95, resets_at=int(NOW))], NOW) == {}


def test_the_later_period_counts_whatever_arrived_last() -> None:
    old, new = reading(80, resets_at=int(NOW) + 60, observed_ms=9000), reading(3, resets_at=int(NOW) + 9000)
    assert newest([new, old], NOW)["main", "five_hour"] is new


def test_use_does_not_fall_within_a_period() -> None:
    spent, stale = reading(100, observed_ms=1), reading(95, observed_ms=2, resets_at=int(NOW) + 3601)
    assert newest([spent, stale], NOW)["main", "five_hour"].used == 100


def test_a_reading_without_a_reset_time_yields_to_one_with() -> None:
    assert newest([reading(10, resets_at=None), reading(20)], NOW)["main", "five_hour"].used == 20


@given(
    st.permutations([reading(1), reading(50, observed_ms=5), reading(7, resets_at=int(NOW) + 9000), reading(9, "b")])
)
def test_the_order_of_arrival_does_not_matter(readings: list[Reading]) -> None:
    found = newest(readings, NOW)
    assert {key: one.used for key, one in found.items()} == {("main", "five_hour"): 7, ("b", "five_hour"): 9}


def test_only_news_is_worth_noting() -> None:
    assert worth_noting(None, reading(1))
    assert worth_noting(reading(1), reading(2))
    assert not worth_noting(reading(1), reading(1, observed_ms=2000))
    assert not worth_noting(reading(1, observed_ms=2000), reading(2))
