"""What is counted only grows, and is counted as it was."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from failover.core.move import Move
from failover.core.tally import FAMILIES, Tally, blackout, crossed, cumulative, waited
from failover.core.task import Finish, Past, Task
from failover.core.usage import Reading

DISPATCH = "task_dispatch_seconds"


def series(tally: Tally) -> dict[str, list[float]]:
    return {"/".join((name, *labels)): values for (name, labels), values in tally.items()}


def test_a_counter_counts_and_a_duration_falls_into_the_first_bucket_that_holds_it() -> None:
    tally = Tally()
    tally.count("exhausted")
    tally.count("exhausted")
    for seconds in (0.1, 0.11, 9999.0):
        tally.observe(DISPATCH, seconds)
    found = series(tally)
    assert found["exhausted"] == [2]
    told = dict(cumulative(DISPATCH, found[DISPATCH]))
    assert (told[0.1], told[0.25], told[3600.0], told[float("inf")]) == (1, 2, 2, 3)
    assert found[DISPATCH][-1] == pytest.approx(9999.21)


def test_a_negative_duration_is_none() -> None:
    tally = Tally()
    tally.observe(DISPATCH, -0.001)
    assert tally.items() == []


def test_what_was_taken_is_counted_no_more() -> None:
    tally = Tally()
    tally.count("exhausted")
    taken = tally.take()
    tally.count("exhausted")
    assert series(taken) == series(tally) == {"exhausted": [1]}


def test_what_is_known_beforehand_begins_at_zero() -> None:
    tally = Tally()
    tally.begin()
    found = series(tally)
    assert found["swaps/swap/done/soft"] == [0]
    assert not any(name.startswith("role_starts") for name in found), "no role is known beforehand"
    assert all(set(values) == {0} for values in found.values())


def test_what_does_not_have_the_shape_of_a_family_is_left_out() -> None:
    kept = {("swaps", ("a", "b", "c")): [1.0], ("nonsense", ()): [1.0], (DISPATCH, ()): [1.0, 2.0]}
    assert series(Tally(kept)) == {"swaps/a/b/c": [1.0]}


@given(st.lists(st.lists(st.floats(0, 5000), max_size=8), max_size=6))
def test_in_whatever_portions_it_is_added_it_comes_to_the_same(portions: list[list[float]]) -> None:
    apart, whole = Tally(), Tally()
    for portion in portions:
        part = Tally()
        for seconds in portion:
            part.observe(DISPATCH, seconds)
            whole.observe(DISPATCH, seconds)
        apart.add(part)
    counts = [series(one).get(DISPATCH, [0.0])[:-1] for one in (apart, whole)]
    assert counts[0] == counts[1]
    for name, values in series(whole).items():
        told = [count for _, count in cumulative(name, values)]
        assert told == sorted(told), "a bucket holds all that the smaller ones hold"


def move(**fields: Any) -> Move:
    return Move(id=1, swap=1, session="s", conversation="c", cwd="/", source="a", target="b", kind="swap", **fields)


@pytest.mark.parametrize(
    ("state", "at", "seconds"),
    [
        ("verified", {"queued": 1.0, "stopping": 5.0, "dead": 5.5, "verified": 7.5}, 2.5),
        ("verified", {"queued": 1.0, "dead": 5.5, "verified": 7.5}, 2.0),
        ("verified", {"stopping": 900.0, "verified": 7.5}, None),
        ("verified", {"stopping": 5.0}, None),
        ("verified", {}, None),
        ("stayed", {"stayed": 5.0}, None),
        ("failed", {"stopping": 5.0, "failed": 9.0}, None),
    ],
)
def test_a_blackout_is_of_a_session_that_came_back(state: Any, at: dict[str, float], seconds: float | None) -> None:
    assert blackout(move(state=state, at=at)) == seconds


def test_only_the_first_acceptance_since_it_was_queued_tells_how_long_a_task_lay() -> None:
    task = Task(id=1, name="t", project="/p", queued_ms=1000)
    assert waited(task, 1, 3500) == 2.5
    assert waited(task, 2, 3500) is None, "it was offered again"
    assert waited(task, 1, 500) is None, "it was retried since"
    past = Past(Finish("failed", "r", "t"), "s", 3, 900)
    retried = msgspec.structs.replace(task, history=(past,))
    assert waited(retried, 4, 2000) == 1.0
    assert waited(retried, 1, 2000) is None


def reading(at: int, used: float, resets_at: int | None = 90_000, window: str = "five_hour") -> Reading:
    return Reading(account="a", window=window, used=used, resets_at=resets_at, observed_ms=at, source="statusline")


def test_the_threshold_is_crossed_at_the_first_reading_of_the_present_period() -> None:
    limits = {"five_hour": 90.0, "seven_day": 95.0}
    old = [reading(10, 99, resets_at=1)]
    climb = [reading(40, 92), reading(20, 89), reading(30, 90), reading(25, 94, window="seven_day")]
    assert crossed(old + climb, limits, 0) == 30
    assert crossed([*old, *climb, reading(28, 95, window="seven_day")], limits, 0) == 28
    assert crossed(climb, limits, 35) == 40, "the sessions came later"
    assert crossed([*old, reading(20, 50)], limits, 0) is None
    assert crossed([], limits, 0) is None


def test_no_histogram_has_room_for_a_doubt_about_its_bounds() -> None:
    for name, family in FAMILIES.items():
        assert list(family.buckets) == sorted(set(family.buckets)), name
        assert name.endswith("_seconds") == bool(family.buckets), name
