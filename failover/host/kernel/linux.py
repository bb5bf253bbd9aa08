"""Linux: /proc, pidfds (kernel 5.3) and prctl. Starts are clock ticks from the host's boot, as /proc tells them.

Hundreds of processes are read in one look, so nothing dearer than the system calls is done where that happens.
"""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import socket
import struct
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from failover.errors import HostError
from failover.host.kernel.facts import Look

assert sys.platform == "linux"  # so that the types of other systems are not asked

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8  # malloc.h
_LARGE = 128 * 1024  # glibc's own measure, before it adapts it (bytes)
#: How often a process without arguments is looked at, and how long is waited each time (seconds). Ten were once too few
#: on a busy host: who becomes another program waits for its share of a core in the middle of that.
_LOOKS, _MOMENT = 50, 0.001
#: So much is read at once (bytes).
_ONCE = 65536
_PAGE, _TICKS = os.sysconf("SC_PAGE_SIZE"), os.sysconf("SC_CLK_TCK")


def look(pid: int) -> Look | None:
    """Return what there is to say of who has the number `pid` now, None when nobody who runs has."""
    fields = _stat(pid)
    if not fields or fields[0] in ("Z", "X"):
        return None
    return Look(int(fields[1]), int(fields[19]), fields[4] != "0")


def pids(user: int | None = None) -> Iterator[int]:
    """Give the numbers of all processes, or of a user's."""
    for entry in os.scandir("/proc"):
        if not entry.name.isdigit():
            continue
        try:
            if user is not None and entry.stat().st_uid != user:
                continue
        except OSError:
            continue
        yield int(entry.name)


def owner(pid: int) -> int | None:
    """Return the user who owns a process, None when it is gone."""
    try:
        return os.stat(f"/proc/{pid}").st_uid  # noqa: PTH116
    except OSError:
        return None


def arguments(pid: int) -> tuple[str, ...]:
    """Return a process's arguments, none when it is gone or a kernel thread."""
    raw = command_line(pid)
    return tuple(os.fsdecode(part) for part in raw.removesuffix(b"\0").split(b"\0")) if raw else ()


def command_line(pid: int) -> bytes:
    """Return a process's arguments as they stand in memory, with a zero between them."""
    raw, path = b"", f"/proc/{pid}/cmdline"
    for _ in range(_LOOKS):
        # One that is just becoming another program shows none for a moment; a kernel thread has no program at all.
        if (raw := _read(path)) or not _link(f"/proc/{pid}/exe"):
            break
        time.sleep(_MOMENT)
    return raw


def command_lines() -> Iterator[tuple[int, bytes]]:
    """Give number and arguments of all processes, whoever owns them; kernel threads have none."""
    read, close = os.read, os.close
    for name in os.listdir("/proc"):  # noqa: PTH208
        if not name.isdigit():
            continue
        try:
            descriptor = os.open(f"/proc/{name}/cmdline", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            continue
        try:
            raw = read(descriptor, _ONCE)
        except OSError:  # it died while it was read
            raw = b""
        finally:
            close(descriptor)
        if not 0 < len(raw) < _ONCE:  # none, or perhaps not all; a kernel thread, which has none, has no program either
            raw = command_line(int(name)) if raw or _link(f"/proc/{name}/exe") else b""
        yield int(name), raw


def environment(pid: int) -> dict[str, str]:
    """Return the environment that a process was started with, empty when it is gone or somebody else's."""
    pairs = (os.fsdecode(entry).partition("=") for entry in _read(f"/proc/{pid}/environ").split(b"\0") if b"=" in entry)
    return {name: value for name, _, value in pairs}


def folder(pid: int) -> str:
    """Return the folder that a process works in, empty when that cannot be seen."""
    return _link(f"/proc/{pid}/cwd")


def program(pid: int) -> str:
    """Return the file of the program that a process runs, empty when that cannot be seen."""
    return _link(f"/proc/{pid}/exe")


def age(start: int) -> float:
    """Return the seconds since a start; time that the host was asleep is counted."""
    # The kernel counts from the host's boot, time asleep included (proc(5), starttime).
    return time.clock_gettime(time.CLOCK_BOOTTIME) - start / _TICKS


def open_end(pid: int) -> int:
    """Return a descriptor that becomes readable when the process ends. Raises ProcessLookupError, HostError."""
    try:
        return os.pidfd_open(pid)
    except ProcessLookupError:
        raise
    except OSError as error:
        raise HostError(f"process {pid}: pidfd_open: {error.strerror}; Linux 5.3 or newer is needed") from None


def send(end: int, pid: int, number: signal.Signals) -> None:
    """Signal the process that `end` was opened for, and nobody who has its number later.

    Raises ProcessLookupError, PermissionError.
    """
    signal.pidfd_send_signal(end, number)


def end_with(parent: int) -> None:
    """Ask for a SIGTERM when the parent ends. Raises HostError."""
    import ctypes  # roles alone need it

    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0):
        raise HostError(f"prctl(PR_SET_PDEATHSIG): {os.strerror(ctypes.get_errno())}")


def give_back_memory() -> None:
    """Have large buffers go back to the kernel as soon as they are freed.

    glibc would take a freed one for a sign that more will come, keep ever larger ones, and lose them to fragments: a
    role that has once read a long transcript would stay as large. Other C libraries do not.
    """
    import ctypes

    with contextlib.suppress(AttributeError):  # musl
        libc = ctypes.CDLL(None)
        for option, value in ((_M_MMAP_THRESHOLD, _LARGE), (_M_TRIM_THRESHOLD, _LARGE), (_M_ARENA_MAX, 2)):
            libc.mallopt(option, value)


def give_back_free() -> None:
    """Have what is free between what is in use go back to the kernel; other C libraries than glibc are left alone."""
    import ctypes

    with contextlib.suppress(AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


@functools.cache
def boot() -> str:
    """Return the kernel's random name of this boot, which no process outlives."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def peer(connection: socket.socket) -> int:
    """Return the number of the process that listens at the other end of a Unix socket."""
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return int(struct.unpack("3i", raw)[0])


def cost(pid: int) -> tuple[int, float] | None:
    """Return resident memory (bytes) and processor time (seconds) of a process, None when it is gone."""
    pages, fields = _read(f"/proc/{pid}/statm").split(), _stat(pid)
    if not pages or not fields:
        return None
    return int(pages[1]) * _PAGE, (int(fields[11]) + int(fields[12])) / _TICKS


def proportional(pid: int) -> int | None:
    """Return a process's share of memory (PSS, bytes), None when it cannot be had. The kernel walks every page for it:
    milliseconds."""
    lines = _read(f"/proc/{pid}/smaps_rollup").splitlines()
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(b"Pss:")), None)


def _stat(pid: int) -> list[str]:
    """Return the fields of /proc/PID/stat from the third (state) on. The second may hold blanks and brackets."""
    return _read(f"/proc/{pid}/stat").rpartition(b")")[2].decode("ascii", "replace").split()


def _link(path: str) -> str:
    try:
        return os.readlink(path)  # noqa: PTH115  (a Path would change what it says)
    except OSError:
        return ""


def _read(path: str) -> bytes:
    """Return what a file of /proc says, nothing when it is gone or not ours to read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        parts = []
        while part := os.read(descriptor, _ONCE):
            parts.append(part)
            if len(part) < _ONCE:
                break  # /proc gives what there is at once
        return b"".join(parts)
    except OSError:  # it died while it was read
        return b""
    finally:
        os.close(descriptor)
