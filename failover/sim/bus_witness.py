"""A listener of our own on the bus, in a dozen lines of pyzmq: when was it said?

It is a process of its own, as other listeners are: in one interpreter with a fake API that serves a hundred sessions it
heard up to 9 ms late (measured).
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time

import zmq

from failover.sim.world import World


class BusWitness:
    """Notes when envelopes of a topic came by. heard: epoch seconds; frames: what they held."""

    def __init__(self, world: World, topic: str) -> None:
        self.heard: list[float] = []
        self.frames: list[bytes] = []
        self._listener = subprocess.Popen(
            [sys.executable, "-m", "failover.sim.bus_witness", world.config.paths.bus_out, topic],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
        )
        assert self._listener.stdout is not None
        self._lines = self._listener.stdout
        said = self._lines.readline()
        assert said == b"connected\n", said
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        for line in self._lines:
            at, _, frame = line.rstrip(b"\n").partition(b" ")
            self.frames.append(frame)
            self.heard.append(float(at))

    def stop(self) -> None:
        """Stop listening."""
        self._listener.kill()
        self._listener.wait()
        self._thread.join(timeout=5)
        self._lines.close()


def _listen(endpoint: str, topic: str) -> None:
    """Print a line for each envelope: when it came, and its body, which is one line of JSON."""
    socket: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.SUB)
    socket.subscribe(topic)
    monitor = socket.get_monitor_socket(zmq.EVENT_HANDSHAKE_SUCCEEDED)
    socket.connect(endpoint)
    monitor.recv_multipart()
    out, parent = sys.stdout.buffer, os.getppid()
    out.write(b"connected\n")
    out.flush()
    while os.getppid() == parent:
        if socket.poll(1000):
            frames = socket.recv_multipart()
            out.write(b"%.6f %s\n" % (time.time(), frames[-1]))
            out.flush()


if __name__ == "__main__":
    _listen(sys.argv[1], sys.argv[2])
