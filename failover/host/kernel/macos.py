"""macOS: libproc, kqueue and psutil. Starts are whole seconds since the epoch, as `ps -o lstart` shows them.

The kernel notes the start when a process is made and never moves it, also when the time of day is set. That it is no
finer than a second does no harm: numbers are given in turn, and come round after a hundred thousand processes.
This file has been checked for types and tried in parts, but never on a Mac: see docs/macos.md.
"""

from __future__ import annotations

import ctypes
import functools
import os
import select
import signal
import socket
import struct
import sys
import threading
import time
from collections.abc import Iterator

import psutil

from failover.host.kernel.facts import Look

_PROC_PIDTBSDINFO = 3  # sys/proc_info.h, as is all up to _ZOMBIE
_BSDINFO = struct.Struct("=12I16s32s5Ii2Q")
_STATUS, _PARENT, _USER, _TERMINAL, _SECONDS = 1, 4, 5, 17, 20
_NO_TERMINAL, _ZOMBIE = 0xFFFFFFFF, 5
_SOL_LOCAL, _LOCAL_PEERPID = 0, 2  # sys/un.h
_NAME = 64


def look(pid: int) -> Look | None:
    """Return what there is to say of who has the number `pid` now, None when nobody who runs has."""
    raw = _info(pid)
    return read_info(raw)[0] if raw else None


def read_info(raw: bytes) -> tuple[Look | None, int]:
    """Return what a proc_bsdinfo says: the look, None of a zombie, and the number of the user."""
    fields = _BSDINFO.unpack(raw)
    seen = Look(fields[_PARENT], fields[_SECONDS], fields[_TERMINAL] != _NO_TERMINAL)
    return (None if fields[_STATUS] == _ZOMBIE else seen), fields[_USER]


def pids(user: int | None = None) -> Iterator[int]:
    """Give the numbers of all processes, or of a user's."""
    for pid in psutil.pids():
        if user is None or ((raw := _info(pid)) and read_info(raw)[1] == user):
            yield pid


def owner(pid: int) -> int | None:
    """Return the user who owns a process, None when it is gone."""
    raw = _info(pid)
    return read_info(raw)[1] if raw else None


def arguments(pid: int) -> tuple[str, ...]:
    """Return a process's arguments, none when it is gone or they cannot be seen."""
    try:
        return tuple(psutil.Process(pid).cmdline())
    except (psutil.Error, OSError):
        return ()


def command_line(pid: int) -> bytes:
    """Return a process's arguments with a zero between them."""
    return b"\0".join(map(os.fsencode, arguments(pid)))


def command_lines() -> Iterator[tuple[int, bytes]]:
    """Give number and arguments of all processes that this user may ask of."""
    return ((pid, command_line(pid)) for pid in pids())


def environment(pid: int) -> dict[str, str]:
    """Return the environment that a process was started with, empty when it is gone or that cannot be seen (programs of
    the system's own)."""
    try:
        return dict(psutil.Process(pid).environ())
    except (psutil.Error, OSError):
        return {}


def folder(pid: int) -> str:
    """Return the folder that a process works in, empty when that cannot be seen."""
    try:
        return str(psutil.Process(pid).cwd())
    except (psutil.Error, OSError):
        return ""


def program(pid: int) -> str:
    """Return the file of the program that a process runs, empty when that cannot be seen."""
    try:
        return str(psutil.Process(pid).exe())
    except (psutil.Error, OSError):
        return ""


def age(start: int) -> float:
    """Return the seconds since a start, by the time of day: up to a second too long, more where that was set since."""
    return time.time() - start


def send(end: int, pid: int, number: signal.Signals) -> None:
    """Signal the process that `end` was opened for.

    A number is free only after its process has ended, which `end` tells; between that look and the signal are some
    microseconds, in which it would have to end, be waited for and its number be given anew.
    Raises ProcessLookupError, PermissionError.
    """
    poller = select.poll()
    poller.register(end, select.POLLIN)
    if poller.poll(0):
        raise ProcessLookupError(pid)
    os.kill(pid, number)


if sys.platform == "darwin":

    def open_end(pid: int) -> int:
        """Return a descriptor that becomes readable when the process ends. Raises ProcessLookupError."""
        queue = select.kqueue()
        try:
            queue.control([select.kevent(pid, select.KQ_FILTER_PROC, select.KQ_EV_ADD, select.KQ_NOTE_EXIT)], 0)
            return os.dup(queue.fileno())  # the object would close its own when nobody holds it any more
        finally:
            queue.close()

    def end_with(parent: int) -> None:
        """Ask for a SIGTERM when the parent ends: a thread waits for it."""
        try:
            end = open_end(parent)
        except ProcessLookupError:
            return  # the caller looks for itself
        poller = select.poll()
        poller.register(end, select.POLLIN)

        def wait() -> None:
            poller.poll()
            os.kill(os.getpid(), signal.SIGTERM)

        threading.Thread(target=wait, daemon=True).start()


def give_back_memory() -> None:
    """Do nothing: this system's allocator keeps no large buffers."""


def give_back_free() -> None:
    """Do nothing: this system takes it back by itself when it is short of memory."""


@functools.cache
def boot() -> str:
    """Return the kernel's random name of this boot, which no process outlives."""
    value, size = ctypes.create_string_buffer(_NAME), ctypes.c_size_t(_NAME)
    if _system().sysctlbyname(b"kern.bootsessionuuid", value, ctypes.byref(size), None, ctypes.c_size_t(0)):
        raise OSError(ctypes.get_errno(), "kern.bootsessionuuid cannot be read")
    return value.value.decode()


def peer(connection: socket.socket) -> int:
    """Return the number of the process that listens at the other end of a Unix socket."""
    return connection.getsockopt(_SOL_LOCAL, _LOCAL_PEERPID)


def cost(pid: int) -> tuple[int, float] | None:
    """Return resident memory (bytes) and processor time (seconds) of a process, None when it is gone."""
    try:
        one = psutil.Process(pid)
        times = one.cpu_times()
        return int(one.memory_info().rss), float(times.user + times.system)
    except (psutil.Error, OSError):
        return None


def proportional(pid: int) -> int | None:
    """Return None: there is no such figure here."""
    return None


def _info(pid: int) -> bytes:
    """Return the kernel's proc_bsdinfo of a process, nothing when nobody who runs has the number."""
    value = ctypes.create_string_buffer(_BSDINFO.size)
    # The third argument: zombies are not wanted.
    got = _system().proc_pidinfo(pid, _PROC_PIDTBSDINFO, ctypes.c_uint64(0), value, _BSDINFO.size)
    return value.raw if got == _BSDINFO.size else b""


@functools.cache
def _system() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
