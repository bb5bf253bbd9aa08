"""A role for tests of the shell: `python -m tests.tiny_role NAME WAY`. It says whom it has heard and whom it sees.

Ways: plain; stumble (a HostError in each of its first two cycles); crash (an error that nobody expected); wake (a pipe
of its own wakes it); rest (it rests for an hour, unless its FIFO wakes it); settle (what it hears waits for an hour,
unless its FIFO wakes it); late (what it hears waits for a fifth of a second).
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence

from failover.errors import HostError
from failover.events import Envelope
from failover.runtime import Host, run


class Tiny:
    """Hears of other roles' starts, and looks for them."""

    name = sys.argv[1]
    topics: tuple[str, ...] = ("role.started",)

    def __init__(self, host: Host) -> None:
        self._host = host
        self._way = sys.argv[2]
        self._cycles = 0
        self._woken = 0
        self._heard: list[str] = []
        fifo = os.environ.get("TINY_FIFO")
        self._pipe = (os.open(fifo, os.O_RDWR), os.open(fifo, os.O_RDWR)) if fifo else os.pipe()
        os.set_blocking(self._pipe[0], False)
        if self._way == "wake":
            os.write(self._pipe[1], b"x")

    def cycle(self, heard: Sequence[Envelope]) -> str:
        self._cycles += 1
        self._heard += [envelope.source for envelope in heard if envelope.source != self.name]
        if self._way == "stumble" and self._cycles <= 2:
            raise HostError(f"stumbled over stone {self._cycles}")
        if self._way == "crash" and self._cycles == 2:
            raise ZeroDivisionError("with token=abcdefgh")
        if self._way in ("wake", "rest", "settle") and self._cycles >= 2:
            with contextlib.suppress(BlockingIOError):
                self._woken += len(os.read(self._pipe[0], 10))
        seen = [row["role"] for row in self._host.store.query("SELECT role FROM roles ORDER BY role")]
        return f"Heard {self._heard}, sees {seen}, woken {self._woken}"

    def wake_after(self) -> float:
        return 0.2 if self._way == "crash" else 3600.0

    def descriptors(self) -> Sequence[int]:
        return (self._pipe[0],)

    def close(self) -> None:
        os.close(self._pipe[0])
        os.close(self._pipe[1])


if __name__ == "__main__":
    rest, settle = {"rest": (3600.0, 0.0), "settle": (0.0, 3600.0), "late": (0.0, 0.2)}.get(sys.argv[2], (0.0, 0.0))
    run(sys.argv[1], Tiny, rest=rest, settle=settle)
