"""A person goes on with another conversation in a session of ours: the session is that conversation's from then on."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from failover.sim.real_cli import real_claude
from failover.sim.world import World
from tests.swap.actors import moves, order, requests, rest, result, say, texts


@pytest.fixture(params=["simulated", pytest.param("real", marks=pytest.mark.real)])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    binary = real_claude() if request.param == "real" else None
    with World(real=binary, accounts=("a", "b"), sessions={"one": "app"}) as made:
        made.api.control(chunk_delay=0.01)
        made.up()
        made.launch(account="a")
        say(made, "one")
        yield made


def test_a_swap_takes_the_conversation_that_a_person_cleared_to(world: World) -> None:
    was = world.placement("one")
    world.type("one", "/clear")
    now = world.wait(
        lambda: p if (p := world.placement("one")).conversation != was.conversation else None, "the new conversation"
    )
    assert (now.pid, now.start, now.launch, now.account) == (was.pid, was.start, was.launch, "a")
    say(world, "one")
    code, said = result(order(world, "swap", "--to", "b"))
    assert code == 0, said
    assert moves(world)["one"][0] == "verified"
    moved = world.placement("one")
    assert (moved.conversation, moved.account) == (now.conversation, "b")
    world.type("one", "where are we")
    world.wait(lambda: "where are we" in texts(requests(world, "one")[-1]), "its next request")
    assert requests(world, "one")[-1]["account"] == "b"
    rest(world, "one")
    assert [e["was"] for e in _turned(world)] == [was.conversation]


def _turned(world: World) -> list[dict[str, str]]:
    return [json.loads(row["body"]) for row in world.query("SELECT body FROM events WHERE type = 'session.turned'")]
