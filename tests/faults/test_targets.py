"""The target turns out to be none, a second limit comes, or no account is left: nothing is lost and nobody bounces."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from failover.sim import audit
from failover.sim.real_cli import real_claude
from failover.sim.world import World
from tests.swap.actors import (
    assert_nothing_lost,
    journal,
    moves,
    order,
    requests,
    rest,
    result,
    say,
    started,
    swaps,
    texts,
    work,
)

SESSIONS = dict.fromkeys(("one", "two"), "app")


@pytest.fixture(params=["simulated", pytest.param("real", marks=pytest.mark.real)])
def binary(request: pytest.FixtureRequest) -> Path | None:
    """Both binaries: what a refused turn looks like is the binary's to say."""
    return real_claude() if request.param == "real" else None


@contextmanager
def pool(real: Path | None = None, **accounts: Any) -> Iterator[World]:
    """Give two sessions at rest on account a of three; accounts: what the fake API is to answer on the other two."""
    settings = {"deadline": {"soft": "2m", "hard": "30s"}, "cooldown": "1s", "fail_back": False}
    with World(real=real, accounts=("a", "b", "c"), sessions=SESSIONS, failover=settings) as made:
        made.api.control(chunk_delay=0.01, accounts={"a": {"u5": 0.2}, **accounts})
        made.up()
        made.launch(account="a")
        say(made, "one", "two")
        yield made


def account(world: World, name: str) -> str:
    """Return the account that a session runs on."""
    return world.placement(name).account


def told(world: World, kind: str) -> int:
    """Count the events of a kind."""
    return int(world.query("SELECT count(*) FROM events WHERE type = ?", kind)[0][0])


def swap_while_working(world: World) -> tuple[int, str]:
    """Order a swap while session one is in the first of two tools, and return how it ended."""
    world.type("one", work(world, "build", 2, 0.1))
    world.wait(lambda: started(world, "build", 1), "the first tool")
    return result(order(world, "swap"), 120)


@pytest.mark.parametrize("mode", ["401", "400credit"])
def test_28_a_target_that_cannot_serve_after_all_is_left_for_another(binary: Path | None, mode: str) -> None:
    with pool(binary, b={"mode": mode}) as world:
        code, said = swap_while_working(world)
        assert code == 0, said
        rest(world, "one")
        assert ("one", "leaving") in journal(world) or len(swaps(world)) > 1
        # Session two was at rest, so b was not asked for it; it must not be left there.
        world.wait(lambda: account(world, "two") == "c" and world.state_of("two") == "idle", "two on c", 60)
        assert account(world, "one") == "c"
        say(world, "one", "two")
        assert {requests(world, name)[-1]["account"] for name in SESSIONS} == {"c"}
        assert_nothing_lost(world)


def test_28_without_another_account_it_goes_back_to_where_it_came_from() -> None:
    with pool(b={"mode": "401"}, c={"mode": "401"}) as world:
        swap_while_working(world)
        rest(world, "one")
        assert account(world, "one") == "a"
        assert requests(world, "one")[-1]["account"] == "a"
        assert_nothing_lost(world)


def test_42_an_account_whose_login_ends_within_the_hour_is_no_target() -> None:
    with pool() as world:
        login = world.accounts["b"] / ".sim-token"
        soon = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 1800))
        login.write_text(json.dumps({**json.loads(login.read_text()), "loginExpiresAt": soon}))
        code, said = swap_while_working(world)
        assert code == 0, said
        rest(world, "one", "two")
        assert {account(world, name) for name in SESSIONS} == {"c"}
        assert "b" not in {request["account"] for name in SESSIONS for request in requests(world, name)}
        assert_nothing_lost(world)


def test_36_a_second_limit_before_the_first_answer_goes_on_to_the_next_account(binary: Path | None) -> None:
    with pool(binary, b={"mode": "limit"}) as world:
        code, said = swap_while_working(world)
        assert code == 0, said
        rest(world, "one")
        world.wait(lambda: account(world, "two") == "c" and world.state_of("two") == "idle", "two on c", 60)
        assert account(world, "one") == "c"
        asked = [request["account"] for request in requests(world, "one")]
        assert "".join(dict.fromkeys(asked)) == "abc", "each account once, in order: no ping-pong"
        say(world, "two")
        assert_nothing_lost(world)


def test_36_when_every_other_account_is_limited_it_works_on_where_it_came_from() -> None:
    with pool(b={"mode": "limit"}, c={"mode": "limit7"}) as world:
        swap_while_working(world)
        rest(world, "one")
        assert account(world, "one") == "a", "its account was not spent"
        asked = [request["account"] for request in requests(world, "one")]
        assert "".join(dict.fromkeys(asked)) == "abc"
        assert asked[-1] == "a"
        assert_nothing_lost(world)


@pytest.mark.parametrize("window", ["5", "7"])
def test_26_with_all_accounts_spent_it_waits_and_is_continued_at_the_earliest_reset(
    binary: Path | None, window: str
) -> None:
    """The window of c opens first. Until then nothing moves, one notice is given, and no menu is answered."""
    spent = {f"u{window}": 1.0}
    with pool(binary, b=spent, c={**spent, f"reset{window}_in": 25}) as world:
        world.api.account("a", **spent)
        world.type("one", work(world, "build", 0.2))
        world.wait(lambda: told(world, "usage.all-exhausted") == 1, "the notice that no account is left", 60)
        before = len(requests(world, "one"))
        world.wait(lambda: moves(world)["one"][0] == "parked", "the end of the swap", 30)
        assert account(world, "one") == "c"
        assert "build" not in audit.tasks_done(world.api.records())
        assert not started(world, "build", 1)
        world.wait(lambda: started(world, "build", 1), "its work to go on after the reset", 90)
        rest(world, "one")
        assert requests(world, "one")[-1]["account"] == "c"
        assert len(requests(world, "one")) > before
        assert told(world, "usage.all-exhausted") == 1
        world.wait(lambda: told(world, "usage.available-again") == 1, "the notice that it is over")
        assert not [line for line in world.simulated() if line["event"] == "upgrade_chosen"]
        assert work(world, "build", 0.2) in texts(requests(world, "one")[-1])
        assert_nothing_lost(world)
