"""Costs count up over a conversation and fall to the account that it ran on when they grew."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from failover.core.spend import Ledger, Tick, day, fold, reading

MORNING = 20_000 * 86_400_000


def tick(account: str, total: float, at_s: float = 0, conversation: str = "c") -> Tick:
    return Tick(account=account, conversation=conversation, total=total, at_ms=MORNING + int(at_s * 1000))


def test_growth_falls_to_the_account_that_the_conversation_ran_on() -> None:
    ledger = fold(Ledger(), [tick("a", 2.0), tick("k", 2.5, 1), tick("a", 4.0, 2), tick("k", 4.25, 3)])
    assert ledger.totals == {"c": 4.25}
    assert ledger.spent == {("k", 20_000): 0.75, ("a", 20_000): 1.5}


def test_the_first_total_of_a_conversation_and_one_that_fell_cost_nothing() -> None:
    ledger = fold(Ledger(), [tick("k", 300.0), tick("k", 299.0, 1), tick("k", 299.5, 2)])
    assert ledger.spent == {("k", 20_000): 0.5}


def test_each_day_is_counted_by_itself() -> None:
    ledger = fold(Ledger(), [tick("k", 0.0), tick("k", 1.0, 86_399), tick("k", 3.0, 86_400)])
    assert ledger.spent == {("k", 20_000): 1.0, ("k", 20_001): 2.0}


def test_a_reading_is_the_part_of_the_cap_until_midnight() -> None:
    one = reading("k", 5.0, 20.0, MORNING + 1000)
    assert (one.used, one.resets_at, one.window, one.source) == (25.0, (20_000 + 1) * 86400, "spend", "cost")
    assert day(one.resets_at or 0) == 20_001


ticks = st.lists(
    st.builds(
        Tick, account=st.sampled_from("ak"), conversation=st.sampled_from("cd"),
        total=st.floats(0, 100), at_ms=st.integers(MORNING, MORNING + 3 * 86_400_000),
    ),
    max_size=12,
)  # fmt: skip


@given(ticks, st.randoms())
def test_the_order_of_arrival_and_saying_it_twice_change_nothing(found: list[Tick], chance: object) -> None:
    shuffled = list(found)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    once = fold(Ledger(), found)
    assert {c: round(t, 6) for c, t in fold(Ledger(), shuffled).totals.items() if _one_a_moment(found)} == {
        c: round(t, 6) for c, t in once.totals.items() if _one_a_moment(found)
    }
    last = {one.conversation: one for one in sorted(found, key=lambda t: (t.at_ms, t.total))}
    assert fold(once, last.values()) == once


@given(ticks)
def test_nothing_is_ever_taken_back(found: list[Tick]) -> None:
    ledger = Ledger()
    for one in found:
        after = fold(ledger, [one])
        assert all(usd >= ledger.spent.get(key, 0.0) for key, usd in after.spent.items())
        ledger = after


def _one_a_moment(found: list[Tick]) -> bool:
    return len({(one.conversation, one.at_ms) for one in found}) == len(found)
