"""Where sessions could go, and who comes first."""

from __future__ import annotations

from typing import Any

import pytest

from failover.core.choice import Candidate
from failover.core.target import LEAST_LEFT, against, headroom, preferred, spoken_against, tiers
from tests.core.pool import NOW, RULES, account, reading, rules

MAIN = account("main", 95, sessions=1)


def names(*accounts: Candidate, source: Candidate = MAIN, stand: bool = False, **fields: object) -> list[list[str]]:
    found = tiers(source, [source, *accounts], rules(**fields), stand=stand)
    return [[one.name for one in tier] for tier in found]


def test_a_target_is_below_its_threshold_by_the_margin() -> None:
    assert names(account("b", 81)) == []
    assert names(account("b", 80)) == [["b"]]


def test_a_target_is_better_than_the_source_by_the_margin() -> None:
    """A source that is left early has room itself."""
    source = account("main", 85, sessions=1)
    assert names(account("b", 76), source=source) == []
    assert names(account("b", 75), source=source) == [["b"]]
    assert "less than 10 better" in against(source, account("b", 76), RULES)
    assert names(account("b", 76), source=account("main", sessions=1)) == [["b"]], "nothing is known of the source"


def test_disabled_troubled_and_unpaid_for_accounts_are_no_targets() -> None:
    assert spoken_against(account("b", 0, enabled=False), 10) == "b is disabled"
    assert spoken_against(account("b", 0, trouble="b could not serve"), 10) == "b could not serve"
    assert "its use is never" in spoken_against(account("b", 0, paid=True), 10)
    assert (
        names(account("b", 0, enabled=False), account("c", 0, trouble="x"), account("d", paid=True), stand=True) == []
    )


def test_a_spent_week_rules_a_target_out_although_its_five_hours_are_free() -> None:
    assert names(account("b", 0, 99)) == []
    assert headroom(account("b", 0, 93)) == 2


def test_what_is_known_comes_before_what_has_opened_and_that_before_unknown() -> None:
    opened = account("opened", opened=("five_hour",), priority=1)
    assert names(account("unknown", priority=0), opened, account("known", 50, priority=9)) == [
        ["known", "opened", "unknown"]
    ]


def test_a_standby_comes_when_no_other_has_room() -> None:
    standby = account("standby", 0, priority=0, standby=True)
    assert names(standby, account("b", 50)) == [["b", "standby"]]
    assert names(standby, account("b", 85)) == [["standby"]]


def test_of_equals_the_name_decides() -> None:
    assert names(account("c", 30), account("b", 30)) == [["b", "c"]]


@pytest.mark.parametrize(
    ("strategy", "order"),
    [("priority", ["a", "b", "c"]), ("most_headroom", ["c", "b", "a"]), ("soonest_reset", ["b", "a", "c"])],
)
def test_a_strategy_orders_those_with_room(strategy: str, order: list[str]) -> None:
    week: dict[str, Any] = {"window": "seven_day", "resets_at": int(NOW) + 90_000}
    accounts = [
        account("a", 60, 10, priority=1),
        account("b", 50, priority=2, readings={"five_hour": reading(50), "seven_day": reading(20, **week)}),
        account("c", 10, priority=3, resets=60),
    ]
    assert names(*accounts, strategy=strategy) == [order]


def test_of_weeks_that_end_together_the_five_hours_that_end_first_are_used() -> None:
    late, soon = account("a", 10, 10, resets=9000), account("b", 10, 10, resets=600)
    assert names(late, soon, strategy="soonest_reset") == [["b", "a"]]


def test_only_who_would_have_to_stand_goes_on_what_is_left_most_first() -> None:
    left = [account("b", 97), account("c", 92), account("d", 100 - LEAST_LEFT + 0.1), account("e")]
    assert names(*left[:3]) == []
    assert names(*left[:3], stand=True) == [["c", "b"]]
    assert names(*left, stand=True) == [["e"], ["c", "b"]]
    assert names(account("b", 75, reserve=20), stand=True) == [["b"]]
    assert names(account("b", 79, reserve=20), stand=True) == [], "a reserve is not left over"
    assert names(account("b", 92, standby=True), account("c", 95), stand=True) == [["c", "b"]]


def test_what_is_paid_by_use_comes_after_all_else_and_only_if_the_operator_said_so() -> None:
    spend = {"spend": reading(0, "key", window="spend")}
    key = account("key", priority=0, paid=True, use="last_resort", thresholds={"spend": 100.0}, readings=spend)
    assert names(key) == [], "who can work on does not cost money"
    assert names(key, account("b", 95), stand=True) == [["b"], ["key"]]
    used_up = account("key", paid=True, use="last_resort", thresholds={"spend": 100.0},
                      readings={"spend": reading(95, "key", window="spend")})  # fmt: skip
    assert names(used_up, stand=True) == [], "its cap is nearly reached"
    assert names(account("b", 5), source=key) == [["b"]], "a cap and a window are not compared"


def test_a_session_that_runs_nowhere_starts_on_the_first_account_with_room_else_on_the_preferred_one() -> None:
    assert preferred([account("a", 95, priority=1), account("b", 5, priority=2)], RULES).name == "b"
    assert preferred([account("a", 95, priority=1), account("b", 96, priority=2)], RULES).name == "a"
    assert preferred([account("a", priority=1, paid=True), account("b", 96, priority=2)], RULES).name == "b"
    assert preferred([account("a", 5, priority=1, enabled=False), account("b", 96)], RULES).name == "b"
    assert preferred([account("a", 5, enabled=False)], RULES).name == "a"
