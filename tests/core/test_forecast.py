"""When a window will reach its threshold."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from failover.core.forecast import Forecast, forecast
from failover.core.usage import Reading
from tests.core.pool import NOW, reading

HOUR = 3600.0


def climb(*points: tuple[float, float], **fields: Any) -> list[Reading]:
    """Return a history. points: seconds before now, percent."""
    return [reading(used, observed_ms=int((NOW - ago) * 1000), **fields) for ago, used in points]


def steady(rate: float, up_to: float, lasting: float, each: float = 30.0, **fields: Any) -> list[Reading]:
    """Return a steady climb, by so many percent points an hour, to a percentage now."""
    ages = [number * each for number in range(int(lasting / each), -1, -1)]
    return climb(*[(age, up_to - rate * age / HOUR) for age in ages], **fields)


def told(history: list[Reading], threshold: float = 90.0, now: float = NOW) -> Forecast:
    found = forecast(history, threshold, now)
    assert found is not None
    return found


def test_a_steady_climb_goes_on() -> None:
    found = told(steady(30, 80, HOUR))
    assert (found.account, found.window) == ("main", "five_hour")
    assert found.rate == pytest.approx(30, rel=0.05)
    assert found.crosses == pytest.approx(NOW + 1200, abs=60)
    assert found.earliest is not None and found.latest is not None and found.crosses is not None
    assert NOW < found.earliest < found.crosses < found.latest


def test_too_little_history_says_nothing() -> None:
    assert forecast([], 90, NOW) is None
    assert forecast(climb((600, 10), (300, 20), (0, 30)), 90, NOW) is None, "two rises"
    assert forecast(climb((90, 10), (60, 20), (30, 30), (0, 40)), 90, NOW) is None, "a minute and a half"
    assert forecast(climb((150, 10), (60, 20), (30, 30), (0, 40)), 90, NOW) is not None


def test_what_it_will_not_reach_before_its_reset_it_does_not_reach() -> None:
    found = told(steady(30, 40, HOUR))
    assert (found.crosses, found.latest) == (None, None)
    assert told(steady(30, 40, HOUR, resets_at=None)).crosses == pytest.approx(NOW + 6000, abs=300)


def test_a_threshold_that_is_reached_is_reached_now() -> None:
    found = told(steady(30, 91, HOUR))
    assert (found.crosses, found.earliest, found.latest) == (NOW, NOW, NOW)


def test_a_reset_within_the_history_begins_it_anew() -> None:
    last_period = steady(60, 95, HOUR, resets_at=int(NOW) - 300)
    assert forecast(last_period, 90, NOW) is None
    assert forecast([*last_period, *climb((200, 0), (0, 1))], 90, NOW) is None
    assert told([*last_period, *steady(10, 5, 290)]).rate == pytest.approx(10, rel=0.1)


def test_an_idle_night_is_forgotten_within_minutes_of_work() -> None:
    """Eight hours without use, then five minutes at a point a minute, close to the threshold."""
    night = climb((8 * HOUR, 80), resets_at=int(NOW) + 9000)
    found = told([*night, *steady(60, 87, 300, resets_at=int(NOW) + 9000)])
    assert found.crosses is not None
    assert 150 < found.crosses - NOW < 400


def test_silence_is_no_use() -> None:
    busy = [reading(one.used, observed_ms=one.observed_ms - 1_800_000) for one in steady(60, 80, HOUR)]
    found = told(busy)
    assert found.rate < 40
    assert found.latest is None


def test_one_burst_is_no_rate() -> None:
    """A context that was cached anew: four points at once, after an hour at four points an hour."""
    history = [*steady(4, 82, HOUR, each=450), *climb((0, 86))]
    found = told(history)
    assert found.crosses is not None
    assert found.crosses - NOW > 900, "at the burst's rate it would be five minutes"


def test_a_session_that_was_quiet_does_not_turn_the_clock_back() -> None:
    history = steady(30, 80, HOUR)
    stale = climb((100, 55), (10, 55))
    assert told([*history, *stale]) == told(history)


def test_a_true_fall_begins_the_climb_anew() -> None:
    """Weekly counters fall in mid-cycle: from then on each reading is low."""
    week = {"window": "seven_day", "resets_at": int(NOW) + 300_000}
    high, low = climb((40_000, 60), (30_000, 80), **week), steady(2, 20, 20_000, each=1000, **week)
    assert told([*high, *low]).rate == pytest.approx(2, rel=0.15)


def test_quiet_sessions_between_others_are_no_fall() -> None:
    """Two low readings, then one near the top, then two low ones again."""
    history = steady(30, 80, HOUR)
    assert told([*history, *climb((4, 60), (3, 60), (2, 79.7), (1, 60), (0.5, 60))]) == told(history)


def test_a_clock_that_had_jumped_ahead_leaves_no_trace() -> None:
    history = steady(30, 80, HOUR)
    assert told([*history, *climb((-86_400, 99))]) == told(history)


@given(st.permutations([*steady(30, 80, 300), *steady(60, 95, 300, resets_at=int(NOW) - 10)]))
def test_the_order_of_arrival_does_not_matter(history: list[Reading]) -> None:
    assert forecast(history, 90, NOW) == forecast(sorted(history, key=lambda one: one.observed_ms), 90, NOW)


@given(
    st.lists(
        st.tuples(
            st.floats(0, 150),
            st.floats(-1e6, 1e6),
            st.sampled_from([None, int(NOW) - 9, int(NOW) + 60, int(NOW) + 9000]),
        ),
        max_size=30,
    ),
    st.floats(1, 100),
    st.sampled_from(["five_hour", "seven_day", "seven_day_opus", "spend"]),
)
def test_whatever_was_read_a_forecast_is_in_order_and_before_the_reset(
    rows: list[tuple[float, float, int | None]], threshold: float, window: str
) -> None:
    history = [
        reading(used, observed_ms=int((NOW - ago) * 1000), resets_at=resets, window=window)
        for used, ago, resets in rows
    ]
    found = forecast(history, threshold, NOW)
    if found is None:
        return
    assert found.rate >= 0
    times = [found.earliest, found.crosses, found.latest]
    known = [at for at in times if at is not None]
    assert known == sorted(known)
    assert times[: len(known)] == known, "what is expected later cannot be certain before what is expected earlier"
    assert all(at >= NOW for at in known)
    ends = [one.resets_at for one in history if one.resets_at is not None]
    assert all(at <= max(ends) for at in known if ends and at > NOW)


@pytest.mark.parametrize(("rate", "step"), [(10, 0.2), (30, 0.5), (90, 0.5), (90, 2.0)])
def test_four_times_out_of_five_the_truth_lies_within_the_interval(rate: float, step: float) -> None:
    """Made-up histories: requests at random moments, each of a random size."""
    chance, inside, count = random.Random(rate * 100 + step), 0, 0
    while count < 300:
        at, used, history = NOW - HOUR, 88 - rate - chance.uniform(0, 15), []
        while used < 90:
            at += chance.expovariate(rate / step / HOUR)
            used += chance.expovariate(1 / step)
            if at <= NOW:
                history.append(reading(used, observed_ms=int(at * 1000), resets_at=int(NOW) + 4 * 3600))
        found = forecast(history, 90, NOW) if at > NOW else None
        if found is not None:
            count += 1
            end = found.latest if found.latest is not None else float("inf")
            inside += (found.earliest or NOW) <= at <= end
    assert 0.7 <= inside / count <= 0.95
