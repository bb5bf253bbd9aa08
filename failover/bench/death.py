"""How soon the death of a session's process is an event on the bus."""

from __future__ import annotations

import os
import select
import signal
import statistics
import subprocess
import time

import msgspec

from failover.bench.effort import Effort
from failover.bench.result import Row, row, worst_but_one_percent
from failover.events import Envelope, SessionDied
from failover.host import process
from failover.host.process import ProcessId
from failover.sim.bus_witness import BusWitness
from failover.sim.world import World

_SESSIONS = 5


def death(effort: Effort) -> list[Row]:
    """Kill the process of idle sessions, one after another, and measure until a listener hears `session.died`.

    A bare pidfd in this process, polled for the death of a child, is what the kernel itself takes.
    """
    bare = [_bare() for _ in range(20)]
    count = effort.size(_SESSIONS, 2)
    names = {f"ccl-{number}": "app" for number in range(count)}
    # A crashed session is started again neither by us nor by anybody else while this is measured.
    with World(real=effort.real, accounts=("a",), sessions=names) as world:
        world.api.control(chunk_delay=0)
        world.up()
        bus = BusWitness(world, "session.died")
        waits: list[float] = []
        for _ in range(effort.size(max(2, -(-(effort.trials + 1) * 4 // count)), 1)):
            world.launch()
            for name in names:
                world.wait(lambda: _resting(world), "the watcher at rest")
                waits.append(one(world, bus, name))
        bus.stop()
    kernel = statistics.median(bare) * 1000
    waits = waits[1:]
    return [
        row(
            "session death to event, p50",
            statistics.median(waits),
            "ms",
            None,
            5.0,
            note=f"a bare pidfd: {kernel:.2f} ms",
        ),
        row("session death to event, p99", worst_but_one_percent(waits), "ms", None, 5.0, note=f"of {len(waits)}"),
    ]


def one(world: World, bus: BusWitness, name: str) -> float:
    """Kill the process of a session; return the milliseconds until a listener has heard of it."""
    placement = world.placement(name)
    known = len(bus.heard)
    began = time.time()
    process.send_signal(ProcessId(placement.pid, placement.start), signal.SIGKILL)

    def heard() -> float | None:
        told = zip(bus.heard[known:], bus.frames[known:], strict=False)
        return next((at for at, frame in told if _pid(frame) == placement.pid), None)

    at = world.wait(heard, f"the death of {name}")
    assert at is not None
    return (at - began) * 1000


def _pid(frame: bytes) -> int:
    event = msgspec.json.decode(frame, type=Envelope).event
    assert isinstance(event, SessionDied), event
    return event.pid


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
