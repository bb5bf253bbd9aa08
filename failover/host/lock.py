"""File locks that say who holds them.

The lock is the kernel's (flock): it goes when its process goes, however it went, and a file left behind by a power
loss locks nobody out. The lock file is never unlinked: that would let two processes lock two files of one name.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from pathlib import Path
from types import TracebackType

import msgspec

from failover.errors import HostError
from failover.host.process import ProcessId, alive, identify

#: How often a lock that is waited for is tried (seconds).
_TRY_EVERY = 0.02


class RoleLock:
    """One lock file; at most one process on the host holds it. The holder's pid and start stand beside it.

    flock itself: the library for it loads asyncio, which costs each of nine roles 1.5 MiB for life and a start 50 ms.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._beside = path.with_name(f"{path.name}.holder")
        self._descriptor = -1

    def acquire(self, wait: float = 0.0) -> None:
        """Take the lock, waiting up to `wait` seconds. Raises HostError naming the holder's pid and the path."""
        until = time.monotonic() + wait
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)  # the shared tree may be new
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise HostError(f"{self.path}: cannot be locked: {error.strerror or error}") from None
        try:
            while not self._take(descriptor):
                if time.monotonic() >= until:
                    told = f"held by {self._who()}; only one may run at a time, so end that one first"
                    raise HostError(f"{self.path}: {told}")
                time.sleep(_TRY_EVERY)
        except HostError:
            os.close(descriptor)
            raise
        self._descriptor = descriptor
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

    def _take(self, descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as error:
            raise HostError(f"{self.path}: cannot be locked: {error.strerror or error}") from None
        return True

    def _who(self) -> str:
        holder = self.holder()
        return f"process {holder.pid}" if holder else "a process that did not leave its number"

    def holder(self) -> ProcessId | None:
        """Return the live process that last noted itself as holder, if there is one."""
        try:
            noted = msgspec.json.decode(self._beside.read_bytes(), type=ProcessId)
        except (OSError, msgspec.MsgspecError):
            return None
        return noted if alive(noted) else None

    def release(self) -> None:
        """Let the lock go; the files stay."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> RoleLock:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
