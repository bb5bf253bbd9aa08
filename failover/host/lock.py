"""File locks that say who holds them.

The lock is the kernel's (flock): it goes when its process goes, however it went, and a file left behind by a power
loss locks nobody out. The lock file is never unlinked: that would let two processes lock two files of one name.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from types import TracebackType

import filelock
import msgspec

from failover.errors import HostError
from failover.host.process import ProcessId, alive, identify


class RoleLock:
    """One lock file; at most one process on the host holds it. The holder's pid and start stand beside it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._beside = path.with_name(f"{path.name}.holder")
        # fallback_to_soft: a lock file that survives its holder would be taken for a held lock.
        self._lock = filelock.FileLock(path, mode=0o600, thread_local=False, fallback_to_soft=False)

    def acquire(self, wait: float = 0.0) -> None:
        """Take the lock, waiting up to `wait` seconds. Raises HostError naming the holder's pid and the path."""
        try:
            self._lock.acquire(timeout=wait, poll_interval=0.02)
        except filelock.Timeout:
            holder = self.holder()
            who = f"process {holder.pid}" if holder else "a process that did not leave its number"
            raise HostError(f"{self.path}: held by {who}; only one may run at a time, so end that one first") from None
        except OSError as error:
            raise HostError(f"{self.path}: cannot be locked: {error.strerror or error}") from None
        own = identify(os.getpid())
        assert own is not None
        # Only the holder writes it, so one name will do: what a kill left there is written over. It is for people to
        # read: a disk that is full must not keep the lock from its holder.
        temporary = self._beside.with_name(f"{self._beside.name}.part")
        try:
            temporary.write_bytes(msgspec.json.encode(own))
            temporary.rename(self._beside)
        except OSError:
            with contextlib.suppress(OSError):
                temporary.unlink()

    def holder(self) -> ProcessId | None:
        """Return the live process that last noted itself as holder, if there is one."""
        try:
            noted = msgspec.json.decode(self._beside.read_bytes(), type=ProcessId)
        except (OSError, msgspec.MsgspecError):
            return None
        return noted if alive(noted) else None

    def release(self) -> None:
        """Let the lock go; the files stay."""
        self._lock.release()

    def __enter__(self) -> RoleLock:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
