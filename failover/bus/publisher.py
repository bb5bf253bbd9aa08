"""The way onto the bus, without the slow joiner's loss.

A plain PUB socket drops what it sends before the bus has subscribed. An XPUB socket is told of each subscription, so
the publisher keeps its envelopes back until the bus is there, and again while it is away.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence

import zmq

from failover.bus.proxy import BUS_IS_GONE, BUS_IS_THERE
from failover.events import MAX_FRAME, Envelope, encode

#: Envelopes kept while the bus is away; the oldest go first, and listeners see the gap.
BACKLOG = 10_000
_RECONNECT_MS, _RECONNECT_MAX_MS = 20, 500


class Publisher:
    """Sends envelopes and never blocks. The owner polls `socket` and calls `pump` when it is readable."""

    def __init__(self, endpoint: str, context: zmq.Context[zmq.Socket[bytes]] | None = None) -> None:
        self.dropped = 0
        self._waiting: deque[tuple[bytes, bytes]] = deque()
        self._listening = False
        self.socket = (context or zmq.Context.instance()).socket(zmq.XPUB)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.setsockopt(zmq.MAXMSGSIZE, MAX_FRAME)
        self.socket.setsockopt(zmq.SNDHWM, BACKLOG)
        self.socket.setsockopt(zmq.XPUB_NODROP, 1)  # a full queue is an error to be seen, not a silent drop
        self.socket.setsockopt(zmq.IMMEDIATE, 1)  # a bus that went away takes its subscription with it
        self.socket.setsockopt(zmq.RECONNECT_IVL, _RECONNECT_MS)
        self.socket.setsockopt(zmq.RECONNECT_IVL_MAX, _RECONNECT_MAX_MS)
        self.socket.connect(endpoint)

    @property
    def waiting(self) -> int:
        """Return how many envelopes wait for the bus."""
        return len(self._waiting)

    def send(self, envelopes: Sequence[Envelope]) -> None:
        """Send envelopes in order, or keep them until the bus is there."""
        for envelope in envelopes:
            if len(self._waiting) == BACKLOG:
                self._waiting.popleft()
                self.dropped += 1
            self._waiting.append(encode(envelope))
        self.pump()

    def pump(self) -> None:
        """Learn whether the bus is there, and send what waits if it does."""
        while self.socket.poll(0, zmq.POLLIN):
            # Beside what the bus says of itself, it passes on what its listeners choose and drop.
            if (said := self.socket.recv()) in (BUS_IS_THERE, BUS_IS_GONE):
                self._listening = said == BUS_IS_THERE
        while self._listening and self._waiting:
            try:
                self.socket.send_multipart(self._waiting[0], zmq.DONTWAIT)
            except zmq.Again:
                return
            self._waiting.popleft()

    def close(self, within: float = 0.2) -> None:
        """Send what waits, trying for up to `within` seconds, and close."""
        until = time.monotonic() + within
        self.pump()
        while self._waiting and (left := until - time.monotonic()) > 0:
            self.socket.poll(int(min(left, 0.02) * 1000), zmq.POLLIN)
            self.pump()
        # What libzmq has taken over goes out in the background, for as long as the context is given to end.
        self.socket.close(linger=int(within * 1000))
