"""The daemon itself: how soon it is ready, and what it takes of the machine while nobody works."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence

import psutil

from failover.bench.effort import Effort
from failover.bench.result import Row, row
from failover.host import daemon
from failover.host.kernel import kernel
from failover.sim.world import World

_SIZES = (0, 20, 100)
_MIB = 2**20


def up(effort: Effort) -> list[Row]:
    """Measure `claude-failover up` from its call to its return, with all roles ready."""
    took = []
    with World(accounts=("a",)) as world:
        for _ in range(effort.size(effort.trials, 0) + 1):
            began = time.monotonic()
            world.up()
            took.append(time.monotonic() - began)
            world.cli("down")
    return [row("up to all ready, p50", statistics.median(took[1:] or took), "s", None, 3.0)]


def idle(effort: Effort) -> list[Row]:
    """Measure memory and CPU of supervisord and all roles while no session works for so many seconds, and
    how the store grows meanwhile."""
    rows: list[Row] = []
    for size in effort.size(_SIZES, (1,)):
        names = {f"ccl-{number}": "app" for number in range(size)}
        with World(real=effort.real, accounts=("a", "b"), sessions=names or {"ccl-0": "app"}) as world:
            world.up()
            for first in range(0, size, 10):
                world.launch(*list(names)[first : first + 10])
            rests = effort.size(5.0, 0.5)
            world.wait(lambda world=world, rests=rests: _quiet(world, rests), "nothing being said", 120)  # type: ignore[misc]
            rows += _rest(world, size, effort.seconds)
    return rows


def _quiet(world: World, rests: float) -> bool:
    newest = world.query("SELECT max(at_ms) AS at_ms FROM events")[0]["at_ms"] or 0
    return time.time() * 1000 - newest > rests * 1000


def _rest(world: World, size: int, seconds: float) -> list[Row]:
    running = processes(world)
    before, held = cpu(running), stored(world)
    began = time.monotonic()
    time.sleep(seconds)  # this is the measurement
    watched = time.monotonic() - began
    used, grown = cpu(running) - before, stored(world) - held
    memory = sum(kernel.proportional(one.pid) or 0 for one in running)
    with_sessions = f"{size} sessions"
    # What is promised is of 20 sessions; of 100 at most twice that.
    more = 2 if size > 20 else 1
    return [
        row(f"daemon at rest, memory, {with_sessions}", memory / _MIB, "MiB PSS", None, 150.0 * more),
        row(f"daemon at rest, CPU, {with_sessions}", 100 * used / watched, "% of a core", None, 1.0 * more),
        row(f"store, growth at rest, {with_sessions}", grown * 86400 / watched / _MIB, "MiB/day", None, 50.0 * more),
    ]


def processes(world: World) -> list[psutil.Process]:
    """Return supervisord and all roles, but not the programs that a role happens to run."""
    supervisor = daemon.find(world.config.paths)
    assert supervisor is not None
    top = psutil.Process(supervisor.pid)
    return [top, *top.children()]


def cpu(processes: Sequence[psutil.Process]) -> float:
    """Return the processor time that they have taken themselves (seconds)."""
    return sum(sum(one.cpu_times()[:2]) for one in processes)


def stored(world: World) -> int:
    """Return how many bytes of the store hold something."""
    pages = world.query("PRAGMA page_count")[0][0] - world.query("PRAGMA freelist_count")[0][0]
    return int(pages) * int(world.query("PRAGMA page_size")[0][0])
