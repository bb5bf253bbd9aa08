"""A bus in a process of its own, and a listener that knows when the bus forwards to it."""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import zmq

from failover.bus.publisher import Publisher
from failover.bus.subscriber import Subscriber
from failover.events import Envelope, RoleStarted
from failover.paths import Paths
from tests.waiting import wait_for

_SERVE = """
import sys, time
from pathlib import Path
from failover.bus.proxy import Proxy
from failover.paths import Paths
proxy = Proxy(Paths(Path(sys.argv[1])))
print("serving", flush=True)
time.sleep(60)
"""


@contextmanager
def bus_process(paths: Paths) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-c", _SERVE, str(paths.state_dir)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"serving\n"
        yield process
        process.kill()


def envelope(seq: int, source: str = "dispatcher", boot: str = "b1") -> Envelope:
    return Envelope(id=seq, source=source, boot=boot, seq=seq, at_ms=0, event=RoleStarted(role=source, pid=seq))


class Choices:
    """What the bus passes on to publishers of what its listeners choose (+) and drop (-)."""

    def __init__(self, paths: Paths) -> None:
        self._socket: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.XPUB)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.connect(paths.bus_in)
        self._said: list[str] = []

    def wait_for(self, choice: str) -> None:
        """Wait until the bus knows of one."""
        wait_for(lambda: choice in self._heard(), what=choice)

    def _heard(self) -> list[str]:
        while self._socket.poll(0):
            frame = self._socket.recv()
            self._said.append(("+" if frame[0] else "-") + frame[1:].decode(errors="replace"))
        return self._said


_probes = itertools.count(1)


class Listener:
    """A subscriber with all that it has heard, by source."""

    def __init__(self, paths: Paths, *topics: str) -> None:
        self.subscriber = Subscriber(paths.bus_out, topics or ("",))
        self.heard: list[Envelope] = []

    def numbers(self, source: str = "dispatcher") -> list[int]:
        """Return the numbers heard so far from a source."""
        self.heard += self.subscriber.receive()
        return [envelope.seq for envelope in self.heard if envelope.source == source]

    def tune_in(self, paths: Paths) -> None:
        """Wait until the bus forwards to this listener; then nothing counts as missed."""
        probe, name = Publisher(paths.bus_in), f"probe-{next(_probes)}"
        for number in itertools.count(1):
            probe.send([envelope(number, name)])
            if self.subscriber.socket.poll(20) and self.numbers(name):
                break
        wait_for(lambda: probe.pump() or number in self.numbers(name), what="the last probe")  # type: ignore[func-returns-value]
        probe.close()
        self.subscriber.take_gap()
