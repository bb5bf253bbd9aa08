"""Sessions that a limit cut off are continued, and sessions at rest go home, when there is room again."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from failover.core.choice import Candidate, IdleSessions, Rules, Swap
from failover.core.homecoming import CONTINUE_AFTER, Seat, continued, fail_back
from failover.core.policy import instead, needs
from failover.core.session import SessionState
from failover.core.usage import Reading, opened
from tests.core.pool import expected

NOW = 1_800_000_000.0


def account(name: str, priority: int, used: float | None = None, **fields: Any) -> Candidate:
    readings = {}
    if used is not None:
        readings["five_hour"] = Reading(
            account=name, window="five_hour", used=used, resets_at=int(NOW) + 60, observed_ms=1, source="t"
        )
    base: dict[str, Any] = {"thresholds": {"five_hour": 90.0}, "readings": readings, "sessions": 1, "in_use": 1}
    return Candidate(name=name, priority=priority, **{**base, **fields})


def seat(session: str = "s", where: str = "b", state: Any = "idle", **fields: Any) -> Seat:
    return Seat(session=session, account=where, state=state, **fields)


RULES = Rules(margin=10, cooldown=120, now=NOW)
MAIN = account("a", 1, 20)
SPARE = account("b", 2, 30)


def test_at_rest_it_goes_back_to_the_preferred_account_that_has_room() -> None:
    wanted = fail_back([MAIN, SPARE], [seat("s"), seat("t"), seat("u", state="working")], RULES)
    assert wanted is not None
    assert (wanted.source, wanted.target, wanted.urgency, wanted.sessions) == ("b", "a", "idle", ("s", "t"))
    assert wanted.reason == "a has room again and is preferred"
    assert [(one.account, one.verdict) for one in wanted.verdicts] == [("b", "left"), ("a", "taken")]


def test_a_window_that_has_opened_is_room_and_one_never_read_is_not() -> None:
    assert fail_back([account("a", 1, opened=("five_hour",)), SPARE], [seat()], RULES) is not None
    assert fail_back([account("a", 1), SPARE], [seat()], RULES) is None


@pytest.mark.parametrize(
    ("accounts", "rules"),
    [
        ([account("a", 1, 81), SPARE], {}),
        ([account("a", 1, 20, enabled=False), SPARE], {}),
        ([MAIN, SPARE], {"fail_back": False}),
        ([MAIN, SPARE], {"since_swap": 60.0}),
        ([account("a", 1, 20, trouble="a could not serve in swap 3"), SPARE], {}),
        ([account("a", 1, 20, forecasts={"five_hour": expected(100)}), SPARE], {}),
        ([account("a", 1, 20, paid=True, use="last_resort"), SPARE], {}),
        ([account("a", 1, 20, standby=True), SPARE], {}),
        ([MAIN, SPARE], {"strategy": "most_headroom"}),
    ],
)
def test_nobody_goes_home_when_it_has_no_room_or_not_yet(accounts: list[Candidate], rules: dict[str, Any]) -> None:
    changed = Rules(**{"margin": 10, "cooldown": 120, "now": NOW, **rules})
    assert fail_back(accounts, [seat()], changed) is None


def test_the_choice_of_a_person_is_home() -> None:
    assert fail_back([MAIN, SPARE], [seat(home="b")], RULES) is None
    back = fail_back([MAIN, SPARE], [seat(where="a", home="b")], RULES)
    assert back is not None
    assert (back.source, back.target) == ("a", "b")


def test_a_standby_is_left_for_any_other_account_that_has_room_again() -> None:
    back = fail_back([account("a", 1, 20, standby=True), SPARE], [seat(where="a")], RULES)
    assert back is not None
    assert (back.source, back.target) == ("a", "b")


def test_what_is_foreseen_of_home_does_not_count_when_that_is_switched_off_or_far() -> None:
    for seconds, foresee in ((100, False), (200, True)):
        home = account("a", 1, 20, forecasts={"five_hour": expected(seconds)})
        assert fail_back([home, SPARE], [seat()], msgspec.structs.replace(RULES, forecast=foresee)) is not None


def weekly(used: float, days_left: float) -> Reading:
    end = int(NOW + days_left * 86_400)
    return Reading(account="x", window="seven_day", used=used, resets_at=end, observed_ms=1, source="t")


@pytest.mark.parametrize(
    ("home", "here", "goes"),
    [
        ((30, 3.5), (10, 3.5), True),  # both weeks will last, however little the other one is used
        ((70, 3.5), (10, 3.5), False),  # home's is used faster than it passes, and here is much that would be lost
        ((70, 3.5), (75, 3.5), True),  # here's is even shorter
        ((40, 1.0), (95, 6.0), True),  # what is left at home is lost tomorrow
        ((0, 7.0), (90, 3.5), True),
        ((95, 6.0), (0, 7.0), False),
    ],
)
def test_while_a_week_is_short_what_would_be_lost_is_used_first(
    home: tuple[float, float], here: tuple[float, float], goes: bool
) -> None:
    accounts = [
        account("a", 1, thresholds={"seven_day": 99.0}, readings={"seven_day": weekly(*home)}),
        account("b", 2, thresholds={"seven_day": 99.0}, readings={"seven_day": weekly(*here)}),
    ]
    rules = msgspec.structs.replace(RULES, margin=1)
    assert (fail_back(accounts, [seat()], rules) is not None) is goes
    tied = fail_back(accounts, [seat(home="a")], rules)
    assert tied is not None, "its own home is gone back to all the same"


def test_a_week_of_which_the_reset_is_not_known_is_taken_as_passing_evenly() -> None:
    short = account("c", 3, thresholds={"seven_day": 99.0}, readings={"seven_day": weekly(80, 5)})
    assert fail_back([MAIN, SPARE, short], [seat()], RULES) is not None
    assert fail_back([MAIN, SPARE, msgspec.structs.replace(short, name="d")], [seat(where="d")], RULES) is not None


def test_no_more_go_home_at_once_than_it_can_carry() -> None:
    """Half of the 70 points to its threshold, at 100 tokens a point."""
    home = account("a", 1, 20, tokens_per_point={"five_hour": 100.0})
    seats = [seat(name, tokens=1500) for name in ("s", "t", "u")]
    back = fail_back([home, SPARE], seats, RULES)
    assert back is not None
    assert back.sessions == ("s", "t")
    assert fail_back([home, SPARE], [seat(tokens=3501)], RULES) is None


def test_the_larger_group_goes_first() -> None:
    accounts = [MAIN, SPARE, account("c", 3, 0)]
    back = fail_back(accounts, [seat("s"), seat("t", "c"), seat("u", "c")], RULES)
    assert back is not None
    assert back.sessions == ("t", "u")


def test_what_a_limit_cut_off_is_continued_where_it_is_once_the_limit_has_passed() -> None:
    over, fresh = int(NOW - CONTINUE_AFTER), int(NOW - CONTINUE_AFTER + 5)
    seats = [
        seat("s", state="limited", limit_resets=over),
        seat("t", state="limited", limit_resets=fresh),
        seat("u", state="limited"),
        seat("v", state="idle", limit_resets=over),
    ]
    back = continued([MAIN, SPARE], seats, RULES)
    assert isinstance(back, Swap)
    assert (back.source, back.target, back.urgency, back.sessions) == ("b", "b", "soft", ("s",))
    assert back.reason == "the limit of b that stopped them has passed"
    assert [one.verdict for one in back.verdicts] == ["kept"]
    assert continued([MAIN, account("b", 2, 95)], seats, RULES) is None, "another window is used up"
    other = account("a", 1, 93)
    assert continued([other, account("b", 2, 95)], seats, RULES) is not None, "but no account has room, so it is used"
    assert continued([other, account("b", 2, 100)], seats, RULES) is None
    assert continued([MAIN, SPARE], seats, Rules(margin=10, cooldown=120, now=NOW, since_continued=5.0)) is None
    assert continued([MAIN, SPARE], seats[1:], RULES) is None
    in_a_menu = seat("w", state="limited", limit_resets=fresh, asks=True)
    found = continued([MAIN, SPARE], [in_a_menu], RULES)
    assert found is not None, "it will not go on by itself"
    assert found.sessions == ("w",)


@pytest.mark.parametrize(
    ("state", "mode", "waits", "answer"),
    [
        ("idle", "move", False, True),
        ("idle", "lazy", False, False),
        ("idle", "lazy", True, True),
        ("idle", "leave", True, False),
        ("working", "lazy", False, True),
        ("limited", "leave", False, True),
    ],
)
def test_who_has_to_leave_a_spent_account(state: SessionState, mode: IdleSessions, waits: bool, answer: bool) -> None:
    assert needs(state, mode, waits) is answer


def test_another_target_is_chosen_without_those_that_refused() -> None:
    accounts = [MAIN, SPARE, account("c", 3, 5)]
    found = instead("a", accounts, {"b"}, RULES)
    assert found is not None
    assert found.name == "c"
    assert instead("a", accounts, {"b", "c"}, RULES) is None
    assert instead("gone", accounts, (), RULES) is None


def test_a_window_is_open_when_what_was_read_last_is_over() -> None:
    def reading(resets: int) -> Reading:
        return Reading(account="a", window="five_hour", used=99, resets_at=resets, observed_ms=1, source="t")

    assert opened([reading(int(NOW) - 5)], NOW) == {("a", "five_hour")}
    assert opened([reading(int(NOW) - 5), reading(int(NOW) + 5)], NOW) == frozenset()
