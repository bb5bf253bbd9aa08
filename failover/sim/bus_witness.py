"""A listener of our own on the bus, in a dozen lines of pyzmq: when was it said?"""

from __future__ import annotations

import threading
import time

import zmq

from failover.sim.world import World


class BusWitness:
    """Notes when envelopes of a topic came by. heard: epoch seconds; frames: what they held."""

    def __init__(self, world: World, topic: str) -> None:
        self.heard: list[float] = []
        self.frames: list[bytes] = []
        self._topic, self._stop = topic, threading.Event()
        self._thread = threading.Thread(target=self._listen, args=(world.config.paths.bus_out,), daemon=True)
        self._thread.start()

    def _listen(self, endpoint: str) -> None:
        socket: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.SUB)
        socket.connect(endpoint)
        socket.subscribe(self._topic)
        while not self._stop.is_set():
            if socket.poll(100):
                frames = socket.recv_multipart()
                self.frames.append(frames[-1])
                self.heard.append(time.time())
        socket.close(linger=0)

    def stop(self) -> None:
        """Stop listening."""
        self._stop.set()
        self._thread.join(timeout=5)
