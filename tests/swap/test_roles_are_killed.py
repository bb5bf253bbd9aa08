"""Any role may be killed at any moment: it is back at once, the sessions notice nothing, and swaps come to an end."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from failover.host import daemon, process
from failover.sim import real_cli
from failover.sim.world import World
from tests.swap.actors import (
    assert_nothing_lost,
    back,
    ended,
    held,
    hold_stands,
    kill,
    order,
    pids,
    requests,
    rest,
    result,
    roles,
    say,
    started,
    status,
    swaps,
    work,
)

#: A role is back within 2.5 s on a machine that has the time; this is no measurement (seconds).
BACK_WITHIN = 10.0
FAILOVER = {"deadline": {"soft": "3m", "hard": "60s"}}


@pytest.fixture
def world() -> Iterator[World]:
    sessions = dict.fromkeys(("mover", "worker", "idle"), "app")
    with World(accounts=("a", "b"), sessions=sessions, failover=FAILOVER) as made:
        made.api.control(chunk_delay=0.01)
        made.up()
        made.launch(account="a")
        yield made


@pytest.fixture(params=["simulated", pytest.param("real", marks=pytest.mark.real)])
def pair(request: pytest.FixtureRequest) -> Iterator[World]:
    binary: Path | None = real_cli.real_claude() if request.param == "real" else None
    with World(real=binary, accounts=("a", "b"), sessions={"one": "app", "two": "app"}, failover=FAILOVER) as made:
        made.api.control(chunk_delay=0.01)
        made.up()
        made.launch(account="a")
        yield made


def test_each_role_is_back_at_once_and_a_swap_asked_for_meanwhile_is_done(world: World) -> None:
    assert status(world).count("RUNNING") == 9
    world.type("worker", work(world, "long", *[2] * 15))
    world.wait(lambda: started(world, "long", 1), "the worker at work")
    before = pids(world)
    took: dict[str, float] = {}
    for number, role in enumerate(daemon.ROLES):
        target = "ba"[number % 2]
        boot, began = kill(world, role), time.monotonic()
        ordered = order(world, "swap", "--to", target, "--session", "mover")
        world.wait(lambda: back(world, role, boot), f"{role} back", BACK_WITHIN)  # noqa: B023
        took[role] = round(time.monotonic() - began, 2)
        code, said = result(ordered)
        assert code == 0, f"after {role} was killed: {said}"
        assert world.placement("mover").account == target
        now = pids(world)
        assert (now["worker"], now["idle"]) == (before["worker"], before["idle"])
    print(f"back after (s): {took}")
    assert swaps(world) == [("done", "ba"[number % 2]) for number in range(9)]
    assert world.state_of("idle") == "idle"
    world.wait(lambda: status(world).count("RUNNING") == 9, "nine RUNNING")
    say(world, "mover", "idle")
    rest(world, "worker", timeout=120)
    assert len(ended(world)) == 15
    assert_nothing_lost(world)


def test_a_control_plane_killed_while_it_holds_a_hook_costs_nothing(pair: World) -> None:
    """The session works on, since its hook ends, and is moved at the next boundary that is sure."""
    pair.type("one", work(pair, "one", 5, 3))
    pair.wait(lambda: started(pair, "one", 1), "a tool at work")
    # Stopped, the switcher does not see the boundary, and its hold stands on.
    ordered = order(pair, "swap", "--to", "b")
    pair.wait(lambda: hold_stands(pair, "one"), "a hold")
    switcher = roles(pair)["account-switcher"][1]
    process.send_signal(switcher, signal.SIGSTOP)
    pair.wait(lambda: held(pair, "one") == "PostToolBatch", "the session held")
    boot = kill(pair, "control-plane")
    pair.wait(lambda: back(pair, "control-plane", boot), "the control plane back", BACK_WITHIN)
    process.send_signal(switcher, signal.SIGCONT)
    code, said = result(ordered)
    assert code == 0, said
    rest(pair, *pair.sessions)
    say(pair, *pair.sessions)
    assert {requests(pair, name)[-1]["account"] for name in pair.sessions} == {"b"}
    assert ended(pair) == [("one", 1), ("one", 2)]
    assert "hook failed" not in pair.screen("one")
    assert_nothing_lost(pair)


def test_what_a_dead_control_plane_held_is_no_boundary(world: World) -> None:
    """Until its successor has started nobody says that the session was let go; the switcher has to see it itself."""
    world.type("worker", work(world, "worker", 4, 6, 1))
    world.wait(lambda: started(world, "worker", 1), "a tool at work")
    ordered = order(world, "swap", "--to", "b", "--session", "worker")
    world.wait(lambda: hold_stands(world, "worker"), "a hold")
    switcher = roles(world)["account-switcher"][1]
    process.send_signal(switcher, signal.SIGSTOP)
    world.wait(lambda: held(world, "worker") == "PostToolBatch", "the session held")
    supervisor = daemon.find(world.config.paths)
    assert supervisor is not None
    process.send_signal(supervisor, signal.SIGSTOP)  # so that the successor takes its time
    try:
        kill(world, "control-plane")
        world.wait(lambda: started(world, "worker", 2), "the next tool at work")
        process.send_signal(switcher, signal.SIGCONT)
        world.wait(lambda: ("worker", 2) in ended(world), "the next tool's end", 20)
    finally:
        process.send_signal(supervisor, signal.SIGCONT)
    code, said = result(ordered)
    assert code == 0, said
    rest(world, "worker")
    assert ended(world) == [("worker", 1), ("worker", 2), ("worker", 3)]
    assert_nothing_lost(world)
