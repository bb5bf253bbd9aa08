"""Usage that flaps about its threshold; throttling and errors that are no used-up quota (faults 27, 37)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from failover.sim import real_cli
from failover.sim.world import World
from tests.faults.pool import PATIENCE, ask
from tests.swap.actors import assert_nothing_lost, pids, requests, rest, swaps, texts

#: How often the binary tries again (the default of ten takes minutes).
RETRIES = 2
COOLDOWN = 6


# -- 27: flapping ---------------------------------------------------------------------------------------------


def test_27_usage_that_flaps_about_the_threshold_moves_the_pool_once_per_cool_down_and_never_back() -> None:
    failover = {"cooldown": f"{COOLDOWN}s", "deadline": {"soft": "3m", "hard": "60s"}}
    with World(accounts=("a", "b", "c"), sessions={"one": "app", "two": "app"}, failover=failover) as world:
        world.api.control(chunk_delay=0.01, accounts={name: {"u5": 0.1, "cost5": 0.0} for name in "abc"})
        world.up()
        world.launch(account="a")
        ask(world, "one", "two")
        assert swaps(world) == []
        used = iter((0.93, 0.88, 0.92, 0.89, 0.91) * 20)

        def flap() -> bool:
            """Let the account in use come to just above its threshold, then to just below it."""
            account = world.placement("one").account
            if account != "c":
                world.api.account(account, u5=next(used))
            ask(world, "one", "two")
            return swaps(world) == [("done", "b"), ("done", "c")]

        for _ in range(60):
            world.wait(lambda: not swaps(world) or swaps(world)[-1][0] != "open", "no swap open", PATIENCE)
            if flap():
                break
        for _ in range(4):
            flap()
        assert swaps(world) == [("done", "b"), ("done", "c")]
        first, second = (row["started_ms"] for row in world.query("SELECT started_ms FROM swaps ORDER BY id"))
        assert second - first >= COOLDOWN * 1000
        assert len(world.query("SELECT * FROM swap_requests")) == 2
        assert_nothing_lost(world)


# -- 37: throttling ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=["simulated", pytest.param("real", marks=pytest.mark.real)])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    binary: Path | None = real_cli.real_claude() if request.param == "real" else None
    with World(real=binary, accounts=("a", "b"), sessions={"one": "app", "two": "app"}) as made:
        config = json.loads(made.config_file.read_text())
        config["claude"]["env"]["CLAUDE_CODE_MAX_RETRIES"] = str(RETRIES)
        made.config_file.write_text(json.dumps(config))
        # Each answer uses a little, so that readings go on coming in.
        made.api.control(chunk_delay=0.01, accounts={"a": {"u5": 0.1, "cost5": 0.02}, "b": {"u5": 0.1}})
        made.up()
        made.launch(account="a")
        yield made


def refusals(world: World, name: str) -> int:
    return sum(request["mode"] != "ok" for request in requests(world, name))


def failures(world: World) -> int:
    sql = "SELECT count(*) FROM hook_calls WHERE session = 'two' AND hook = 'StopFailure'"
    return int(world.query(sql)[0][0])


def readings(world: World) -> list[float]:
    return [row["used"] for row in world.query("SELECT used FROM readings WHERE account = 'a' ORDER BY id")]


def assert_nothing_was_moved(world: World) -> None:
    assert world.query("SELECT * FROM swap_requests") == []
    assert world.query("SELECT * FROM swaps") == []
    assert max(readings(world)) < 90
    assert world.query("SELECT name FROM sessions WHERE limit_window != ''") == []


@pytest.mark.parametrize("mode", ["429plain", "529", "500"])
def test_37_throttled_sessions_retry_or_fail_and_none_is_moved(world: World, mode: str) -> None:
    world.api.account("a", u5=0.1)
    ask(world, *world.sessions)
    before, refused, failed = pids(world), {name: refusals(world, name) for name in world.sessions}, failures(world)

    # One session is refused for a moment, and tries again.
    world.api.account("a", mode=mode)
    world.type("one", f"do try again after {mode}")
    world.wait(lambda: refusals(world, "one") > refused["one"], "a refusal", PATIENCE)
    world.api.account("a", mode="ok")
    world.wait(lambda: f"do try again after {mode}" in texts(requests(world, "one")[-1]), "the prompt asked", PATIENCE)
    rest(world, "one")
    assert world.state_of("one") == "idle"

    # The other is refused until it gives up.
    world.api.account("a", mode=mode)
    world.type("two", f"do give up after {mode}")
    world.wait(lambda: failures(world) > failed, "the turn's failure", PATIENCE)
    world.wait(lambda: world.state_of("two") == "idle", "a failed session idle", PATIENCE)
    assert refusals(world, "two") - refused["two"] >= 1 + RETRIES
    assert_nothing_was_moved(world)

    # The failure stands in the transcript while all goes on; what the quota-monitor says is of later than that.
    world.api.account("a", mode="ok")
    known = len(readings(world))
    ask(world, "one")
    world.wait(lambda: len(readings(world)) > known, "a new reading", PATIENCE)
    assert world.state_of("two") == "idle"
    assert_nothing_was_moved(world)
    ask(world, "two")
    assert f"do give up after {mode}" in texts(requests(world, "two")[-1])
    assert pids(world) == before
    assert_nothing_was_moved(world)
    assert {request["account"] for name in world.sessions for request in requests(world, name)} == {"a"}
    assert_nothing_lost(world)
