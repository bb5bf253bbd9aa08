"""The bus: XSUB in, XPUB out, forwarded in C (`zmq.proxy_steerable`).

A second bind on an ipc path silently takes the path away from the first (measured), so a lock is taken before it. The
proxy itself chooses a subject that nobody has, so that every publisher learns at once that the bus is there; what its
listeners choose it passes on, and what nobody chose is not even sent.
"""

from __future__ import annotations

import threading

import zmq

from failover.events import MAX_FRAME
from failover.host.lock import RoleLock
from failover.paths import Paths

#: Envelopes kept for one listener that does not read; past it libzmq drops that listener's newest.
HIGH_WATER_MARK = 10_000
#: What the bus says of itself. A publisher is told of all choices in their order, and this is the last one.
BUS_IS_THERE, BUS_IS_GONE = b"\x01\xff", b"\x00\xff"


class Proxy:
    """The running bus of one state dir. Binds in the constructor (HostError when another bus holds the lock)."""

    def __init__(self, paths: Paths) -> None:
        self._lock = RoleLock(paths.locks_dir / "bus-endpoints.lock")
        self._lock.acquire(wait=1.0)
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._inward, self._outward = self._context.socket(zmq.XSUB), self._context.socket(zmq.XPUB)
        for socket in (self._inward, self._outward):
            socket.setsockopt(zmq.LINGER, 0)
            socket.setsockopt(zmq.MAXMSGSIZE, MAX_FRAME)  # a peer that sends more is disconnected
            socket.setsockopt(zmq.SNDHWM, HIGH_WATER_MARK)
            socket.setsockopt(zmq.RCVHWM, HIGH_WATER_MARK)
        self._inward.bind(paths.bus_in)
        self._outward.bind(paths.bus_out)
        self._inward.send(BUS_IS_THERE)
        name = f"inproc://steer-{id(self)}"
        self._steered, self._steering = self._context.socket(zmq.PAIR), self._context.socket(zmq.PAIR)
        self._steered.bind(name)
        self._steering.connect(name)
        self._thread = threading.Thread(target=self._forward, name="bus-proxy", daemon=True)
        self._thread.start()

    @property
    def running(self) -> bool:
        """Tell whether envelopes are being forwarded."""
        return self._thread.is_alive()

    def _forward(self) -> None:
        zmq.proxy_steerable(self._inward, self._outward, None, self._steered)

    def close(self) -> None:
        """Stop forwarding and let the endpoints and the lock go."""
        if self.running:
            self._steering.send(b"TERMINATE")
            self._thread.join()
        self._context.destroy(linger=0)
        self._lock.release()
