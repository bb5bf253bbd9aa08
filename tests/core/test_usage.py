"""Which reading counts: periods, falls, proofs, and whose figures they are."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from failover.core.intake import belongs_to
from failover.core.usage import (
    INEXACT,
    JITTER,
    LIMIT_RECORD,
    OPERATOR,
    PRINTED,
    STATUSLINE,
    USAGE_COMMAND,
    Reading,
    fuse,
    is_void,
    is_window,
    newest,
    opened,
    worth_noting,
)

NOW = 1_800_000_000
HOUR = 3600


def reading(used: float, at: int = -600, resets: int | None = HOUR, **fields: Any) -> Reading:
    """Return a reading. at, resets: seconds from NOW."""
    base: dict[str, Any] = {"account": "main", "window": "five_hour", "source": STATUSLINE, "origin": "s-0"}
    return Reading(
        used=used,
        observed_ms=(NOW + at) * 1000,
        resets_at=None if resets is None else NOW + resets,
        **{**base, **fields},
    )


def counts(*readings: Reading) -> Reading | None:
    """Return the one of main's readings that counts."""
    return newest(readings, NOW).get(("main", readings[0].window))


def noted(*readings: Reading) -> list[str]:
    return [note.what for note in fuse(readings, NOW).notes]


def test_a_reading_is_void_after_its_reset_and_not_zero() -> None:
    over = reading(95, at=-2 * HOUR, resets=0)
    assert counts(over) is None
    assert opened([over], NOW) == {("main", "five_hour")}


def test_an_idle_accounts_reading_stays_true_until_its_reset_however_old_it_is() -> None:
    old = reading(95, at=-6 * 86400, resets=HOUR, window="seven_day")
    assert counts(old) is old


def test_a_reading_without_a_reset_time_is_void_when_it_is_as_old_as_its_window_is_long() -> None:
    assert counts(reading(95, at=-5 * HOUR + 1, resets=None)) is not None
    assert counts(reading(95, at=-5 * HOUR, resets=None)) is None
    assert counts(reading(95, at=-5 * HOUR, resets=None, window="seven_day")) is not None
    assert counts(reading(95, at=-7 * 86400, resets=None, window="seven_day_opus")) is None


def test_a_reading_without_a_reset_time_takes_that_of_the_period_it_falls_in() -> None:
    found = counts(reading(10), reading(20, at=-300, resets=None))
    assert found is not None
    assert (found.used, found.resets_at) == (20, NOW + HOUR)
    dated = reading(19, at=-300)
    assert counts(reading(20, resets=None), dated) is dated


def test_the_next_period_begins_when_the_last_one_is_over() -> None:
    old, new = reading(80, at=-HOUR, resets=-60), reading(3, at=-30, resets=5 * HOUR)
    assert counts(new, old) is new
    assert noted(new, old) == []


def test_a_session_that_was_quiet_for_hours_and_still_shows_a_period_that_is_over_tells_nothing() -> None:
    new = reading(3, at=-300, resets=4 * HOUR)
    assert counts(new, reading(99, at=-200, resets=-HOUR, origin="s-1")) is new


def test_use_that_is_a_little_lower_is_no_fall() -> None:
    spent = reading(91)
    lower = [reading(91 - JITTER, at=-at, resets=HOUR + at, origin="s-1") for at in (90, 60)]
    assert counts(spent, *lower) is spent


def test_one_lower_figure_of_a_session_proves_no_fall_and_two_do() -> None:
    spent, lower, grown = reading(80), reading(20, at=-300, origin="s-1"), reading(21, at=-200, origin="s-1")
    assert counts(spent, lower) is spent
    assert counts(spent, lower, reading(21, at=-200, origin="s-2")) is spent
    assert counts(spent, lower, grown) is grown
    assert noted(spent, lower, grown) == ["fell"]


def test_what_shows_that_there_was_no_fall_clears_the_doubt() -> None:
    high = reading(80, at=-250, origin="s-2")
    assert counts(reading(80), reading(20, at=-300, origin="s-1"), high, reading(21, at=-200, origin="s-1")) is high


@pytest.mark.parametrize("source", [LIMIT_RECORD, USAGE_COMMAND])
def test_the_providers_own_word_proves_another_period_by_itself(source: str) -> None:
    running, word = reading(50), reading(100, at=-60, resets=3 * HOUR, source=source, origin="")
    assert counts(running, word) is word
    assert noted(running, word) == ["moved"]


def test_another_period_of_a_single_push_waits_until_it_is_proven_or_the_last_one_is_over() -> None:
    running, other = reading(50), reading(95, at=-60, resets=3 * HOUR)
    assert counts(running, other) is running
    assert newest([running, other], NOW + HOUR)["main", "five_hour"] is other


@pytest.mark.parametrize("source", sorted(INEXACT))
def test_a_source_that_may_be_stale_never_contradicts_one_that_is_exact(source: str) -> None:
    exact = reading(50)
    told = [reading(used, at=-at, source=source, origin="") for used, at in ((5, 300), (6, 200))]
    assert counts(exact, *told) is exact
    higher = reading(60, at=-100, source=source, origin="")
    assert counts(exact, *told, higher) is higher


def test_an_exact_source_corrects_one_that_may_be_stale_at_once() -> None:
    told, exact = reading(95, source=OPERATOR, origin=""), reading(40, at=-100)
    assert counts(told, exact) is exact
    again = [reading(used, at=-at, source=OPERATOR, origin="") for used, at in ((40, 300), (41, 200))]
    assert counts(told, *again) is again[-1]
    assert counts(told, again[0]) is told


def test_a_weekly_window_that_does_not_fall_at_its_reset_counts_and_is_noted() -> None:
    week = reading(70, at=-2 * HOUR, resets=-HOUR, window="seven_day")
    still = reading(70, at=-HOUR + 60, resets=6 * 86400, window="seven_day")
    assert counts(week, still) is still
    assert noted(week, still) == ["did_not_fall"]
    later = reading(70, at=60, resets=6 * 86400, window="seven_day")
    assert noted(week, later) == []


def test_a_period_that_the_provider_still_tells_of_after_its_reset_is_void_and_noted() -> None:
    late = reading(70, at=-60, resets=-HOUR, window="seven_day", source=USAGE_COMMAND, origin="")
    assert counts(late) is None
    assert noted(late) == ["not_reset"]
    assert noted(reading(70, at=-60, resets=-HOUR)) == []


def test_the_windows_of_a_model_count_by_themselves() -> None:
    assert is_window("five_hour") and is_window("seven_day") and is_window("seven_day_sonnet")
    assert not any(map(is_window, ("seven_day_", "seven_day_Opus", "seven_day_oauth_apps", "overage", "seven_days")))
    opus = reading(99, window="seven_day_opus")
    assert newest([opus, reading(1, window="seven_day")], NOW)["main", "seven_day_opus"] is opus


def test_only_news_is_worth_noting() -> None:
    assert worth_noting(None, reading(1))
    assert worth_noting(reading(1), reading(2))
    assert not worth_noting(reading(1), reading(1, at=-1))
    assert not worth_noting(reading(1, at=-1), reading(2))


SOURCES = st.sampled_from([STATUSLINE, LIMIT_RECORD, USAGE_COMMAND, PRINTED, OPERATOR])
READINGS = st.lists(
    st.builds(
        reading,
        st.sampled_from([0, 1, 20, 50, 51, 89, 91, 100]),
        st.integers(-20_000, 60),
        st.sampled_from([None, -HOUR, 60, HOUR, HOUR + 90, 4 * HOUR]),
        account=st.sampled_from(["main", "b"]),
        window=st.sampled_from(["five_hour", "seven_day"]),
        source=SOURCES,
        origin=st.sampled_from(["", "s-0", "s-1"]),
    ),
    max_size=12,
)


@given(READINGS.flatmap(lambda found: st.tuples(st.just(found), st.permutations(found))))
def test_the_order_of_arrival_does_not_matter(both: tuple[list[Reading], list[Reading]]) -> None:
    one, other = (fuse(readings, NOW) for readings in both)
    assert one.counting == other.counting
    assert one.notes == other.notes


@given(READINGS)
def test_what_counts_was_read_and_its_period_runs(readings: list[Reading]) -> None:
    found = fuse(readings, NOW)
    for (account, window), one in found.counting.items():
        assert not is_void(one, NOW)
        assert any((r.account, r.window, r.used, r.observed_ms) == (account, window, one.used, one.observed_ms)
                   for r in readings)  # fmt: skip
    assert found.opened == {(r.account, r.window) for r in readings} - found.counting.keys()


@given(READINGS, READINGS)
def test_readings_of_one_account_bear_on_no_other(mine: list[Reading], others: list[Reading]) -> None:
    mine = [r for r in mine if r.account == "main"]
    others = [r for r in others if r.account == "b"]
    both = newest([*mine, *others], NOW)
    assert {key: one for key, one in both.items() if key[0] == "main"} == newest(mine, NOW)


@given(READINGS, st.lists(st.sampled_from([0, 20, 100]), max_size=5))
def test_a_period_that_is_over_never_counts_nor_hides_one_that_runs(readings: list[Reading], stale: list[int]) -> None:
    late = [reading(used, at=-10 + n, resets=-HOUR, origin="s-9") for n, used in enumerate(stale)]
    assert newest([*readings, *late], NOW) == newest(readings, NOW)


def push(
    account: str, five: tuple[float, int], seven: tuple[float, int], at: int = -60, by: str = "s-0"
) -> list[Reading]:
    """Return what one push tells: (used, reset in seconds from NOW) of each window."""
    return [
        reading(five[0], at, five[1], account=account, origin=by),
        reading(seven[0], at, seven[1], account=account, origin=by, window="seven_day"),
    ]


def test_a_moved_session_that_still_shows_the_account_that_it_left_is_refused() -> None:
    left = push("main", (91, HOUR), (40, 86400), at=-120)
    assert belongs_to(push("b", (91, HOUR), (40, 86400)), left) == "main"
    own = push("b", (5, 3 * HOUR), (40, 2 * 86400), at=-600, by="s-1")
    assert belongs_to(push("b", (92, HOUR), (41, 86400)), [*left, *own]) == "main"


def test_accounts_that_honestly_reset_in_the_same_second_are_refused_no_longer_than_their_figures_are_the_same() -> (
    None
):
    other = push("main", (3, HOUR), (1, 86400), at=-120)
    assert belongs_to(push("b", (3, HOUR), (1, 86400)), other) == "main"
    told = push("b", (4, HOUR), (1, 86400))
    assert belongs_to(told, other) == ""
    assert belongs_to(push("b", (3, HOUR), (1, 86400)), [*other, *told]) == ""
    assert belongs_to(push("b", (3, HOUR), (1, 86400), by="s-1"), other) == "", "which never ran on the other one"
    later = push("main", (95, HOUR), (1, 86400), at=-90)
    assert belongs_to(push("b", (3, HOUR), (1, 86400)), [*other, *later]) == "", "which the other one shows no more"


def test_what_may_be_stale_refuses_nothing() -> None:
    other = push("main", (100, HOUR), (40, 86400), at=-120)
    told = [reading(50, at=-300, resets=2 * HOUR, account="b", source=OPERATOR, origin="")]
    spent = [reading(100, account="b", source=LIMIT_RECORD, origin="")]
    assert belongs_to(spent, [*other, *told]) == ""


def test_two_accounts_that_are_both_spent_and_reset_together_are_both_believed() -> None:
    """A limit's record is no push of a session's: two of them are not one that repeats itself."""
    first = [reading(100, at=-120, account="main", source=LIMIT_RECORD, origin="")]
    assert belongs_to([reading(100, account="b", source=LIMIT_RECORD, origin="")], first) == ""


def test_a_push_of_ones_own_windows_or_of_none_is_ones_own() -> None:
    other = push("main", (3, HOUR), (1, 86400))
    assert belongs_to(push("b", (3, HOUR), (1, 2 * 86400)), other) == ""
    assert belongs_to(push("b", (3, HOUR), (1, 86400)), []) == ""
    undated = [reading(3, resets=None, account="b")]
    assert belongs_to(undated, other) == ""


@given(READINGS, st.sampled_from([0, 50, 91, 100]), st.sampled_from([0, 50, 91, 100]))
def test_no_foreign_push_is_ever_taken_for_ones_own(known: list[Reading], five: int, seven: int) -> None:
    """A push with the reset times of another account's windows, while one's own windows are known to run to others."""
    own = push("b", (10, 2 * HOUR), (10, 3 * 86400), at=-20)
    known = [r for r in known if r.account == "main"] + push("main", (five, HOUR), (seven, 86400), at=-120) + own
    assert belongs_to(push("b", (five, HOUR), (seven, 86400), at=-10), known) == "main"
