"""A hard deadline cuts off what is at no boundary: what was written is kept, and what was cut off is named."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from failover.sim.real_cli import real_claude
from failover.sim.world import World
from tests.swap.actors import moves, requests, rest, say, started, texts, work

SESSIONS = dict.fromkeys(("writer", "tool", "limited"), "app")


@pytest.fixture(params=["simulated", pytest.param("real", marks=pytest.mark.real)])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    binary = real_claude() if request.param == "real" else None
    settings = {"deadline": {"soft": "2m", "hard": "4s"}, "cooldown": "1s", "fail_back": False}
    with World(real=binary, accounts=("a", "b"), sessions=SESSIONS, failover=settings) as made:
        made.api.control(chunk_delay=0.01, accounts={"a": {"u5": 0.2}, "b": {"u5": 0.1}})
        made.up()
        made.launch()
        say(made, *SESSIONS)
        yield made


def test_a_hard_deadline_interrupts_and_names_what_it_cut_off(world: World) -> None:
    world.type("writer", "MARK_SLOW{80}")
    world.type("tool", work(world, "long", 20))
    world.wait(lambda: started(world, "long", 1), "the tool at work")
    world.wait(lambda: "word4" in world.screen("writer"), "words on the screen", 60)
    world.api.account("a", u5=1.0)
    world.type("limited", "go on")
    world.wait(
        lambda: len(moves(world)) == 3 and {m[0] for m in moves(world).values()} == {"verified"}, "all moved", 120
    )
    rest(world, *SESSIONS)

    body = {r["session"]: json.loads(r["body"]) for r in world.query("SELECT session, body FROM moves")}
    assert {name: body[name]["outcome"] for name in SESSIONS} == {
        "writer": "interrupted", "tool": "interrupted", "limited": "turn",
    }  # fmt: skip
    assert "interrupted your answer" in texts(requests(world, "writer")[-1])
    assert "interrupted the tool call Bash" in texts(requests(world, "tool")[-1])
    assert "Its outcome is unknown" in texts(requests(world, "tool")[-1])
    kept = [
        block["head"]
        for message in requests(world, "writer")[-1]["messages"]
        for block in message["blocks"]
        if message["role"] == "assistant" and block["type"] == "text"
    ]
    assert any("word0 word1" in text for text in kept), f"what was written is gone: {kept}"
    assert {requests(world, name)[-1]["account"] for name in SESSIONS} == {"b"}
