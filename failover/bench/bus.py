"""What the bus carries, and how soon an event is in a role's hands."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import zmq

from failover.bench.effort import Effort
from failover.bench.result import Row, row, worst_but_one_percent
from failover.bus.publisher import Publisher
from failover.events import Envelope, Swept, encode
from failover.sim.world import World

#: What one run sends. It fits into the queues on the way (HIGH_WATER_MARK, BACKLOG): nothing of it may be dropped.
_COUNT = 9_000
#: For each trial so many turns of sending it, and one of so many single events.
_TURNS, _EVENTS = 4, 100


def bus(effort: Effort) -> list[Row]:
    """Send through the running bus: with our publisher and subscriber, and with pyzmq alone; the two take turns.

    Both send the same bytes from one process to another. Then single events, in turns to a process that runs the roles'
    shell and to a loop of pyzmq alone.
    """
    with World(accounts=("a",)) as world:
        world.up()
        ours, raw, bare, waits = [], [], list[float](), list[float]()
        # A run lasts a twentieth of a second, and the machine is faster and slower by the second: many short turns.
        for _ in range(_TURNS * effort.trials + 1):
            raw.append(_rate(world, "raw"))
            ours.append(_rate(world, "ours"))
        for _ in range(effort.trials):
            bare += latency(world, effort.size(_EVENTS, 50), "single")
            waits += latency(world, effort.size(_EVENTS, 50))
    return [
        row("bus, events each second, against pyzmq alone", statistics.median(ours[1:]), "1/s",
            statistics.median(raw[1:]), 0.85, least=True),
        row("event to handler, p50", statistics.median(waits), "ms", None, 1.0),
        row("event to handler, p99", worst_but_one_percent(waits), "ms", None, 10.0),
        row("event to handler against pyzmq alone, p50", statistics.median(waits), "ms", statistics.median(bare), 1.5),
    ]  # fmt: skip


def _envelope(number: int) -> Envelope:
    event = Swept(what="nothing; a benchmark", count=number)
    return Envelope(id=number, source="bench", boot="bench", seq=number, at_ms=int(time.time() * 1000), event=event)


def _listener(world: World, way: str, count: int) -> subprocess.Popen[str]:
    """Start the other process; it says when it listens."""
    found = subprocess.Popen(
        [sys.executable, "-m", "failover.bench.bus_listener", way, world.config.paths.bus_out, str(count)],
        stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        env=world.environment(),
        cwd=Path(__file__).resolve().parents[2],
    )
    _line(found)
    return found


def _line(listener: subprocess.Popen[str]) -> str:
    assert listener.stdout is not None
    line = listener.stdout.readline()
    assert line, "the listener ended"
    return line.strip()


def _rate(world: World, way: str) -> float:
    """Return events each second, from the first one sent to the last one received."""
    listener = _listener(world, way, _COUNT)
    try:
        began = time.monotonic()
        if way == "raw":
            _send_raw(world.config.paths.bus_in, [encode(_envelope(number)) for number in range(1, _COUNT + 1)])
            began = float(_line(listener))  # the first one's arrival: connecting is not what is measured
        else:
            publisher = Publisher(world.config.paths.bus_in)
            publisher.send([_envelope(number) for number in range(1, _COUNT + 1)])
            while publisher.waiting:
                publisher.socket.poll(10)
                publisher.pump()
            began = float(_line(listener))
            publisher.close(within=2)
        ended = float(_line(listener))
    finally:
        listener.kill()
        listener.wait()
    return (_COUNT - 1) / (ended - began)


def _send_raw(endpoint: str, frames: Sequence[tuple[bytes, bytes]]) -> None:
    socket: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.XPUB)
    socket.setsockopt(zmq.SNDHWM, len(frames) + 1)
    socket.setsockopt(zmq.XPUB_NODROP, 1)
    socket.connect(endpoint)
    while socket.recv()[:1] != b"\x01":
        pass
    for pair in frames:
        socket.send_multipart(pair)
    socket.close(linger=2000)


def latency(world: World, count: int, way: str = "role") -> list[float]:
    """Return milliseconds from an event's sending to the call of a role's `cycle` with it, of so many events; with
    "single" to a loop of pyzmq alone."""
    role = _listener(world, way, count)
    publisher = Publisher(world.config.paths.bus_in)
    sent: dict[int, float] = {}
    try:
        # The bus has to know both before the first one counts.
        number = 0
        while not _heard(role):
            number -= 1
            publisher.send([_envelope(number)])
            publisher.socket.poll(50)
        for number in range(1, count + 1):
            time.sleep(0.005)
            sent[number] = time.monotonic()
            publisher.send([_envelope(number)])
        got: dict[int, float] = {}
        while len(got) < count:
            which, at = _line(role).split()
            if int(which) > 0:
                got[int(which)] = float(at)
    finally:
        publisher.close()
        role.kill()
        role.wait()
    return [(got[number] - sent[number]) * 1000 for number in sent]


def _heard(role: subprocess.Popen[str]) -> bool:
    """Say whether the role has said anything."""
    import select

    assert role.stdout is not None
    return bool(select.select([role.stdout], [], [], 0)[0])
