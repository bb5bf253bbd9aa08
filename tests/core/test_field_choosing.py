"""What users of similar tools ran into when an account was chosen, each held by a test."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from failover.core.choice import Candidate, Decision, Stay, Swap
from failover.core.homecoming import Seat, fail_back
from failover.core.move import Move, State
from failover.core.policy import decide, idle_for
from failover.core.swap import free_slots
from failover.core.usage import Reading
from tests.core.pool import NOW, RULES, account, loads, reading, rules


def after(decision: Decision, pool: list[Candidate]) -> list[Candidate]:
    """Return the pool once a decision is carried out."""
    if not isinstance(decision, Swap):
        return pool
    left = next(one for one in pool if one.name == decision.source)
    going = decision.sessions or tuple(load.session for load in left.loads)
    moved: dict[str, list[Any]] = {one.name: list(one.loads) for one in pool}
    for load in left.loads:
        if load.session in going:
            moved[decision.source].remove(load)
            moved[decision.shares.get(load.session, decision.target)].append(load)
    return [
        msgspec.structs.replace(
            one, loads=tuple(moved[one.name]), sessions=len(moved[one.name]), in_use=len(moved[one.name])
        )
        for one in pool
    ]


def spend(pool: list[Candidate], name: str, used: float) -> list[Candidate]:
    """Return the pool with an account's 5 hours used so far."""
    return [
        msgspec.structs.replace(one, readings={**one.readings, "five_hour": reading(used, name)})
        if one.name == name
        else one
        for one in pool
    ]


# -- Choosing -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("a", "b"), [(100, 100), (100, 99), (95, 93), (97, 100)])
def test_two_exhausted_accounts_do_not_bounce(a: float, b: float) -> None:
    """gastown#3445: sessions went back and forth between two spent accounts, since results were not stored."""
    pool = [account("a", a, sessions=3, loads=loads(3, 0)), account("b", b)]
    asked = 0
    for minute in range(60):
        decision = decide(pool, rules(now=NOW + 60 * minute, since_swap=None))
        asked += isinstance(decision, Swap)
        pool = after(decision, pool)
    assert asked == 0


def test_what_is_left_of_two_accounts_is_used_without_going_back_and_forth() -> None:
    """gastown#3445: each swap leaves an account that has nothing more, so there are fewer swaps than accounts."""
    pool = [account("a", 100, sessions=3, loads=loads(3, 0)), account("b", 94), account("c", 93)]
    asked = []
    for _ in range(100):
        decision = decide(pool, RULES)
        if isinstance(decision, Swap):
            asked.append(decision.target)
        pool = after(decision, pool)
        busy = next(one for one in pool if one.in_use)
        pool = spend(pool, busy.name, min(100.0, busy.readings["five_hour"].used + 0.5))
    assert asked == ["c", "b"]


@pytest.mark.parametrize("source", [90, 95, 99.9])
def test_nobody_moves_to_two_percent_of_room_while_the_source_resets_in_forty_minutes(source: float) -> None:
    """claude-swap#288."""
    decision = decide([account("a", source, sessions=2, resets=2400), account("b", 88)], RULES)
    assert isinstance(decision, Stay)
    assert "no account can take its sessions" in decision.reason
    said = {one.account: one.why for one in decision.verdicts}
    assert said["b"] == "b is at 88 % of five_hour, less than 10 below 90 %"


def test_an_account_that_has_room_again_is_come_home_to() -> None:
    """claude-swap#260, dreamcontext#393: the pool stayed on the backup for ever."""
    home = account("a", opened=("five_hour",), priority=1)
    away = account("b", 30, priority=2, sessions=2)
    seats = [Seat(session="s", account="b", state="idle"), Seat(session="t", account="b", state="working")]
    back = fail_back([home, away], seats, RULES)
    assert back is not None
    assert (back.target, back.sessions, back.urgency) == ("a", ("s",), "idle")


def test_who_has_come_home_is_not_sent_away_again_at_once() -> None:
    """claude-swap#260: there and back again. Below its thresholds by the margin, home is not left."""
    for used in (0, 40, 79, 80):
        home, away = account("a", used, priority=1), account("b", 30, priority=2, sessions=2)
        back = fail_back([home, away], [Seat(session="s", account="b", state="idle")], RULES)
        assert back is not None
        assert isinstance(decide([msgspec.structs.replace(home, sessions=1, in_use=1), away], RULES), Stay)


def test_the_automat_does_not_undo_what_a_person_chose() -> None:
    """Whom a person put on the backup stays there, however free the preferred account is."""
    pool = [account("a", 0, priority=1), account("b", 60, priority=2, sessions=1)]
    assert fail_back(pool, [Seat(session="s", account="b", state="idle", home="b")], RULES) is None
    assert isinstance(decide(pool, RULES), Stay)


def test_a_pool_does_not_park_with_five_percent_unspent_everywhere() -> None:
    """tokenmaxxing#47: past every threshold, the work goes on until nothing is left anywhere."""
    pool = [account("a", 95, sessions=3, loads=loads(3, 0)), account("b", 95), account("c", 95)]
    assert idle_for(pool, RULES) == {}, "new work is given to whoever has something left"
    used: set[str] = set()
    for _ in range(200):
        pool = after(decide(pool, RULES), pool)
        busy = next(one for one in pool if one.in_use)
        used.add(busy.name)
        pool = spend(pool, busy.name, min(100.0, busy.readings["five_hour"].used + 0.5))
    assert used == {"a", "b", "c"}
    assert all(one.readings["five_hour"].used >= 98 for one in pool)
    assert set(idle_for(pool, RULES)) >= {"a"}


@pytest.mark.parametrize("use", ["never", "last_resort"])
def test_money_is_spent_only_when_the_operator_said_so_and_nothing_else_has_room(use: str) -> None:
    """claude-swap#194: paid overage was used without asking."""
    money = {"spend": Reading(account="key", window="spend", used=0, resets_at=None, observed_ms=1, source="t")}
    key = account("key", priority=0, paid=True, use=use, thresholds={"spend": 100.0}, readings=money)
    free = [account("a", 95, sessions=1), account("a", 99.9, sessions=1), account("a", 100, sessions=1)]
    for one in free[:2]:
        assert isinstance(decide([one, key], RULES), Stay), "it can still work"
    rich = decide([free[2], account("b", 50), key], RULES)
    assert isinstance(rich, Swap)
    assert rich.target == "b"
    rest = decide([free[2], account("b", 95), key], RULES)
    assert isinstance(rest, Swap)
    assert rest.target == "b"
    last = decide([free[2], account("b", 100), key], RULES)
    assert isinstance(last, Swap) is (use == "last_resort")


# -- Herd ---------------------------------------------------------------------------------------------------


def test_thirty_full_contexts_are_not_thrown_at_a_fresh_account() -> None:
    """teamclaude#84: 30 contexts of 150,000 tokens, at 50,000 tokens a point: 90 points of a fresh window."""
    costs = {"five_hour": 50_000.0}
    main = account("a", 92, sessions=30, loads=loads(30, 150_000))
    decision = decide([main, account("b", 0, tokens_per_point=costs)], RULES)
    assert isinstance(decision, Swap)
    assert len(decision.sessions) == 15, "half of its room"
    assert "15 stay until there is room" in decision.reason


def test_thirty_full_contexts_are_spread_where_there_is_more_than_one_account() -> None:
    """claude-code#21284: one account after the other went down under the same herd."""
    costs = {"five_hour": 50_000.0}
    main = account("a", 92, sessions=30, loads=loads(30, 150_000))
    fresh = [account(name, 0, priority=place, tokens_per_point=costs) for place, name in enumerate("bcd", 2)]
    decision = decide([main, *fresh], RULES)
    assert isinstance(decision, Swap)
    assert decision.sessions == ()
    assert (decision.target, len(decision.shares), set(decision.shares.values())) == ("b", 15, {"c"})


def test_those_who_come_next_know_of_those_who_came_before() -> None:
    """claude-code#40524: what the first ones are about to write is on no reading yet."""
    costs = {"five_hour": 50_000.0}
    main = account("a", 100, sessions=15, loads=loads(15, 150_000))
    full = account("b", 0, tokens_per_point=costs, owed=15 * 150_000)
    decision = decide([main, full], RULES)
    assert isinstance(decision, Stay)
    assert "would take too much" in decision.reason
    assert isinstance(decide([main, msgspec.structs.replace(full, owed=0)], RULES), Swap)


def test_a_herd_is_paced() -> None:
    """claude-code#21284: of thirty that move, no more are away at once than the host has cores."""
    away: list[State] = ["verified", "verified", "verified", "stopping", "relaunched"]
    waiting: list[State] = ["holding"] * 25
    moves = [
        Move(
            id=n,
            swap=1,
            session=f"s{n}",
            conversation=f"c{n}",
            cwd="/",
            source="a",
            target="b",
            kind="swap",
            state=state,
        )
        for n, state in enumerate(away + waiting)
    ]
    assert free_slots(moves, 3) == 1
    assert free_slots(moves, 2) == 0
