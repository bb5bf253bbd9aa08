"""Forecasts are kept for seconds, never beyond their period; boundaries are looked up each minute."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from failover.clock import ManualClock
from failover.core.choice import Candidate
from failover.quota.foresight import Foresight
from failover.store import usage
from failover.store.db import Store
from tests.core.pool import NOW, account, reading


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(epoch=NOW)


@pytest.fixture
def store(tmp_path: Path, clock: ManualClock) -> Iterator[Store]:
    opened = Store.open(tmp_path / "state.db", "tester", "boot", clock)
    yield opened
    opened.close()


def climb(store: Store, end: int) -> None:
    """Write a climb of a point a minute to 80 % now, in the period that ends then."""
    with store.transaction() as tx:
        for ago in range(1200, -1, -30):
            at_ms = int((NOW - ago) * 1000)
            usage.note(tx, reading(80 - ago / 60, "a", observed_ms=at_ms, resets_at=end))


def at(used: float, end: int) -> Candidate:
    return account("a", readings={"five_hour": reading(used, "a", resets_at=end)})


def test_an_account_is_seen_with_its_forecasts(store: Store, clock: ManualClock) -> None:
    end = int(NOW) + 3600
    climb(store, end)
    (seen,) = Foresight(store, clock).of([at(80, end)])
    here, limit = seen.forecasts["five_hour"], seen.limits["five_hour"]
    assert here.crosses == pytest.approx(NOW + 600, abs=30)
    assert limit.crosses == pytest.approx(NOW + 1200, abs=60)


def test_a_forecast_is_not_made_anew_for_each_reading_but_dropped_with_its_period(
    store: Store, clock: ManualClock
) -> None:
    end = int(NOW) + 3600
    climb(store, end)
    foresight = Foresight(store, clock)
    (first,) = foresight.of([at(80, end)])
    with store.transaction() as tx:
        usage.note(tx, reading(85, "a", observed_ms=int(NOW * 1000) + 500, resets_at=end))
    clock.advance(0.5)
    assert foresight.of([at(85, end)])[0].forecasts == first.forecasts, "half a second ago it was made"
    clock.advance(0.5)
    assert foresight.of([at(85, end)])[0].forecasts != first.forecasts, "a second later it is made anew"
    with store.transaction() as tx:
        usage.note(tx, reading(1, "a", observed_ms=int(NOW * 1000) + 1000, resets_at=end + 18_000))
    assert foresight.of([at(1, end + 18_000)])[0].forecasts == {}, "at once, since the old period says nothing of it"


def test_boundaries_are_looked_up_each_minute_and_no_longer_than_is_waited_for(
    store: Store, clock: ManualClock
) -> None:
    foresight = Foresight(store, clock)
    assert foresight.boundary(600) == 0
    with store.transaction() as tx:
        for turn in range(12):
            for hook, seconds in (("UserPromptSubmit", 0), ("Stop", 100)):
                tx.execute(
                    "INSERT INTO hook_calls (at_ms, session, account, launch, conversation, hook, body)"
                    " VALUES (?, 's', 'a', 'l', 'c', ?, '{}')",
                    (turn * 200_000 + seconds * 1000, hook),
                )
    assert foresight.boundary(600) == 0, "the minute has not passed"
    clock.advance(60)
    assert foresight.boundary(600) == pytest.approx(90)
    assert foresight.boundary(20) == 20
