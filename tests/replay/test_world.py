"""The world that policies are tried in keeps count, and does to sessions what the real one does."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from failover.core.usage import Reading
from failover.replay import synthetic
from failover.replay.compare import play
from failover.replay.demand import FIVE_HOURS, WEEK, Demand, Quota, Turn
from failover.replay.pilot import Pilot
from failover.replay.policies import usual
from failover.replay.world import AWAY, LOOK_EVERY, Order, World

START = synthetic.MONDAY


def turn(at: float = 0.0, tokens: int = 100, context: int = 1000, **fields: Any) -> Turn:
    return Turn(**{"session": "s", "at": at, "seconds": 60.0, "tokens": tokens, "context": context, **fields})


def demand(*turns: Turn, accounts: Sequence[Quota] = (), seconds: int = WEEK) -> Demand:
    found = tuple(accounts) or (Quota(name="a", five_hour=1000, seven_day=5000), Quota(name="b"))
    return Demand(about="t", start=START, seconds=seconds, accounts=found, turns=turns)


class Script:
    """A pilot that obeys a function, and looks at everything."""

    def __init__(self, orders: Callable[[World], Order | None] = lambda world: None) -> None:
        self.orders, self.readings = orders, list[Reading]()

    def read(self, readings: Sequence[Reading]) -> None:
        self.readings += readings

    def look(self, world: World) -> Order | None:
        return self.orders(world)


def world(wanted: Demand, orders: Callable[[World], Order | None] = lambda world: None) -> tuple[World, Script]:
    script = Script(orders)
    return World(wanted, [one.name for one in wanted.accounts], wanted.accounts[0].name, script), script


def once(order: Order, when: Callable[[World], bool] = lambda world: True) -> Callable[[World], Order | None]:
    left = [order]
    return lambda world: left.pop() if left and when(world) else None


def test_what_a_quota_allows_is_done_and_the_rest_waits_for_the_reset() -> None:
    made, script = world(demand(turn(tokens=1500)))
    record = made.run()
    session = made.sessions["s"]
    assert record.limits == 1
    assert session.blocked == FIVE_HOURS, "it went on by itself at the reset"
    assert (record.done, record.recached) == (1500, 0), "what was paid for before the limit is not paid for again"
    full = [reading for reading in script.readings if reading.used == 100]
    assert {(one.window, one.resets_at, one.source) for one in full} == {
        ("five_hour", START + FIVE_HOURS, "statusline")
    }


def test_after_a_weekly_limit_nothing_goes_on_by_itself() -> None:
    wanted = demand(turn(tokens=6000), accounts=[Quota(name="a", five_hour=9000, seven_day=5000, week_ends=3600)])
    made, _ = world(wanted)
    assert made.run().done == 5000
    assert made.sessions["s"].state == "limited"
    started_again = once(Order({"s": "a"}, 600.0, ""), lambda world: world.now > START + 3600)
    made, _ = world(wanted, started_again)
    assert made.run().done == 6000


def test_a_moved_session_leaves_at_its_boundary_and_writes_its_context_to_the_cache_again() -> None:
    wanted = demand(turn(tokens=300, batches=3, seconds=300.0))
    made, _ = world(wanted, once(Order({"s": "b"}, 600.0, "a to b")))
    record = made.run()
    assert (record.swaps, record.moves, record.done) == (1, 1, 300)
    assert record.recached == 333, "a third of the context had grown when the first batch ended"
    assert made.accounts["a"].spent == 100
    assert made.sessions["s"].blocked == AWAY


def test_a_session_that_reaches_no_boundary_in_time_stays() -> None:
    wanted = demand(turn(tokens=300, batches=3, seconds=3000.0))
    made, _ = world(wanted, once(Order({"s": "b"}, 600.0, "a to b")))
    assert made.run().moves == 0
    assert not made.open_swap


def test_a_cache_that_was_not_used_for_an_hour_is_written_again_without_any_move() -> None:
    made, _ = world(demand(turn(), turn(at=1800), turn(at=9000), accounts=[Quota(name="a")], seconds=20_000))
    record = made.run()
    assert (record.done, record.recached) == (300, 1000)


def test_idle_accounts_are_asked_after_their_reset() -> None:
    accounts = [Quota(name="a"), Quota(name="b", week_ends=5000)]
    made, script = world(demand(turn(), accounts=accounts, seconds=10_000))
    made.run()
    asked = [
        (r.observed_ms / 1000 - START, r.resets_at)
        for r in script.readings
        if (r.account, r.window) == ("b", "seven_day")
    ]
    assert asked == [(0, START + 5000), (5300, None)]


class Auditor:
    """A pilot that does as another says and looks whether anything is where it cannot be."""

    def __init__(self, pilot: Any) -> None:
        self.pilot, self.looks = pilot, 0

    def read(self, readings: Sequence[Reading]) -> None:
        assert all(0 <= reading.used <= 100 for reading in readings)
        self.pilot.read(readings)

    def look(self, world: World) -> Order | None:
        self.looks += 1
        spent = sum(account.spent for account in world.accounts.values())
        assert spent == world.record.done + world.record.recached
        for account in world.accounts.values():
            assert all(0 <= percent <= 100 for percent in account.percents())
        for session in world.sessions.values():
            assert [session.account is account for account in world.accounts.values()].count(True) == 1
            assert session.leaving is None or session.state == "working"
        order: Order | None = self.pilot.look(world)
        assert order is None or not world.open_swap, "one swap at a time"
        return order


@settings(max_examples=12, deadline=None)
@given(
    seed=st.integers(0, 1000),
    shape=st.sampled_from(["mixed", "office", "night"]),
    accounts=st.integers(1, 4),
    weekly=st.integers(1, 6),
    which=st.integers(0, 3),
)
def test_no_token_is_lost_no_window_runs_over_and_no_session_is_in_two_places(
    seed: int, shape: str, accounts: int, weekly: int, which: int
) -> None:
    from failover.replay import compare

    text = f"days=2,sessions=6,accounts={accounts},weekly={weekly},small=1,seed={seed},shape={shape}"
    made = synthetic.demand(synthetic.parse(text))
    policy = usual(made.accounts)[which]
    auditors: list[Auditor] = []

    def watched(*of: Any) -> Any:
        auditors.append(Auditor(Pilot(*of)))
        return auditors[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compare, "Pilot", watched)
        result, _ = play(made, policy)
    assert result.done + result.left == result.asked == sum(one.tokens for one in made.turns)
    assert shape == "office" or auditors[0].looks > 10


def test_the_same_demand_and_policy_give_the_same_result_and_another_seed_another() -> None:
    def figures(seed: int) -> list[bytes]:
        made = synthetic.demand(synthetic.parse(f"days=3,sessions=8,accounts=2,weekly=2,seed={seed}"))
        return [msgspec.json.encode(play(made, one)[0]) for one in usual(made.accounts)]

    assert figures(9) == figures(9)
    assert figures(9) != figures(10)


def test_time_grows_with_the_days_and_not_faster() -> None:
    def takes(days: int) -> float:
        made = synthetic.demand(synthetic.parse(f"days={days},sessions=20,accounts=5,seed=9"))
        began = time.process_time()
        play(made, usual(made.accounts)[0])
        return time.process_time() - began

    assert takes(12) < 6 * takes(4)


def test_limits_are_looked_at_at_once_and_all_else_within_a_minute() -> None:
    looks: list[tuple[float, str]] = []
    made, _ = world(demand(turn(tokens=1500)), lambda world: looks.append((world.now, world.sessions["s"].state)))
    made.run()
    assert looks[0] == (START, "limited")
    assert looks[1][0] - START <= LOOK_EVERY
