"""A task in the middle of its work survives what happens to its session, its switcher, its tmux server and its daemon.

It is done once, as one attempt, and its result names every account that it ran on.
"""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from failover.host import process
from failover.sim import real_cli
from failover.sim.world import World
from tests.faults.pool import tmux_server
from tests.swap.actors import (
    assert_nothing_lost,
    back,
    ended,
    hold_stands,
    kill,
    order,
    pids,
    requests,
    result,
    roles,
    started,
    texts,
)
from tests.swap.releases import command, release

STEPS = 4


@pytest.fixture(params=["simulated", pytest.param("real", marks=pytest.mark.real)])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    binary: Path | None = real_cli.real_claude() if request.param == "real" else None
    with World(real=binary, accounts=("a", "b"), sessions={"one": "app"}) as made:
        made.api.control(chunk_delay=0.01)
        made.up()
        made.launch(account="a")
        yield made


def begin(world: World) -> None:
    """Give the session a task whose first two tools do not end before the gate is open."""
    gate = f"while [ {{step}} -le 2 ] && [ ! -e {world.root}/gate ]; do sleep 0.05; done"
    plan = f'PLAN{{name=nightly steps={STEPS} command="{world.step} nightly {{step}} 0.2; {gate}"}}'
    (world.projects["app"] / ".agent-queue" / "inbox" / "nightly.md").write_text(plan)
    world.wait(lambda: started(world, "nightly", 1), "the first tool")


def swapped(world: World) -> None:
    """Move the session to b, in the middle of a tool."""
    ordered = order(world, "swap", "--to", "b")
    world.wait(lambda: hold_stands(world, "one"), "the hold", 60)
    (world.root / "gate").touch()
    code, said = result(ordered)
    assert code == 0, said


def swapped_by_two_switchers(world: World) -> None:
    """Kill the switcher once it has begun the move."""
    ordered = order(world, "swap", "--to", "b")
    world.wait(lambda: hold_stands(world, "one"), "the hold", 60)
    boot = kill(world, "account-switcher")
    world.wait(lambda: back(world, "account-switcher", boot), "another switcher")
    (world.root / "gate").touch()
    code, said = result(ordered)
    assert code == 0, said


def crashed(world: World) -> None:
    """Kill the tmux server, and the session with it: it comes back by itself."""
    was, session = tmux_server(world), pids(world)["one"]
    process.send_signal(was, signal.SIGKILL)
    world.wait(lambda: not process.alive(session), "the end of the session")
    world.wait(lambda: restored(world) == ["done"], "the session brought back", 60)
    assert tmux_server(world) != was and pids(world)["one"] != session
    swapped(world)


def upgraded(world: World) -> None:
    """Replace the daemon by another version of itself, from other files."""
    before = roles(world)
    world.cli("down")
    new = release(world.root / "other-version", "99.0.0")
    done = command(new, world.environment(), "up", "--wait", "60")
    assert done.returncode == 0, done.stderr
    now = roles(world)
    assert now.keys() == before.keys() and all(now[role][0] != before[role][0] for role in now)
    at = Path(f"/proc/{now['dispatcher'][1].pid}/cwd").readlink()
    assert at == new.resolve(), "the roles run from the other version's files"
    swapped(world)


def restored(world: World) -> list[str]:
    return [row["state"] for row in world.query("SELECT state FROM swaps WHERE kind = 'restore'")]


@pytest.mark.parametrize(
    "happens", [swapped, swapped_by_two_switchers, crashed, upgraded], ids=lambda one: one.__name__
)
def test_a_task_in_the_middle_of_its_work_survives(world: World, happens: Callable[[World], None]) -> None:
    queue = world.projects["app"] / ".agent-queue"
    begin(world)
    happens(world)
    file = queue / "done" / "nightly.result.json"
    world.wait(file.exists, "the task's result", 90)

    found: dict[str, Any] = json.loads(file.read_text())
    assert (found["outcome"], found["attempts"], found["accounts"]) == ("done", 1, ["a", "b"])
    left = sorted(str(one.relative_to(queue)) for one in queue.rglob("*") if one.is_file())
    assert left == ["done/nightly.md", "done/nightly.result.json", "status.json"]
    prompts = [row[0] for row in world.query("SELECT body FROM hook_calls WHERE hook = 'UserPromptSubmit'")]
    assert sum("[task 1, attempt 1]" in one for one in prompts) == 1 and not any("attempt 2" in one for one in prompts)
    steps = [step for name, step in ended(world) if name == "nightly"]
    if happens is crashed:
        said = texts(requests(world, "one")[-1])
        assert "was brought back" in said and "outcome is unknown" in said and "task 1 (attempt 1)" in said
        assert [step for step in steps if step > 1] == list(range(2, STEPS + 1)), "no whole step was done again"
    else:
        assert steps == list(range(1, STEPS + 1)), "every tool ran once"
        assert_nothing_lost(world)
