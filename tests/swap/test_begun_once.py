"""A task that begins a conversation of its own is begun once as each attempt, whoever dies in between."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from failover.host import process
from failover.sim import real_cli
from failover.sim.world import World
from tests.faults.pool import stopped_switcher, up_stopping_at
from tests.swap.actors import moves, pids


@pytest.fixture(params=["simulated", pytest.param("real", marks=pytest.mark.real)])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    binary: Path | None = real_cli.real_claude() if request.param == "real" else None
    with World(real=binary, accounts=("a",), sessions={"one": "app"}) as made:
        made.api.control(chunk_delay=0.01)
        made.up()
        made.launch(account="a")
        yield made


def test_a_session_that_dies_after_it_took_its_task_is_not_told_it_again_as_the_same_attempt(world: World) -> None:
    up_stopping_at(world, "relaunched:after")
    plan = f'PLAN{{name=new steps=1 command="{world.step} new {{step}} 600"}}'
    file = world.projects["app"] / ".agent-queue" / "inbox" / "new.md"
    file.write_text(f"---\nconversation: fresh\n---\n{plan}")
    switcher = stopped_switcher(world)
    try:
        world.wait(lambda: world.query("SELECT 1 FROM tasks WHERE state = 'running'"), "the task taken", 60)
        world.wait(lambda: [one for one in world.steps() if one["event"] == "start"], "its tool", 60)
        died = pids(world)["one"]
        assert process.send_signal(died, signal.SIGKILL)
    finally:
        process.send_signal(switcher, signal.SIGCONT)
    world.wait(
        lambda: world.query("SELECT 1 FROM swaps WHERE kind = 'fresh' AND state = 'done'"), "the start's end", 30
    )
    assert moves(world)["one"][0] == "verified"
    world.wait(lambda: world.query("SELECT 1 FROM tasks WHERE state = 'queued'"), "the task offered again", 30)
    assert pids(world) == {}, "nobody was started with it again"
