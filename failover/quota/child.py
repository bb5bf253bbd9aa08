"""A command that is asked for an answer while the role goes on: its output by a pipe, its end by a pidfd."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from failover.clock import Clock
from failover.errors import HostError
from failover.host import process

#: An answer is no longer than this (bytes).
_MOST = 256 * 1024
#: How long a command that was told to end may take before it is killed (seconds).
_GRACE = 5.0
#: A lock that was not touched for so long is left over (seconds).
_STALE = 60.0


class Child:
    """One run of a command. Nothing of what it writes to standard error is kept or shown: it may hold anything."""

    def __init__(
        self,
        command: Sequence[str],
        env: Mapping[str, str],
        cwd: Path,
        *,
        clock: Clock,
        timeout: float,
        lock: Path | None = None,
    ) -> None:
        """Start it, without a shell and with nothing to read. Raises HostError when it cannot be run.

        timeout: seconds that it may take; lock: while this stands it must not be killed.
        """
        try:
            self._child = subprocess.Popen(
                command,
                env=env,
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError as error:
            raise HostError(f"cannot be run ({error.strerror}); name a program that can") from None
        assert self._child.stdout is not None
        self._pipe: int | None = self._child.stdout.fileno()
        os.set_blocking(self._pipe, False)
        self._clock, self._timeout, self._lock = clock, timeout, lock
        self._started, self._told_at = clock.monotonic(), 0.0
        self._output, self._wrong = b"", ""
        self.id = process.identify(self._child.pid)
        self._end = process.open_end(self.id) if self.id else None

    def descriptors(self) -> list[int]:
        """Return what becomes readable when it wrote something or ended."""
        return [descriptor for descriptor in (self._pipe, self._end) if descriptor is not None]

    def answer(self) -> bytes | None:
        """Return what it wrote once it has ended well, None while it runs.

        Raises HostError, when it is dead, if it took too long, wrote too much, or ended with an error.
        """
        code = self._child.poll()  # before the pipe is read: what it wrote at its end is there then
        self._read()
        if code is None:
            if len(self._output) > _MOST:
                self._stop(f"wrote more than {_MOST // 1024} KiB")
            elif self._clock.monotonic() - self._started > self._timeout:
                self._stop(f"gave no answer within {self._timeout:g} s")
            return None
        self._let_go()
        if self._wrong or code:
            raise HostError(self._wrong or f"ended with {f'exit code {code}' if code > 0 else f'signal {-code}'}")
        return self._output

    def close(self) -> None:
        """Tell it to end, and leave it to itself."""
        self._signal(signal.SIGTERM)
        self._let_go()

    def _read(self) -> None:
        while self._pipe is not None and len(self._output) <= _MOST:
            try:
                part = os.read(self._pipe, 65536)
            except BlockingIOError:
                return
            self._output += part
            if not part:
                self._pipe = None

    def _stop(self, why: str) -> None:
        now = self._clock.monotonic()
        if not self._wrong:
            self._wrong, self._told_at, self._pipe = why, now, None
            self._signal(signal.SIGTERM)
        elif now - self._told_at > _GRACE and not self._must_live():
            self._signal(signal.SIGKILL)

    def _must_live(self) -> bool:
        try:
            return self._lock is not None and time.time() - self._lock.stat().st_mtime < _STALE
        except OSError:
            return False

    def _signal(self, number: signal.Signals) -> None:
        """Send it and whatever it started a signal; it was not waited for, so that the number is still its own."""
        if self._child.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._child.pid, number)

    def _let_go(self) -> None:
        assert self._child.stdout is not None
        self._child.stdout.close()
        if self._end is not None:
            os.close(self._end)
        self._pipe = self._end = None
        if self._child.poll() is None:
            self._child.returncode = 0  # nobody waits for it: no warning when this object goes
