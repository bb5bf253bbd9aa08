"""What a session had in hand when it crashed is offered to others; it does not take that up again, moved or not."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from failover.claude import transcript
from failover.host import process
from failover.sim import real_cli
from failover.sim.world import World
from tests.swap.actors import ended, pids, requests, rest, say, started, swaps, texts, work


@pytest.fixture(params=["simulated", pytest.param("real", marks=pytest.mark.real)])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    binary: Path | None = real_cli.real_claude() if request.param == "real" else None
    with World(real=binary, accounts=("a", "b"), sessions={"one": "app"}) as made:
        made.api.control(chunk_delay=0.01)
        made.up()
        made.launch(account="a")
        yield made


def test_a_swap_does_not_tell_a_crashed_session_to_go_on(world: World) -> None:
    world.type("one", work(world, "one", 3, 1))
    world.wait(lambda: started(world, "one", 1), "a tool at work")
    crashed = pids(world)["one"]
    process.send_signal(crashed, signal.SIGKILL)
    world.wait(lambda: world.state_of("one") == "exited", "the crash seen")
    # The binary may have died with a lock in its hand, which is believed for some seconds.
    launched = lambda: world.cli("sessions", "launch", check=False).returncode == 0  # noqa: E731
    world.wait(launched, "the launch", 60)
    world.wait(lambda: world.state_of("one") == "idle", "the session idle", 60)
    asked = len(requests(world, "one"))
    world.wait(lambda: ("one", 1) in ended(world), "the orphaned tool's end")

    assert world.cli("swap", "--to", "b").returncode == 0
    assert swaps(world) == [("done", "b")]
    world.wait(lambda: world.state_of("one") == "idle", "the session idle", 60)
    assert len(requests(world, "one")) == asked, texts(requests(world, "one")[-1])
    assert ended(world) == [("one", 1)]

    # What comes now is its own again, and a move in the middle of it is continued.
    world.type("one", work(world, "two", 3, 1))
    world.wait(lambda: started(world, "two", 1), "a tool at work")
    assert world.cli("swap", "--to", "a").returncode == 0
    world.wait(lambda: ("two", 2) in ended(world), "the work continued", 60)
    rest(world, "one")
    assert [step for step in ended(world) if step[0] == "two"] == [("two", 1), ("two", 2)]


def test_a_conversation_that_was_killed_before_its_first_message_is_left_for_a_new_one(world: World) -> None:
    was = world.placement("one")
    path = world.shared / "projects" / transcript.slug(Path(was.cwd)) / f"{was.conversation}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'{{"type": "mode", "mode": "normal", "sessionId": "{was.conversation}"}}\n')
    process.send_signal(pids(world)["one"], signal.SIGKILL)
    world.wait(lambda: world.state_of("one") == "exited", "the crash seen")
    launched = lambda: world.cli("sessions", "launch", check=False).returncode == 0  # noqa: E731
    world.wait(launched, "the launch", 60)
    world.wait(lambda: world.state_of("one") == "idle", "the session idle", 60)
    assert world.placement("one").conversation != was.conversation
    say(world, "one")
    assert path.read_text().count("\n") == 1, "what is there stays as it was"
