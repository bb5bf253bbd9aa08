"""Throttling and errors of the API are no used-up quota: sessions retry or fail, and nothing is ever moved for that."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from failover.sim import real_cli
from failover.sim.world import World
from tests.swap.actors import assert_nothing_lost, pids, requests, rest, say, texts

#: How often the binary tries again (the default of ten takes minutes).
RETRIES = 2


@pytest.fixture(params=["simulated", pytest.param("real", marks=pytest.mark.real)])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    binary: Path | None = real_cli.real_claude() if request.param == "real" else None
    with World(real=binary, accounts=("a", "b"), sessions={"one": "app", "two": "app"}) as made:
        config = json.loads(made.config_file.read_text())
        config["claude"]["env"]["CLAUDE_CODE_MAX_RETRIES"] = str(RETRIES)
        made.config_file.write_text(json.dumps(config))
        # Each answer uses a little, so that readings go on coming in.
        made.api.control(chunk_delay=0.01, accounts={"a": {"u5": 0.2, "cost5": 0.02}, "b": {"u5": 0.1}})
        made.up()
        made.launch(account="a")
        yield made


def refusals(world: World, name: str) -> int:
    return sum(request["mode"] != "ok" for request in requests(world, name))


def readings(world: World) -> list[float]:
    return [row["used"] for row in world.query("SELECT used FROM readings WHERE account = 'a' ORDER BY id")]


def assert_nothing_was_moved(world: World) -> None:
    assert world.query("SELECT * FROM swap_requests") == []
    assert world.query("SELECT * FROM swaps") == []
    assert max(readings(world)) < 100
    assert world.query("SELECT name FROM sessions WHERE limit_window != ''") == []


@pytest.mark.parametrize("mode", ["429plain", "529", "500"])
def test_sessions_retry_or_fail_and_none_is_moved(world: World, mode: str) -> None:
    say(world, *world.sessions)
    before = pids(world)

    # One session is refused for a moment, and tries again.
    world.api.account("a", mode=mode)
    world.type("one", "do try again")
    world.wait(lambda: refusals(world, "one") >= 1, "a refusal")
    world.api.account("a", mode="ok")
    world.wait(lambda: "do try again" in texts(requests(world, "one")[-1]), "the prompt asked")
    rest(world, "one")
    assert world.state_of("one") == "idle"

    # The other is refused until it gives up.
    world.api.account("a", mode=mode)
    world.type("two", "do give up")
    world.wait(
        lambda: world.query("SELECT 1 FROM hook_calls WHERE session = 'two' AND hook = 'StopFailure'"),
        "the turn's failure",
        60,
    )
    world.wait(lambda: world.state_of("two") == "idle", "a failed session idle")
    assert refusals(world, "two") >= 1 + RETRIES
    assert_nothing_was_moved(world)

    # The failure stands in the transcript while all goes on; what the quota-monitor says is of later than that.
    world.api.account("a", mode="ok")
    known = len(readings(world))
    say(world, "one")
    world.wait(lambda: len(readings(world)) > known, "a new reading")
    assert world.state_of("two") == "idle"
    assert_nothing_was_moved(world)
    say(world, "two")
    assert "do give up" in texts(requests(world, "two")[-1])
    assert pids(world) == before
    assert_nothing_was_moved(world)
    assert {request["account"] for name in world.sessions for request in requests(world, name)} == {"a"}
    assert_nothing_lost(world)
