"""The bus rings, the live view looks. A thread of its own hears it; many rings in a moment are one look."""

from __future__ import annotations

import threading
from collections.abc import Callable

#: What the view does not show need not ring: hooks and checkpoints come by the dozen.
_TOPICS = ("operator.", "usage.read", "usage.swap-wanted", "account.", "session.", "swap.", "task.", "role.")
#: How long a ring waits for others, and how long during a swap, whose steps people watch (seconds).
_TOGETHER, _TOGETHER_IN_SWAP = 1.0, 0.3
#: How long the thread sleeps without any (milliseconds).
_SLEEP_MS = 250


class Doorbell:
    """Calls `ring`, in its thread, when the bus told of something; at most once a second, three times in a swap."""

    def __init__(self, endpoint: str, ring: Callable[[], None]) -> None:
        self._endpoint, self._ring = endpoint, ring
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="doorbell", daemon=True)

    def start(self) -> None:
        """Begin to listen; a bus that is not there yet is waited for."""
        self._thread.start()

    def stop(self) -> None:
        """Stop listening."""
        self._stop.set()
        self._thread.join(timeout=2 * _SLEEP_MS / 1000)

    def _listen(self) -> None:
        import zmq

        from failover.bus.subscriber import Subscriber
        from failover.events import topic

        subscriber = Subscriber(self._endpoint, _TOPICS)
        poller = zmq.Poller()
        for socket in subscriber.sockets:
            poller.register(socket, zmq.POLLIN)
        try:
            while not self._stop.is_set():
                if not poller.poll(_SLEEP_MS):
                    continue
                heard = subscriber.receive()
                if subscriber.take_gap() or heard:
                    self._ring()
                swapping = any(topic(one.event).startswith("swap.") for one in heard)
                self._stop.wait(_TOGETHER_IN_SWAP if swapping else _TOGETHER)
        finally:
            subscriber.close()
