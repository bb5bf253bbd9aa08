"""How soon a role that was killed is at work again."""

from __future__ import annotations

import signal
import statistics
import time

from failover.bench.effort import Effort
from failover.bench.result import Row, row
from failover.host import process
from failover.host.daemon import ROLES
from failover.host.process import ProcessId
from failover.sim.world import World


def recovery(effort: Effort) -> list[Row]:
    """Kill each role with SIGKILL, one after another; measure until a process of its own, new one has reported."""
    took: dict[str, list[float]] = {role: [] for role in effort.size(ROLES, ("dispatcher",))}
    with World(accounts=("a",), sessions={"ccl-0": "app"}) as world:
        world.up()
        for _ in range(max(1, effort.trials // 2)):
            for role in took:
                took[role].append(_again(world, role))
    slowest = max(took, key=lambda role: max(took[role]))
    every = [value for values in took.values() for value in values]
    return [
        row("a role killed to at work again, p50", statistics.median(every), "s", None, 2.5),
        row("a role killed to at work again, worst", max(every), "s", None, 2.5, note=slowest),
    ]


def _again(world: World, role: str) -> float:
    def reported() -> ProcessId | None:
        rows = world.query("SELECT pid, start FROM roles WHERE role = ?", role)
        return ProcessId(rows[0]["pid"], rows[0]["start"]) if rows else None

    old = reported()
    assert old is not None and process.alive(old), f"{role} does not run"
    # supervisord takes one that ends within a second of its start for one that cannot start.
    world.wait(lambda: world.query("SELECT 1 FROM events WHERE type = 'role.started' AND source = ? AND at_ms < ?",
                                   role, int((time.time() - 2) * 1000)), f"{role} settled")  # fmt: skip
    began = time.monotonic()
    process.send_signal(old, signal.SIGKILL)
    world.wait(lambda: (now := reported()) is not None and now != old and process.alive(now), f"{role} again")
    return time.monotonic() - began
