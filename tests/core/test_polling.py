"""Whom to ask for readings: seldom, one at a time, and ever more seldom after errors."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from failover.core.polling import APART, LONGEST, ROOMY, Ask, Askable, Asked, Pace, Rest, backed_off, interval, plan
from failover.core.usage import Reading

PACE = Pace(least=300, most=3600)
THRESHOLDS = {"five_hour": 90.0, "seven_day": 95.0}


def account(name: str = "a", five: float | None = 0.0, seven: float | None = 0.0, **fields: Any) -> Askable:
    readings = {
        window: Reading(account=name, window=window, used=used, resets_at=None, observed_ms=0, source="t")
        for window, used in (("five_hour", five), ("seven_day", seven))
        if used is not None
    }
    return Askable(
        account=name, readings=readings, thresholds=THRESHOLDS, **{"live": False, "asked": Asked(10**6), **fields}
    )


def test_an_account_with_a_live_session_is_never_asked() -> None:
    assert plan([account(live=True, asked=None)], PACE) == Rest("every account tells of itself by a live session")


def test_one_that_was_never_asked_comes_first_then_the_longest_overdue() -> None:
    old, older = account("b", asked=Asked(5000)), account("c", asked=Asked(6000))
    assert plan([old, account("d", asked=None), older], PACE) == Ask("d", "d has no live session")
    assert plan([old, older], PACE) == Ask("c", "c has no live session")
    assert plan([account(asked=Asked(299), five=None)], PACE) == Rest("nobody has to be asked")


def test_nearer_to_a_threshold_it_is_asked_more_often() -> None:
    assert interval(account(five=90 - ROOMY), PACE) == 3600
    assert interval(account(five=89), PACE) == 300 + 3300 / ROOMY
    assert interval(account(five=65), PACE) == 300 + 3300 * 25 / ROOMY
    assert interval(account(seven=94.5), PACE) < interval(account(seven=80), PACE)


def test_a_spent_one_is_left_alone_until_its_window_opens_and_then_asked_soon() -> None:
    assert interval(account(five=97), PACE) == 3600
    assert interval(account(five=None), PACE) == 300


def test_errors_in_a_row_make_it_ever_more_seldom_up_to_a_limit() -> None:
    waits = [interval(account(asked=Asked(0, failures)), PACE) for failures in (1, 2, 3, 60)]
    assert waits == [600, 1200, 2400, LONGEST]
    assert backed_off(LONGEST * 2, 3) == LONGEST * 2


def test_the_whole_host_rests_between_two_questions_and_longer_when_nobody_answers() -> None:
    one = [account(asked=None)]
    assert isinstance(plan(one, Pace(least=300, most=3600, host=Asked(APART - 1))), Rest)
    assert isinstance(plan(one, Pace(least=300, most=3600, host=Asked(APART))), Ask)
    assert isinstance(plan(one, Pace(least=300, most=3600, host=Asked(APART * 7, 3))), Rest)


ACCOUNTS = st.lists(
    st.builds(
        account,
        st.sampled_from("abcde"),
        st.sampled_from([None, 0.0, 60.0, 89.0, 100.0]),
        st.sampled_from([None, 0.0, 94.0]),
        live=st.booleans(),
        asked=st.none() | st.builds(Asked, st.integers(0, 5000).map(float), st.integers(0, 9)),
    ),
    max_size=5,
    unique_by=lambda one: one.account,
)


@given(ACCOUNTS.flatmap(lambda found: st.tuples(st.just(found), st.permutations(found))))
def test_nobody_is_asked_twice_within_five_minutes_and_the_order_does_not_matter(
    both: tuple[list[Askable], list[Askable]],
) -> None:
    chosen = plan(both[0], PACE)
    assert chosen == plan(both[1], PACE)
    if isinstance(chosen, Ask):
        (one,) = [one for one in both[0] if one.account == chosen.account]
        assert not one.live
        assert one.asked is None or one.asked.since >= 300 * max(1, 2 ** min(one.asked.failures, 6))
