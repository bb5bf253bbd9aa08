"""When an account is left, and when it is not."""

from __future__ import annotations

from typing import Any

from failover.core.choice import Load, Stay, Swap
from failover.core.policy import SPENT_COOLDOWN, decide, earliest_reset, elsewhere, idle_for
from failover.core.pressure import crossed
from tests.core.pool import NOW, RULES, account, expected, loads, reading, rules


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
    assert decision.reason == "main is at 90 % of its five_hour window (threshold 90 %); second has five_hour 20 %"


def test_a_spent_account_is_left_in_a_hurry() -> None:
    decision = decide([account("main", 100, sessions=1), account("backup", 5)], RULES)
    assert isinstance(decision, Swap)
    assert decision.urgency == "hard"


def test_an_account_that_nobody_uses_starts_no_swap() -> None:
    assert crossed(account("main", 100), RULES) is None
    assert isinstance(decide([account("main", 100), account("backup", 5)], RULES), Stay)


def test_unknown_starts_no_swap() -> None:
    assert isinstance(decide([account("main", None, sessions=3), account("backup", 0)], RULES), Stay)


def test_a_window_that_does_not_count_starts_no_swap_and_rules_nothing_out() -> None:
    other = {"seven_day_opus": reading(100, window="seven_day_opus")}
    assert isinstance(decide([account("main", sessions=1, readings=other), account("b", 0)], RULES), Stay)
    named = {"five_hour": 90.0, "seven_day_opus": 95.0}
    assert isinstance(
        decide([account("main", sessions=1, readings=other, thresholds=named), account("b", 0)], RULES), Swap
    )
    assert isinstance(decide([account("main", 95, sessions=1), account("b", readings=other)], RULES), Swap)


def test_when_all_are_spent_it_stays_and_says_until_when() -> None:
    accounts = [account("main", 100, sessions=1), account("b", 99, resets=600), account("c", enabled=False)]
    decision = decide(accounts, RULES)
    assert isinstance(decision, Stay)
    assert decision.exhausted
    assert decision.until == int(NOW) + 600
    assert "no account can take its sessions" in decision.reason
    assert (
        earliest_reset([account("main", 1), account("b", readings={"five_hour": reading(95, resets_at=None)})]) is None
    )


def test_between_two_swaps_lies_a_cool_down() -> None:
    accounts = [account("main", 95, sessions=1), account("b", 5)]
    cooling = decide(accounts, rules(since_swap=119))
    assert isinstance(cooling, Stay)
    assert cooling.reason.endswith("cooling down for 1 s")
    assert isinstance(decide(accounts, rules(since_swap=120)), Swap)


def test_a_spent_account_waits_only_a_moment() -> None:
    accounts = [account("main", 100, sessions=1), account("b", 5)]
    assert isinstance(decide(accounts, rules(since_swap=SPENT_COOLDOWN - 1)), Stay)
    assert isinstance(decide(accounts, rules(since_swap=SPENT_COOLDOWN)), Swap)


def test_paused_or_in_the_middle_of_a_swap_nothing_is_asked_for() -> None:
    accounts = [account("main", 100, sessions=1), account("b", 5)]
    assert decide(accounts, rules(cooldown=0, paused=True)) == Stay("paused by the operator")
    assert decide(accounts, rules(cooldown=0, swapping=True)) == Stay("a swap is open")


def test_one_that_waits_does_not_keep_another_from_being_left() -> None:
    """The worse of two accounts in use resets in a minute and nobody is known to be better; the other one is free."""
    accounts = [
        account("a", 97, sessions=1, resets=60, loads=(Load(session="s", tokens=900),)),
        account("b", 91, sessions=1, loads=(Load(session="t", tokens=10),)),
        account("c", 60, tokens_per_point={"five_hour": 10.0}),
    ]
    decision = decide(accounts, RULES)
    assert isinstance(decision, Swap)
    assert (decision.source, decision.target) == ("b", "c")


# -- waiting for a reset -----------------------------------------------------------------------------------

WAITING = rules(wait_if_reset_within=600)


def test_a_source_that_resets_soon_is_waited_for_rather_than_moving_into_the_unknown() -> None:
    soon = account("main", 95, sessions=1, resets=60)
    decision = decide([soon, account("b")], WAITING)
    assert isinstance(decision, Stay)
    assert not decision.exhausted
    assert "resets in 60 s and no other is known to be better" in decision.reason
    assert isinstance(decide([soon, account("b", 5)], WAITING), Swap)
    assert isinstance(decide([account("main", 95, sessions=1, resets=700), account("b")], WAITING), Swap)
    assert isinstance(decide([account("main", 100, sessions=1, resets=60), account("b")], WAITING), Swap)
    never = account("main", sessions=1, readings={"five_hour": reading(95, resets_at=None)})
    assert isinstance(decide([never, account("b")], WAITING), Swap)


def test_what_is_left_elsewhere_is_not_touched_when_the_source_resets_soon() -> None:
    decision = decide([account("main", 100, sessions=1, resets=60), account("b", 92)], WAITING)
    assert isinstance(decision, Stay)
    assert "what is left elsewhere is not touched" in decision.reason


def test_it_stays_when_the_limit_will_not_be_reached_before_a_reset_that_is_near() -> None:
    calm: dict[str, Any] = {"limits": {"five_hour": expected(None)}}
    accounts = [account("main", 91, sessions=9, resets=300, **calm), account("b", 5)]
    decision = decide(accounts, WAITING)
    assert isinstance(decision, Stay)
    assert "its limit is not expected to be reached by then" in decision.reason
    assert isinstance(decide(accounts, rules(wait_if_reset_within=600, forecast=False)), Swap), "it may not foresee"
    late = account("main", 91, sessions=9, resets=3000, **calm)
    assert isinstance(decide([late, account("b", 5)], WAITING), Swap), "the operator's threshold holds for hours"
    fast = account("main", 91, sessions=9, resets=300, limits={"five_hour": expected(200)})
    assert isinstance(decide([fast, account("b", 5)], WAITING), Swap)


# -- leaving early -----------------------------------------------------------------------------------------

FORESEEING = rules(boundary=60, parallel=2)


def about(crosses: float | None, **fields: Any) -> Any:
    return account("main", 86, sessions=4, forecasts={"five_hour": expected(crosses)}, **fields)


def test_it_leaves_early_enough_for_the_boundaries_of_its_sessions_and_not_earlier() -> None:
    """A boundary takes 60 s, and four sessions are moved two at a time: 62 s."""
    for crosses, moves in ((61, True), (62, True), (63, False), (None, False)):
        decision = decide([about(crosses), account("b", 5)], FORESEEING)
        assert isinstance(decision, Swap) is moves, crosses
    early = decide([about(50), account("b", 5)], FORESEEING)
    assert isinstance(early, Swap)
    assert early.urgency == "soft"
    assert "at 30 % an hour there in 50 s, and leaving takes 62" in early.reason


def test_nothing_is_foreseen_when_that_is_switched_off_or_no_boundary_was_ever_seen() -> None:
    accounts = [about(1), account("b", 5)]
    assert isinstance(decide(accounts, rules(boundary=60, forecast=False)), Stay)
    assert isinstance(decide(accounts, rules(boundary=0)), Stay)


def test_what_is_only_foreseen_moves_nobody_into_the_unknown_and_is_no_exhaustion() -> None:
    decision = decide([about(10), account("b")], FORESEEING)
    assert isinstance(decision, Stay)
    assert not decision.exhausted
    assert "its threshold is waited for" in decision.reason


def test_it_hurries_when_the_limit_is_nearer_than_the_next_boundary() -> None:
    for limit, urgency in ((59, "hard"), (61, "soft"), (None, "soft")):
        main = account("main", 95, sessions=4, limits={"five_hour": expected(limit)})
        decision = decide([main, account("b", 5)], FORESEEING)
        assert isinstance(decision, Swap)
        assert decision.urgency == urgency, limit


# -- paid by use ---------------------------------------------------------------------------------------------


def paid(used: float | None = 0, **fields: Any) -> Any:
    readings = {} if used is None else {"spend": reading(used, "key", window="spend")}
    base = {"paid": True, "use": "last_resort", "thresholds": {"spend": 100.0}, "readings": readings}
    return account("key", **{**base, **fields})


def test_a_paid_account_is_left_as_soon_as_another_has_room() -> None:
    accounts = [paid(20, sessions=2), account("b", 100)]
    assert isinstance(decide(accounts, RULES), Stay)
    freed = [paid(20, sessions=2), account("b", 10)]
    decision = decide(freed, RULES)
    assert isinstance(decision, Swap)
    assert (decision.source, decision.target, decision.urgency) == ("key", "b", "soft")
    assert isinstance(decide(freed, rules(since_swap=5)), Stay)
    assert isinstance(decide([paid(20, sessions=2), account("b")], RULES), Stay), "unknown is no room"


def test_whom_a_person_put_on_a_paid_account_stays_there() -> None:
    pinned, free = Load(session="s", pinned=True), Load(session="t")
    both = decide([paid(20, sessions=2, loads=(pinned, free)), account("b", 10)], RULES)
    assert isinstance(both, Swap)
    assert both.sessions == ("t",)
    assert isinstance(decide([paid(20, sessions=1, loads=(pinned,)), account("b", 10)], RULES), Stay)


# -- reserve ----------------------------------------------------------------------------------------------------


def test_an_account_is_left_where_its_reserve_begins_and_nothing_goes_into_it() -> None:
    kept = account("main", 70, sessions=1, reserve=30)
    decision = decide([kept, account("b", 5)], RULES)
    assert isinstance(decision, Swap)
    assert "threshold 70 %, the rest is reserved" in decision.reason
    assert decision.urgency == "soft", "its sessions can still work"
    assert isinstance(decide([account("main", 100, sessions=1), account("b", 71, reserve=30)], RULES), Stay)


# -- who is given work ------------------------------------------------------------------------------------------


def test_new_work_is_withheld_while_another_account_has_room_and_where_nothing_is_left() -> None:
    assert idle_for([account("a", 91), account("b", 5)], RULES) == {
        "a": "its account a is at 91 % of its five_hour window (threshold 90 %)"
    }
    assert list(idle_for([account("a", 100), account("b", 95)], RULES)) == ["a"]
    assert list(idle_for([account("a", 85, reserve=20), account("b", 95)], RULES)) == ["a"]
    assert idle_for([account("a", 5, enabled=False)], RULES) == {"a": "its account a is disabled"}


# -- where a person wants to go --------------------------------------------------------------------------------


def test_a_person_who_names_no_target_gets_that_of_the_policy_spread_where_need_be() -> None:
    main, costs = account("main", 20, sessions=4), {"five_hour": 100.0}
    pool = [main, account("b", 50, priority=2, tokens_per_point=costs), account("c", 50, priority=3)]
    found = elsewhere(main, loads(4, 800), pool, RULES)
    assert found is not None
    assert (found.target, found.shares) == ("b", {"s02": "c", "s03": "c"})
    assert found.reason.startswith(
        "; b has five_hour 50 %, of which their contexts take about 16.0 %; that is too much"
    )
    assert elsewhere(main, loads(4, 800), [main, account("b", 95)], RULES) is None


def test_a_person_who_names_no_target_is_told_when_no_account_can_carry_the_contexts() -> None:
    spent = account("main", 100, sessions=1)
    pool = [spent, account("b", 50, tokens_per_point={"five_hour": 10.0}), account("c", 95)]
    found = elsewhere(spent, loads(1, 900), pool, RULES)
    assert found is not None
    assert found.target == "c", "what is left of it is not learned to be too little"
    assert elsewhere(spent, loads(1, 900), pool[:2], RULES) is None
