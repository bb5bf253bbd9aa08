"""The bill of a move, and what an account can carry at once."""

from __future__ import annotations

from math import inf

from failover.core.bill import billed, capacity, carry
from failover.core.choice import Load
from tests.core.pool import account, loads

COSTS = {"five_hour": 100.0}


def test_contexts_may_take_half_of_the_room_of_the_fullest_window() -> None:
    assert capacity(account("b", 50, tokens_per_point=COSTS)) == 20 * 100
    assert capacity(account("b", 50, 90, tokens_per_point={**COSTS, "seven_day": 500.0})) == 2.5 * 500
    assert capacity(account("b", 50, reserve=30, tokens_per_point=COSTS)) == 10 * 100
    assert capacity(account("b", 96, tokens_per_point=COSTS)) == 2 * 100, "beyond the threshold, what is left"
    assert capacity(account("b", 100, tokens_per_point=COSTS)) == 0


def test_without_a_learned_cost_or_a_reading_nothing_is_known_of_the_bill() -> None:
    assert capacity(account("b", 50)) == inf
    assert capacity(account("b", tokens_per_point=COSTS)) == inf
    plan = carry(loads(30, 100_000), [account("b", 50)])
    assert (plan.target, plan.sessions, plan.elsewhere) == ("b", (), {})
    assert billed(plan, account("b", 50)) == ""


def test_what_one_cannot_carry_goes_to_the_next_and_what_none_can_stays() -> None:
    b, c = account("b", 50, tokens_per_point=COSTS), account("c", 70, tokens_per_point=COSTS)
    plan = carry(loads(4, 900), [b, c])
    assert plan.shares == {"s00": "b", "s01": "b", "s02": "c"}
    assert (plan.target, plan.left, plan.sessions) == ("b", ("s03",), ("s00", "s01", "s02"))
    assert plan.elsewhere == {"s02": "c"}
    assert billed(plan, b) == (
        ", of which their contexts take about 18.0 %; that is too much for it alone, so 1 go to c;"
        " 1 stay until there is room for their contexts"
    )


def test_the_small_contexts_go_first_so_that_most_sessions_work_on() -> None:
    some = [Load(session="large", tokens=1500), Load(session="a", tokens=600), Load(session="b", tokens=700)]
    plan = carry(some, [account("b", 50, tokens_per_point=COSTS)])
    assert plan.sessions == ("a", "b")


def test_a_session_whose_context_is_not_known_always_goes() -> None:
    plan = carry([Load(session="s")], [account("b", 99, tokens_per_point={"five_hour": 0.001})])
    assert plan.shares == {"s": "b"}


def test_what_came_before_and_no_reading_shows_yet_counts() -> None:
    full = account("b", 50, tokens_per_point=COSTS, owed=1500)
    assert carry(loads(2, 400), [full]).sessions == ("s00",)


def test_the_account_that_takes_most_is_the_target() -> None:
    small = account("b", 86, tokens_per_point=COSTS)
    plan = carry(loads(4, 150), [small, account("c", 10)])
    assert plan.target == "c"
    assert plan.elsewhere == {"s00": "b"}
    assert carry([], [small]).target == ""
