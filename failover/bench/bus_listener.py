"""The other end for the benchmark of the bus: `python -m failover.bench.bus_listener WAY ENDPOINT COUNT`.

WAY raw and ours: prints a line when it listens, then the monotonic times of the first and of the last arrival. role: a
role of the real shell, which prints for each event that it is called with its number and the monotonic time. single: a
loop of pyzmq alone, which prints the same.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

import zmq

from failover.bus.proxy import HIGH_WATER_MARK
from failover.bus.subscriber import Subscriber
from failover.events import Envelope, Swept, decode
from failover.runtime import Host, run


def _say(line: object) -> None:
    print(line, flush=True)


def _raw(endpoint: str, count: int) -> None:
    socket: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.SUB)
    socket.setsockopt(zmq.RCVHWM, HIGH_WATER_MARK)
    monitor = socket.get_monitor_socket(zmq.EVENT_HANDSHAKE_SUCCEEDED)
    socket.connect(endpoint)
    socket.subscribe("janitor.")
    monitor.recv_multipart()
    time.sleep(0.1)  # until the subscription is with the bus
    _say("ready")
    for number in range(count):
        socket.recv_multipart()
        if number == 0:
            _say(time.monotonic())
    _say(time.monotonic())


def _single(endpoint: str) -> None:
    socket: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.SUB)
    socket.connect(endpoint)
    socket.subscribe("janitor.")
    _say("ready")
    while True:
        frames = socket.recv_multipart()
        at = time.monotonic()
        event = decode(frames[1]).event
        if isinstance(event, Swept):
            _say(f"{event.count} {at}")


def _ours(endpoint: str, count: int) -> None:
    subscriber = Subscriber(endpoint, ("janitor.",))
    poller = zmq.Poller()
    for socket in subscriber.sockets:
        poller.register(socket, zmq.POLLIN)
    while not subscriber.take_gap():
        poller.poll(100)
        subscriber.receive()
    time.sleep(0.1)
    _say("ready")
    got = 0
    while got < count:
        poller.poll()
        heard = len([one for one in subscriber.receive() if one.source == "bench"])
        if heard and not got:
            _say(time.monotonic())
        got += heard
    _say(time.monotonic())


class _Echo:
    """Says what it is called with."""

    name = "bench"
    topics: tuple[str, ...] = ("janitor.",)

    def __init__(self, host: Host) -> None:
        _say("ready")

    def cycle(self, heard: Sequence[Envelope]) -> str:
        at = time.monotonic()
        for envelope in heard:
            if isinstance(envelope.event, Swept) and envelope.source == "bench":
                _say(f"{envelope.event.count} {at}")
        return ""

    def wake_after(self) -> float:
        return 5.0

    def descriptors(self) -> Sequence[int]:
        return ()

    def close(self) -> None:
        pass


if __name__ == "__main__":
    way, where, wanted = sys.argv[1], sys.argv[2], int(sys.argv[3])
    if way == "role":
        run("bench", _Echo)
    elif way == "single":
        _single(where)
    else:
        (_raw if way == "raw" else _ours)(where, wanted)
