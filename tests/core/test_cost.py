"""What a percent point of a window costs in tokens."""

from __future__ import annotations

import pytest

from failover.core.cost import Cost, Usage, learn, per_point, weigh

NOTHING = Cost(account="a", window="five_hour")


def test_tokens_are_counted_as_tokens_written_to_the_cache() -> None:
    assert weigh(Usage(cache_creation_input_tokens=1000)) == 1000
    assert weigh(Usage(input_tokens=100, output_tokens=20, cache_read_input_tokens=2000)) == (100 + 100 + 200) / 2


def test_a_cost_is_learned_from_a_few_points_on() -> None:
    assert per_point(NOTHING) is None
    little = learn(NOTHING, 200_000, 2)
    assert per_point(little) is None
    assert per_point(learn(little, 100_000, 1)) == 100_000


def test_a_window_that_others_filled_teaches_nothing() -> None:
    assert per_point(learn(NOTHING, 0, 20)) is None


def test_what_was_learned_long_ago_fades() -> None:
    cost = learn(NOTHING, 4_000_000, 40)
    for _ in range(80):
        cost = learn(cost, 50_000, 1)
    found = per_point(cost)
    assert found is not None
    assert found == pytest.approx(50_000, rel=0.15)
    assert cost.points == pytest.approx(40)
