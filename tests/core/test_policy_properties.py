"""What holds for any input: of the accounts anything may be true, and anything may come next."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from failover.core.choice import Candidate, Decision, Load, Rules, Swap
from failover.core.homecoming import Seat, fail_back
from failover.core.policy import SPENT_COOLDOWN, decide
from failover.core.pressure import is_ended
from failover.core.target import LEAST_LEFT, headroom
from tests.core.pool import NOW, expected, reading

NAMES = ("a", "b", "c", "d")
WINDOWS = ("five_hour", "seven_day")
#: What an account may be beside the figures of its windows.
KINDS: list[dict[str, Any]] = [
    {}, {}, {}, {"enabled": False}, {"trouble": "could not serve"}, {"reserve": 30.0}, {"standby": True},
    {"opened": ("five_hour",)}, {"paid": True, "use": "never"}, {"paid": True, "use": "last_resort"},
    {"paid": True, "use": "last_resort", "opened": ("seven_day",)}, {"standby": True, "reserve": 5.0},
]  # fmt: skip
COSTS: list[dict[str, Any]] = [
    {}, {"tokens_per_point": {"five_hour": 100.0}},
    {"tokens_per_point": {"five_hour": 50.0, "seven_day": 900.0}, "owed": 700},
]  # fmt: skip
#: Nothing is decided by how long it takes to make up an account.
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
_used = st.one_of(st.none(), st.floats(0, 130), st.sampled_from([0.0, 80.0, 90.0, 92.0, 95.0, 100.0]))
_later = st.sampled_from([None, int(NOW) + 30, int(NOW) + 3000])
_foreseen = st.lists(st.floats(0, 9000), max_size=2)


@st.composite
def an_account(draw: st.DrawFn, name: str) -> Candidate:
    sessions, foreseen = draw(st.integers(0, 4)), draw(_foreseen)
    readings = {
        window: reading(used, name, window=window, resets_at=draw(_later))
        for window in WINDOWS
        if (used := draw(_used)) is not None
    }
    return Candidate(
        name=name,
        priority=draw(st.integers(1, 3)),
        thresholds={"five_hour": draw(st.sampled_from([60.0, 90.0])), "seven_day": 95.0},
        readings=readings,
        sessions=sessions,
        in_use=sessions,
        loads=tuple(
            Load(session=f"{name}{number}", tokens=tokens, pinned=tokens == 100)
            for number, tokens in enumerate(draw(st.permutations([0, 100, 5000, 700]))[:sessions])
        ),
        forecasts=dict(zip(WINDOWS, map(expected, foreseen), strict=False)),
        limits=dict(zip(WINDOWS, map(expected, reversed(foreseen)), strict=False)),
        **draw(st.sampled_from(KINDS)),
        **draw(st.sampled_from(COSTS)),
    )


accounts = st.tuples(*(an_account(name) for name in NAMES)).map(list)
some_rules = st.builds(
    Rules,
    margin=st.sampled_from([0.0, 10.0]),
    cooldown=st.just(120.0),
    strategy=st.sampled_from(["priority", "most_headroom", "soonest_reset"]),
    wait_if_reset_within=st.sampled_from([0.0, 600.0]),
    now=st.just(NOW),
    forecast=st.booleans(),
    boundary=st.sampled_from([0.0, 60.0]),
    parallel=st.integers(1, 4),
)


def targets(decision: Swap) -> set[str]:
    return {decision.target, *decision.shares.values()}


@given(accounts, some_rules)
@unhurried
def test_it_never_moves_onto_a_worse_account(pool: list[Candidate], rules: Rules) -> None:
    decision = decide(pool, rules)
    if not isinstance(decision, Swap):
        return
    views = {one.name: one for one in pool}
    source = views[decision.source]
    for target in (views[name] for name in targets(decision)):
        assert target.name != source.name
        assert target.enabled and not target.trouble
        assert not (target.paid and target.use == "never")
        here, there = headroom(source), headroom(target)
        if there is None:
            continue
        if there >= rules.margin:
            assert source.paid or here is None or there >= max(here, 0) + rules.margin
        else:
            assert is_ended(source) and not target.paid, "only who would have to stand goes on what is left"
            assert all(one.used <= target.ends_at(window) - LEAST_LEFT for window, one in target.counting)
        if target.paid and not source.paid:
            assert is_ended(source)


@given(accounts, some_rules)
@unhurried
def test_the_sessions_named_are_those_of_the_source_and_each_goes_to_one_account(
    pool: list[Candidate], rules: Rules
) -> None:
    decision = decide(pool, rules)
    if isinstance(decision, Swap):
        source = next(one for one in pool if one.name == decision.source)
        there = {load.session for load in source.loads}
        assert set(decision.sessions) <= there
        assert set(decision.shares) <= (set(decision.sessions) or there)
        assert decision.target not in decision.shares.values()


@given(accounts.flatmap(lambda pool: st.tuples(st.just(pool), st.permutations(pool))), some_rules)
@unhurried
def test_the_choice_does_not_depend_on_the_order_of_arrival(
    pools: tuple[list[Candidate], list[Candidate]], rules: Rules
) -> None:
    pool, shuffled = pools
    mixed = [
        msgspec.structs.replace(
            one,
            readings=dict(reversed([*one.readings.items()])),
            forecasts=dict(reversed([*one.forecasts.items()])),
            loads=one.loads[::-1],
        )
        for one in shuffled
    ]
    assert decide(mixed, rules) == decide(pool, rules)


@given(accounts, some_rules)
@unhurried
def test_unknown_never_triggers(pool: list[Candidate], rules: Rules) -> None:
    unknown = [msgspec.structs.replace(one, readings={}, paid=False) for one in pool]
    assert not isinstance(decide(unknown, rules), Swap)


@given(accounts, some_rules)
@unhurried
def test_every_decision_says_of_each_account_what_was_made_of_it_and_why(pool: list[Candidate], rules: Rules) -> None:
    decision = decide(pool, rules)
    assert decision.reason
    assert sorted(one.account for one in decision.verdicts) == list(NAMES)
    assert all(one.why for one in decision.verdicts)
    if isinstance(decision, Swap):
        words = {one.account: one.verdict for one in decision.verdicts}
        assert words[decision.source] == "left"
        assert {name for name, word in words.items() if word == "taken"} == targets(decision)
    else:
        assert not {"left", "taken"} & {one.verdict for one in decision.verdicts}


@given(st.lists(st.tuples(st.floats(0, 60), accounts), min_size=1, max_size=6), some_rules)
@settings(unhurried, max_examples=60)
def test_at_most_one_swap_a_cool_down_whatever_comes(steps: list[tuple[float, list[Candidate]]], rules: Rules) -> None:
    """A spent account's short cool-down is the only exception."""
    since: float | None = None
    for passed, pool in steps:
        since = None if since is None else since + passed
        decision: Decision | None = decide(pool, msgspec.structs.replace(rules, since_swap=since))
        if not isinstance(decision, Swap):
            seats = [Seat(session=load.session, account=one.name, state="idle") for one in pool for load in one.loads]
            decision = fail_back(pool, seats, msgspec.structs.replace(rules, since_swap=since))
        if decision is None:
            continue
        source = next(one for one in pool if one.name == decision.source)
        spent = any(one.used >= 100 for one in source.readings.values())
        assert since is None or since >= (SPENT_COOLDOWN if spent else rules.cooldown)
        since = 0.0
