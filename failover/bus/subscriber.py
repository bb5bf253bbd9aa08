"""The way off the bus: envelopes, and whether some were missed.

A source numbers all its envelopes in one row. Who hears everything sees a gap in that. The bus gives a role only the
topics that it chose, which leaves it asleep while others are busy, and the numbers have holes: what it may have missed
it knows when it connects anew, and else it looks by itself within seconds, as every role does.
"""

from __future__ import annotations

from collections.abc import Sequence

import zmq

from failover.bus.proxy import HIGH_WATER_MARK
from failover.events import MAX_FRAME, BadFrame, Envelope, decode, subject

_RECONNECT_MS, _RECONNECT_MAX_MS = 20, 500
#: There are nine sources; whoever forges more must not fill the memory.
_MOST_SOURCES = 256
_MOST_AT_ONCE = 1000


class Subscriber:
    """Hears the subjects that start with one of `topics` ("": everything). The owner polls `sockets` and calls
    `receive` when one is readable. bad: frames that were no envelopes and were dropped."""

    def __init__(
        self, endpoint: str, topics: Sequence[str], context: zmq.Context[zmq.Socket[bytes]] | None = None
    ) -> None:
        self.bad = 0
        self._topics: tuple[str, ...] = ()
        self._last: dict[str, tuple[str, int]] = {}
        self._gap = False
        self._late = False  # whether everything is heard only since then: what came before is no gap
        self.socket = (context or zmq.Context.instance()).socket(zmq.SUB)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.setsockopt(zmq.MAXMSGSIZE, MAX_FRAME)
        self.socket.setsockopt(zmq.RCVHWM, HIGH_WATER_MARK)
        self.socket.setsockopt(zmq.RECONNECT_IVL, _RECONNECT_MS)
        self.socket.setsockopt(zmq.RECONNECT_IVL_MAX, _RECONNECT_MAX_MS)
        self.topics = tuple(topics)
        self._monitor = self.socket.get_monitor_socket(zmq.EVENT_HANDSHAKE_SUCCEEDED)
        self.socket.connect(endpoint)

    @property
    def topics(self) -> tuple[str, ...]:
        """Return what is heard. It may change at any time: what is new comes in a moment later."""
        return self._topics

    @topics.setter
    def topics(self, topics: tuple[str, ...]) -> None:
        if topics == self._topics:
            return
        for new in set(topics) - set(self._topics):
            self.socket.setsockopt(zmq.SUBSCRIBE, new.encode())
        for old in set(self._topics) - set(topics):
            self.socket.setsockopt(zmq.UNSUBSCRIBE, old.encode())
        if "" in topics and self._topics:
            self._late, self._last = True, {}
        self._topics = topics

    @property
    def sockets(self) -> tuple[zmq.Socket[bytes], ...]:
        """Return what to poll: the bus itself, and the news that it was connected to again."""
        return self.socket, self._monitor

    def receive(self) -> list[Envelope]:
        """Return what has arrived (at most 1,000 envelopes at a time), without waiting. Bad frames are counted."""
        while self._monitor.poll(0):
            self._monitor.recv_multipart()
            self._gap = True  # whatever was said before this connection was not heard
        heard: list[Envelope] = []
        everything = "" in self._topics
        for _ in range(_MOST_AT_ONCE):
            try:
                frames = self.socket.recv_multipart(zmq.DONTWAIT)
            except zmq.Again:
                break
            try:
                if len(frames) != 2:
                    raise BadFrame(f"{len(frames)} frames instead of 2")
                envelope = decode(frames[1])
            except BadFrame:
                self.bad += 1
                continue
            if everything:
                self._follow(envelope)
            # The frame that the bus chose by may have been forged.
            if everything or subject(envelope.event).startswith(self._topics):
                heard.append(envelope)
        return heard

    def take_gap(self) -> bool:
        """Tell, once, whether envelopes may have been missed: then look at everything."""
        gap, self._gap = self._gap, False
        return gap

    def close(self) -> None:
        """Stop hearing."""
        self.socket.disable_monitor()
        self.socket.close()

    def _follow(self, envelope: Envelope) -> None:
        first = (envelope.boot, envelope.seq - 1 if self._late else 0)
        boot, last = self._last.get(envelope.source, first)
        if envelope.seq != (last + 1 if boot == envelope.boot else 1):
            self._gap = True
        if envelope.source not in self._last and len(self._last) >= _MOST_SOURCES:
            self._last.clear()
            self._gap = True
        self._last[envelope.source] = (envelope.boot, envelope.seq)
