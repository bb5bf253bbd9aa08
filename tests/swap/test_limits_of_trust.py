"""Where the daemon keeps its hands off: conversations that a person has open, targets that would not do, a pause."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from failover.sim.world import World
from tests.swap.actors import (
    assert_nothing_lost,
    pids,
    say,
    swaps,
)


@pytest.fixture
def world() -> Iterator[World]:
    sessions = dict.fromkeys(("one", "two"), "app")
    with World(accounts=("a", "b"), sessions=sessions, failover={"deadline": {"soft": "2m", "hard": "60s"}}) as made:
        made.api.control(chunk_delay=0.01, accounts={"a": {"u5": 0.2}, "b": {"u5": 0.1}})
        made.up()
        made.launch(account="a")
        say(made, "one", "two")
        yield made


def swap(world: World, *arguments: str) -> tuple[int, str]:
    done = world.cli("swap", *arguments, check=False)
    return done.returncode, done.stderr + done.stdout


def test_a_pause_refuses_swaps_and_outlives_the_daemon(world: World) -> None:
    before = pids(world)
    world.cli("pause")
    code, said = swap(world, "--to", "b")
    assert (code, "claude-failover resume" in said) == (3, True), said

    # Neither does the policy move anything, before and after the daemon is started anew.
    world.api.account("a", u5=0.93)
    say(world, "one")
    world.wait(lambda: world.query("SELECT 1 FROM readings WHERE account = 'a' AND used >= 93"), "the reading")
    world.cli("down")
    world.cli("up", "--wait", "60")
    code, said = swap(world, "--to", "b")
    assert (code, "claude-failover resume" in said) == (3, True), said
    say(world, "two")
    assert swaps(world) == []
    assert pids(world) == before

    world.cli("resume")
    world.wait(lambda: swaps(world) == [("done", "b")], "the swap that was due", 60)
    say(world, "one", "two")
    assert_nothing_lost(world)
