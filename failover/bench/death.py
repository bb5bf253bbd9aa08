"""How soon the death of a session's process is an event on the bus."""

from __future__ import annotations

import os
import select
import signal
import statistics
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

    The kernel takes its time to end a process, and tells everybody at once who holds a pidfd of it: this one too.
    """
    count = effort.size(_SESSIONS, 2)
    names = {f"ccl-{number}": "app" for number in range(count)}
    # A crashed session is started again neither by us nor by anybody else while this is measured.
    with World(real=effort.real, accounts=("a",), sessions=names) as world:
        world.api.control(chunk_delay=0)
        world.up()
        bus = BusWitness(world, "session.died")
        waits: list[tuple[float, float]] = []
        for _ in range(effort.size(max(2, -(-(effort.trials + 1) * 4 // count)), 1)):
            world.launch()
            for name in names:
                world.wait(lambda: _resting(world), "the watcher at rest")
                waits.append(one(world, bus, name))
        bus.stop()
    told, gone = ([wait[part] for wait in waits[1:]] for part in (0, 1))
    kernel = f"of {len(told)}; the kernel's own part: {statistics.median(gone):.1f}"
    return [
        row("session death to event, p50", statistics.median(told), "ms", None, 5.0, note=kernel),
        row("session death to event, p99", worst_but_one_percent(told), "ms", None, 5.0, note=f"of {len(told)}"),
    ]


def one(world: World, bus: BusWitness, name: str) -> tuple[float, float]:
    """Kill the process of a session; return the milliseconds until a listener has heard of it, and those until the
    kernel has let this process know."""
    placement = world.placement(name)
    victim, known = ProcessId(placement.pid, placement.start), len(bus.heard)
    descriptor = process.open_end(victim)
    assert descriptor is not None, f"{name} is dead already"
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    began = time.time()
    process.send_signal(victim, signal.SIGKILL)
    poll.poll()
    gone = time.time()
    os.close(descriptor)

    def heard() -> float | None:
        told = zip(bus.heard[known:], bus.frames[known:], strict=False)
        return next((at for at, frame in told if _pid(frame) == placement.pid), None)

    at = world.wait(heard, f"the death of {name}")
    assert at is not None
    return (at - began) * 1000, (gone - began) * 1000


def _pid(frame: bytes) -> int:
    event = msgspec.json.decode(frame, type=Envelope).event
    assert isinstance(event, SessionDied), event
    return event.pid


def _resting(world: World) -> bool:
    """Say whether nothing was said for a tenth of a second: what is measured is a host at rest, and then a death."""
    newest = world.query("SELECT max(at_ms) AS at_ms FROM events")[0]["at_ms"] or 0
    return time.time() * 1000 - newest > 100
