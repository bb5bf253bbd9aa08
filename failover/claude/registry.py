"""Read the binary's own registry of running sessions: `sessions/<pid>.json` in a config dir.

Measured on 2.1.330: it follows the truth within 0.3 s; removed at a clean exit, left behind by SIGKILL (so compare
pid and start with the living). `status` is idle, busy, waiting (then `waitingFor` says on what) or shell (the turn is
over, a background shell still runs); it is absent for a moment after the start. While only a background sub-agent
runs, the status is busy. `procStart` is field 22 of /proc/<pid>/stat: clock ticks since boot. On macOS it is said to be
the line of `ps -o lstart` in the C locale and UTC (reported for 2.1.232 and later, not measured by us).
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import msgspec

Status = Literal["idle", "busy", "waiting", "shell", "unknown"]

_STATUS: dict[str, Status] = {"idle": "idle", "busy": "busy", "waiting": "waiting", "shell": "shell"}
_MAX_BYTES = 64 * 1024
#: A file that was read so long after its last change has no change that its times do not show (nanoseconds).
_SETTLED_NS = 100_000_000


class RegistryEntry(msgspec.Struct, frozen=True):
    """One running session. start: as a ProcessId has it; waiting_for: "permission prompt" | "dialog open" | ""."""

    pid: int
    start: int
    conversation: str
    cwd: str
    status: Status
    waiting_for: str
    updated_at_ms: int
    version: str
    path: Path


class _File(msgspec.Struct):
    pid: int
    session_id: str = msgspec.field(name="sessionId")
    proc_start: str | int = msgspec.field(name="procStart", default=0)
    cwd: str = ""
    status: str | None = None
    waiting_for: str | None = msgspec.field(name="waitingFor", default=None)
    updated_at: float = msgspec.field(name="updatedAt", default=0)
    version: str = ""


_DECODER = msgspec.json.Decoder(_File)


def read_all(directory: Path) -> list[RegistryEntry]:
    """Return the entries of a `sessions/` directory, by pid; what cannot be read is left out."""
    try:
        paths = [path for path in directory.iterdir() if path.suffix == ".json"]
    except OSError:
        return []
    return sorted((entry for path in paths if (entry := read_file(path))), key=lambda entry: entry.pid)


class Registry:
    """A `sessions/` directory that is read again and again: what has not changed is not read twice."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        # by name: how the file was, when that was (epoch nanoseconds), and what it said
        self._known: dict[str, tuple[tuple[int, ...], int, RegistryEntry | None]] = {}

    def read(self, pids: Iterable[int] | None = None) -> list[RegistryEntry]:
        """Return what `read_all` does, or only the entries of some processes."""
        try:
            there = os.listdir(self.folder) if pids is None else [f"{pid}.json" for pid in pids]  # noqa: PTH208
        except OSError:
            there = []
        known = {name: found for name in there if name.endswith(".json") and (found := self._look(name))}
        if pids is None:
            self._known = known
        else:
            self._known.update(known)
        return sorted((entry for _, _, entry in known.values() if entry), key=lambda entry: entry.pid)

    def _look(self, name: str) -> tuple[tuple[int, ...], int, RegistryEntry | None] | None:
        path, was = f"{self.folder}/{name}", self._known.get(name)
        try:
            info = os.stat(path)  # noqa: PTH116  (hundreds of them, many times a second)
        except OSError:
            return None
        stamp = (info.st_mtime_ns, info.st_ctime_ns, info.st_size, info.st_ino)
        # A file may change twice within one tick of its clock: only what was read some ticks later is known.
        if was is not None and was[0] == stamp and was[1] - info.st_ctime_ns > _SETTLED_NS:
            return was
        return stamp, time.time_ns(), read_file(Path(path))


def read_file(path: Path) -> RegistryEntry | None:
    """Return the entry of one file, or None when it is gone, half-written or not an entry."""
    try:
        # Never wait on a FIFO that somebody put there.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError):
        return None
    try:
        content = os.read(descriptor, _MAX_BYTES)
        found = _DECODER.decode(content)
        start = _start(found.proc_start)
        updated = int(found.updated_at)
    except (OSError, msgspec.MsgspecError, ValueError, OverflowError, RecursionError):
        return None
    finally:
        os.close(descriptor)
    if found.pid <= 0 or not found.session_id:
        return None
    return RegistryEntry(
        pid=found.pid,
        start=start,
        conversation=found.session_id,
        cwd=found.cwd,
        status=_STATUS.get(found.status or "", "unknown"),
        waiting_for=found.waiting_for or "",
        updated_at_ms=updated,
        version=found.version,
        path=path,
    )


def _start(said: str | int) -> int:
    """Return what procStart says: ticks, or epoch seconds where it is a date. Raises ValueError."""
    if isinstance(said, str) and said[:1].isalpha():
        import calendar  # on macOS alone

        return calendar.timegm(time.strptime(said, "%a %b %d %H:%M:%S %Y"))
    return int(said)
