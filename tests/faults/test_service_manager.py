"""The daemon may end, or be killed whole: the sessions work on, their panes show nothing, and `up` takes them over."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from failover.host import daemon, process
from failover.sim import real_cli
from failover.sim.world import World
from tests.swap.actors import (
    assert_nothing_lost,
    ended,
    pids,
    requests,
    rest,
    roles,
    say,
    started,
    swaps,
    texts,
    work,
)

#: idle: nothing to do; short: its turn ends while nobody listens; long: its turn outlasts that; agent: so does not its
#: sub-agent; prompted: is asked while nobody listens.
SESSIONS = ("idle", "short", "long", "agent", "prompted")
RUNNING = re.compile(r"\(running \w+ hook\b")
#: What would tell of us in a pane.
TRACES = re.compile(r"(?i)hook|econn|refused|curl|socket|failover|error|timed? ?out")


@pytest.fixture(params=["simulated", pytest.param("real", marks=pytest.mark.real)])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    binary: Path | None = real_cli.real_claude() if request.param == "real" else None
    failover = {"deadline": {"soft": "2m", "hard": "60s"}}
    with World(real=binary, accounts=("a", "b"), sessions=dict.fromkeys(SESSIONS, "app"), failover=failover) as made:
        made.api.control(chunk_delay=0.01)
        made.up()
        made.launch(account="a")
        yield made


def end_in_order(world: World) -> None:
    assert "the sessions go on" in world.cli("down").stdout


def kill_everything(world: World) -> None:
    supervisor = daemon.find(world.config.paths)
    assert supervisor is not None
    everyone = [supervisor, *process.children(supervisor.pid)]
    assert len(everyone) == 10
    for one in everyone:
        process.send_signal(one, signal.SIGKILL)
    world.wait(lambda: not any(process.alive(one) for one in everyone), "the end of everything of ours")


def conversation(world: World, name: str) -> list[str]:
    """Return what a pane shows from the first words on to the prompt.

    Less the mascot of the real one, which blinks, and the hints that it puts to the right above the prompt.
    """
    shown = world.screen(name).split("\n───")[0]
    lines = shown[shown.index("words ") :].splitlines()
    return [line for line in lines if line.strip() and not line.startswith(" " * 10)]


def traces(world: World, name: str) -> list[str]:
    """Return the lines of a pane that would tell of us, less the word that the real one has for a running hook."""
    lines = [RUNNING.sub("", line) for line in world.screen(name).splitlines()]
    return [f"{name}: {line}" for line in lines if TRACES.search(line)]


@pytest.mark.parametrize("end", [end_in_order, kill_everything])
def test_41_sessions_work_on_and_up_takes_them_over(world: World, end: Callable[[World], None]) -> None:
    say(world, *SESSIONS)
    before = pids(world)
    assert set(before) == set(SESSIONS)
    shown = conversation(world, "idle")
    world.type("short", work(world, "short", 5, 1))
    world.type("long", work(world, "long", *[3] * 12))
    world.type("agent", f"MARK_AGENT{{6|{world.step} agent 1 0.1}}")
    world.wait(lambda: started(world, "short", 1) and started(world, "long", 1), "tools at work")
    world.wait(lambda: any(r["kind"] == "subagent" for r in world.api.requests(kind=None)), "a sub-agent at work")

    end(world)
    down = time.time()
    assert roles(world) == {}
    world.type("prompted", "who listens to PINEAPPLE")
    world.wait(lambda: ("short", 2) in ended(world) and ("agent", 1) in ended(world), "turns ended unheard", 60)
    world.wait(lambda: "PINEAPPLE" in texts(requests(world, "prompted")[-1]), "a prompt taken unheard")
    world.wait(lambda: _told_of_agent(world), "the sub-agent's result delivered unheard", 60)
    for name in ("short", "long", "prompted"):
        assert any(request["t"] > down for request in requests(world, name)), f"{name} asked nothing meanwhile"
    assert pids(world) == before
    assert conversation(world, "idle") == shown
    for name in SESSIONS:
        assert traces(world, name) == []

    world.cli("up", "--wait", "60")
    assert pids(world) == before
    for name in ("idle", "short", "agent", "prompted"):
        world.wait(lambda name=name: world.state_of(name) == "idle", f"{name} idle by the watcher", 20)  # type: ignore[misc]
    assert world.state_of("long") == "working"
    assert not any(note == ("long", 12) for note in ended(world)), "the long turn was over before it could be judged"

    # A new turn is seen from its beginning to its end.
    world.type("idle", work(world, "idle", 2))
    world.wait(lambda: world.state_of("idle") == "working", "a new turn seen")
    rest(world, "idle")
    for name in SESSIONS:
        assert traces(world, name) == []

    # All can be moved: those of whom much was missed, and the one whose turn went on all the time.
    done = world.cli("swap", "--to", "b", check=False)
    assert done.returncode == 0, done.stderr
    assert swaps(world) == [("done", "b")]
    assert not set(pids(world).values()) & set(before.values())
    rest(world, *SESSIONS)
    say(world, *SESSIONS)
    assert {requests(world, name)[-1]["account"] for name in SESSIONS} == {"b"}
    assert len(ended(world)) == 2 + 12 + 1 + 1
    assert _told_of_agent(world)
    assert_nothing_lost(world)


def _told_of_agent(world: World) -> bool:
    last = requests(world, "agent")[-1]
    return any(block.get("task") for message in last["messages"] for block in message["blocks"])
