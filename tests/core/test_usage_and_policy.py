"""The choice that follows from the readings that count."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from failover.core.policy import SPENT_COOLDOWN, Candidate, Rules, Stay, Swap, choose, crossed, decide, earliest_reset
from failover.core.usage import Reading

NOW = 1_800_000_000.0


def reading(used: float, account: str = "main", **fields: Any) -> Reading:
    base: dict[str, Any] = {"window": "five_hour", "resets_at": int(NOW) + 3600, "observed_ms": 1000, "source": "t"}
    return Reading(account=account, used=used, **{**base, **fields})


def account(name: str, used: float | None = None, **fields: Any) -> Candidate:
    readings = {} if used is None else {"five_hour": reading(used, name)}
    base: dict[str, Any] = {
        "priority": 1,
        "thresholds": {"five_hour": 90.0, "seven_day": 95.0},
        "readings": readings,
        "sessions": 0,
        "in_use": fields.get("sessions", 0),
    }
    return Candidate(name=name, **{**base, **fields})


RULES = Rules(margin=10, cooldown=120, now=NOW)


def test_below_every_threshold_nothing_moves() -> None:
    assert isinstance(decide([account("main", 89.9, sessions=3), account("backup", 0)], RULES), Stay)


def test_at_the_threshold_the_sessions_move_to_the_preferred_account_with_room() -> None:
    accounts = [
        account("main", 90, sessions=3),
        account("third", 0, priority=3),
        account("second", 20, priority=2),
    ]
    decision = decide(accounts, RULES)
    assert isinstance(decision, Swap)
    assert (decision.source, decision.target, decision.urgency) == ("main", "second", "soft")
    assert "main is at 90 % of its five_hour window (threshold 90 %)" in decision.reason


def test_a_spent_account_is_left_in_a_hurry() -> None:
    decision = decide([account("main", 100, sessions=1), account("backup", 5)], RULES)
    assert isinstance(decision, Swap)
    assert decision.urgency == "hard"


def test_an_account_that_nobody_uses_starts_no_swap() -> None:
    assert crossed(account("main", 100)) is None
    assert isinstance(decide([account("main", 100), account("backup", 5)], RULES), Stay)


def test_unknown_starts_no_swap() -> None:
    assert isinstance(decide([account("main", None, sessions=3), account("backup", 0)], RULES), Stay)


def test_a_known_account_is_taken_before_an_unknown_one_and_an_unknown_one_before_none() -> None:
    main = account("main", 95, sessions=1)
    known, unknown = account("known", 50, priority=9), account("unknown", priority=0)
    assert choose(main, [main, unknown, known], 10) is known
    decision = decide([main, unknown], RULES)
    assert isinstance(decision, Swap)
    assert "nothing speaks against it" in decision.reason


def test_a_target_within_the_margin_of_its_threshold_or_disabled_is_none() -> None:
    main = account("main", 95, sessions=1)
    assert choose(main, [main, account("b", 81)], 10) is None
    assert choose(main, [main, account("b", 80)], 10) is not None
    assert choose(main, [main, account("b", 0, enabled=False)], 10) is None


def test_a_spent_week_rules_a_target_out_although_its_five_hours_are_free() -> None:
    week = reading(99, "b", window="seven_day")
    target = account("b", readings={"five_hour": reading(0, "b"), "seven_day": week, "other": reading(100, "b")})
    assert choose(account("main", 95), [target], 10) is None


def test_when_all_are_exhausted_it_stays_and_says_until_when() -> None:
    accounts = [
        account("main", 100, sessions=1),
        account("b", 97),
        account("c", readings={"x": reading(1, resets_at=5)}),
    ]
    accounts = [*accounts[:2], account("c", enabled=False)]
    decision = decide(accounts, RULES)
    assert isinstance(decision, Stay)
    assert decision.exhausted
    assert decision.until == int(NOW) + 3600
    assert earliest_reset([account("main", 1)]) is None


def test_between_two_swaps_lies_a_cool_down() -> None:
    accounts = [account("main", 95, sessions=1), account("b", 5)]
    assert isinstance(decide(accounts, Rules(margin=10, cooldown=120, since_swap=119)), Stay)
    assert isinstance(decide(accounts, Rules(margin=10, cooldown=120, since_swap=120)), Swap)


def test_a_spent_account_waits_only_a_moment() -> None:
    accounts = [account("main", 100, sessions=1), account("b", 5)]
    assert isinstance(decide(accounts, Rules(margin=10, cooldown=120, since_swap=SPENT_COOLDOWN - 1)), Stay)
    assert isinstance(decide(accounts, Rules(margin=10, cooldown=120, since_swap=SPENT_COOLDOWN)), Swap)


def test_a_source_that_resets_soon_is_waited_for_rather_than_moving_into_the_unknown() -> None:
    soon = account("main", sessions=1, readings={"five_hour": reading(95, resets_at=int(NOW) + 60)})
    rules = Rules(margin=10, cooldown=120, now=NOW, wait_if_reset_within=600)
    decision = decide([soon, account("b")], rules)
    assert isinstance(decision, Stay)
    assert "resets in 60 s" in decision.reason
    assert isinstance(decide([soon, account("b", 5)], rules), Swap)


def test_paused_or_in_the_middle_of_a_swap_nothing_is_asked_for() -> None:
    accounts = [account("main", 100, sessions=1), account("b", 5)]
    assert decide(accounts, Rules(margin=10, cooldown=0, paused=True)) == Stay("paused by the operator")
    assert decide(accounts, Rules(margin=10, cooldown=0, swapping=True)) == Stay("a swap is open")


@given(st.permutations([account("main", 95, sessions=2), account("b", 30, priority=2), account("c", 30, priority=2)]))
def test_the_choice_does_not_depend_on_the_order_of_the_accounts(accounts: list[Candidate]) -> None:
    decision = decide(accounts, RULES)
    assert isinstance(decision, Swap)
    assert decision.target == "b"


@given(st.floats(0, 100), st.floats(0, 100), st.floats(0, 100))
def test_it_never_moves_onto_an_account_at_its_threshold(main: float, b: float, c: float) -> None:
    used = {"main": main, "b": b, "c": c}
    decision = decide([account(n, u, sessions=n == "main") for n, u in used.items()], RULES)
    if isinstance(decision, Swap):
        assert used[decision.target] <= 80
        assert used["main"] >= 90
