"""What the store grows by: for a task, for a move, for an hour of rest, and so for a day of a session."""

from __future__ import annotations

import time

from failover.bench.daemon import stored
from failover.bench.effort import Effort
from failover.bench.result import Row, row
from failover.sim.demo import drop_task, finished
from failover.sim.world import World

_SESSIONS, _TASKS = 10, 100
#: A task of so many tool calls, each with its hooks.
_STEPS = 10
#: A day of a session that has always something to do: a task every half an hour, and each account is left in turn.
_TASKS_A_DAY, _MOVES_A_DAY = 48, 5


def store(effort: Effort) -> list[Row]:
    """Play tasks, swaps and a while of rest, and count the pages of the store that hold something after each.

    The day is not played: it is these three, times how often they come in a day of a busy session. Nothing is deleted
    meanwhile; what is older than the `retention` of the configuration goes, so the store does not grow for ever.
    """
    count, tasks = effort.size(_SESSIONS, 2), effort.size(_TASKS, 2)
    steps, rest = effort.size(_STEPS, 2), min(effort.seconds, 60.0)
    names = {f"ccl-{number}": "app" for number in range(count)}
    with World(
        real=effort.real, accounts=("a", "b"), sessions=names, failover={"cooldown": "0s", "fail_back": False}
    ) as world:
        world.api.control(chunk_delay=0)
        world.up()
        world.launch(account="a")
        # The first of each kind find tables that have no page yet, and are not counted.
        _work(world, [f"first-{number}" for number in range(count)], steps)
        _swap(world, "b")
        sizes = [stored(world)]
        _work(world, [f"task-{number}" for number in range(tasks)], steps)
        sizes.append(stored(world))
        for trial in range(effort.trials):
            _swap(world, "ab"[trial % 2])
        sizes.append(stored(world))
        time.sleep(rest)  # this is measured
        sizes.append(stored(world))
    task = (sizes[1] - sizes[0]) / tasks / 1024
    move = (sizes[2] - sizes[1]) / (effort.trials * count) / 1024
    hour = (sizes[3] - sizes[2]) / count / 1024 * 3600 / rest
    day = (task * _TASKS_A_DAY + move * _MOVES_A_DAY + hour * 24) / 1024
    mix = f"{_TASKS_A_DAY} tasks, {_MOVES_A_DAY} moves, a day of rest"
    return [
        row("store, growth for a task of ten tool calls", task, "KiB", None, 64.0),
        row("store, growth for a move", move, "KiB", None, 64.0),
        row("store, growth for an hour of a session at rest", hour, "KiB", None, 64.0),
        row("store, growth for a day of a session", day, "MiB", None, 5.0, note=mix),
    ]


def _work(world: World, names: list[str], steps: int) -> None:
    for name in names:
        drop_task(world, "app", name, steps, 0.0)
    world.wait(lambda: len(finished(world, names)) == len(names), "the tasks done", 300)
    _settle(world)


def _swap(world: World, target: str) -> None:
    world.cli("swap", "--to", target)
    _settle(world)


def _settle(world: World) -> None:
    """Wait until nothing was said for a second: what belongs to what was done is in the store."""
    world.wait(lambda: all(world.state_of(name) == "idle" for name in world.sessions), "all sessions idle", 60)
    newest = "SELECT max(at_ms) FROM events"
    world.wait(lambda: time.time() * 1000 - world.query(newest)[0][0] > 1000, "nothing being said", 60)
