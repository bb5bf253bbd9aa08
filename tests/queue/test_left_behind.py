"""A task's prompt that was typed and not entered: what a dispatcher that was killed just then leaves behind."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from failover.core.attempt import prompt
from failover.sim.demo import drop_task, finished
from failover.sim.real_cli import real_claude
from failover.sim.world import World
from tests.swap.actors import requests, say, texts


@pytest.fixture(params=["simulated", pytest.param("real", marks=pytest.mark.real)])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    with World(
        real=real_claude() if request.param == "real" else None, accounts=("a",), sessions={"one": "app"}
    ) as made:
        made.api.control(chunk_delay=0.0, accounts={"a": {"u5": 0.1}})
        made.up()
        made.launch()
        say(made, "one")
        yield made


def test_the_prompt_of_an_earlier_task_is_no_part_of_the_next_ones(world: World) -> None:
    """Its line is longer than the pane is wide, so it takes more than one key to remove it."""
    earlier = prompt(99, 1, str(world.projects["app"] / ".agent-queue" / "inbox" / "earlier.md"))
    world.tmux.paste(world.tmux.panes()["one"].pane_id, earlier)
    world.wait(lambda: "[task 99" in world.screen("one"), "the line in the prompt box")
    drop_task(world, "app", "next", 1, 0.1)
    world.wait(lambda: finished(world, ["next"]), "the task", 60)
    told = " ".join(texts(one) for one in requests(world, "one"))
    assert "[task 1, attempt 1]" in told
    assert "[task 99" not in told
