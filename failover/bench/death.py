"""How soon the death of a session's process is an event on the bus."""

from __future__ import annotations

import os
import select
import signal
import statistics
import subprocess
import time
from pathlib import Path

import msgspec

from failover.bench.result import Row, row, worst_but_one_percent
from failover.events import Envelope, SessionDied
from failover.host import process
from failover.host.process import ProcessId
from failover.sim.bus_witness import BusWitness
from failover.sim.world import World

_SESSIONS = 5


def death(real: Path | None, trials: int) -> list[Row]:
    """Kill the process of idle sessions, one after another, and measure until a listener hears `session.died`.

    A bare pidfd in this process, polled for the death of a child, is what the kernel itself takes.
    """
    bare = [_bare() for _ in range(20)]
    names = {f"ccl-{number}": "app" for number in range(_SESSIONS)}
    # A crashed session is started again neither by us nor by anybody else while this is measured.
    with World(real=real, accounts=("a",), sessions=names) as world:
        world.api.control(chunk_delay=0)
        world.up()
        bus = BusWitness(world, "session.died")
        waits: list[float] = []
        for _ in range(max(2, -(-(trials + 1) * 4 // _SESSIONS))):
            world.launch()
            waits += [_one(world, bus, name) for name in names]
        bus.stop()
    kernel = statistics.median(bare) * 1000
    waits = [wait * 1000 for wait in waits[1:]]
    return [
        row(f"session death to event, p50 (a bare pidfd: {kernel:.2f} ms)", statistics.median(waits), "ms", None, 5.0),
        row(f"session death to event, p99 of {len(waits)}", worst_but_one_percent(waits), "ms", None, 5.0),
    ]


def _one(world: World, bus: BusWitness, name: str) -> float:
    placement = world.placement(name)
    world.wait(lambda: _resting(world), "the watcher at rest")
    known = len(bus.heard)
    began = time.time()
    process.send_signal(ProcessId(placement.pid, placement.start), signal.SIGKILL)
    world.wait(lambda: len(bus.heard) > known, f"the death of {name}")
    told = msgspec.json.decode(bus.frames[known], type=Envelope).event
    assert isinstance(told, SessionDied) and told.pid == placement.pid, told
    return bus.heard[known] - began


def _resting(world: World) -> bool:
    """Say whether nothing was said for a tenth of a second: what is measured is a host at rest, and then a death."""
    newest = world.query("SELECT max(at_ms) AS at_ms FROM events")[0]["at_ms"] or 0
    return time.time() * 1000 - newest > 100


def _bare() -> float:
    child = subprocess.Popen(["sleep", "600"])
    one = process.identify(child.pid)
    assert one is not None
    descriptor = process.open_pidfd(one)
    assert descriptor is not None
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    began = time.perf_counter()
    child.kill()
    poll.poll()
    took = time.perf_counter() - began
    child.wait()
    os.close(descriptor)
    return took
