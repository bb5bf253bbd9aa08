"""A role whose disk fails: from its second cycle on every fsync of this process ends with EIO, by a seccomp filter.

`python -m tests.faults.failing_fsync`. It writes an event in each cycle, and in the second one lets SQLite sync.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import struct
from collections.abc import Sequence

from failover.events import Envelope, RolesPaused
from failover.runtime import Host, run

#: (fsync, fdatasync), linux/asm/unistd.h.
CALLS = {"x86_64": (74, 75), "aarch64": (82, 83)}


def fail_every_fsync() -> None:
    """Let fsync and fdatasync of this process fail with EIO from now on (seccomp(2))."""
    load, equal, answer = 0x20, 0x15, 0x06  # BPF: load a word; jump if equal; return
    fail, allow = 0x00050000 | errno.EIO, 0x7FFF0000
    one, two = CALLS[platform.machine()]
    steps = [(load, 0, 0, 0), (equal, 2, 0, one), (equal, 1, 0, two), (answer, 0, 0, allow), (answer, 0, 0, fail)]
    code = b"".join(struct.pack("HBBI", *step) for step in steps)
    buffer = ctypes.create_string_buffer(code)
    program = struct.pack("HxxxxxxQ", len(steps), ctypes.addressof(buffer))
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.prctl(38, 1, 0, 0, 0) == 0  # PR_SET_NO_NEW_PRIVS
    assert libc.prctl(22, 2, ctypes.c_char_p(program), 0, 0) == 0, ctypes.get_errno()  # PR_SET_SECCOMP, a filter


class Failing:
    """Writes, and meets the failing disk."""

    name = "tiny"
    topics: tuple[str, ...] = ()

    def __init__(self, host: Host) -> None:
        self._host = host
        self._cycles = 0

    def cycle(self, heard: Sequence[Envelope]) -> str:
        self._cycles += 1
        if self._cycles == 2:
            fail_every_fsync()
        with self._host.store.transaction() as tx:
            tx.emit(RolesPaused(by=f"cycle {self._cycles}"))
        if self._cycles == 2:
            self._host.store.one("PRAGMA wal_checkpoint(PASSIVE)")
        return f"cycle {self._cycles}"

    def wake_after(self) -> float:
        return 0.05

    def descriptors(self) -> Sequence[int]:
        return ()

    def close(self) -> None:
        """Hold nothing."""


if __name__ == "__main__":
    run("tiny", Failing)
