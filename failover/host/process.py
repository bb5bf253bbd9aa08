"""Processes, named so that a reused number is never mistaken for the one that had it before.

Linux only: /proc, pidfds (kernel 5.3) and prctl. Nothing here follows a bare number: a process is its number and the
time it started, and a signal goes through a pidfd that was opened first and compared with that time afterwards.
"""

from __future__ import annotations

import ctypes
import os
import signal
from pathlib import Path
from typing import Protocol

import msgspec

from failover.clock import Clock
from failover.errors import HostError

_PROC = Path("/proc")
_PR_SET_PDEATHSIG = 1  # linux/prctl.h
#: Set by `up` for supervisord and thus for the roles: the process that they must not outlive.
PARENT_VARIABLE = "CLAUDE_FAILOVER_PARENT"


class ProcessId(msgspec.Struct, frozen=True):
    """A process for good. pid: its number; start: clock ticks from the host's boot to its start."""

    pid: int
    start: int


def identify(pid: int) -> ProcessId | None:
    """Return who has the number `pid` now, or None when nobody has or it is a zombie."""
    fields = _stat(pid)
    if fields is None or fields[0] in ("Z", "X"):
        return None
    return ProcessId(pid, int(fields[19]))


def alive(process: ProcessId) -> bool:
    """Tell whether the process still runs; a zombie does not."""
    return identify(process.pid) == process


def open_pidfd(process: ProcessId) -> int | None:
    """Return a descriptor that becomes readable when the process dies (the caller closes it), None if it is dead."""
    if process.pid <= 0:
        return None
    try:
        descriptor = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return None
    except OSError as error:
        raise HostError(f"process {process.pid}: pidfd_open: {error.strerror}; Linux 5.3 or newer is needed") from None
    if alive(process):  # compared after the descriptor is open: from here on it cannot name anyone else
        return descriptor
    os.close(descriptor)
    return None


def send_signal(process: ProcessId, number: signal.Signals) -> bool:
    """Send a signal to exactly this process; return False when it is dead already.

    Raises HostError when it belongs to somebody else.
    """
    descriptor = open_pidfd(process)
    if descriptor is None:
        return False
    try:
        signal.pidfd_send_signal(descriptor, number)
    except ProcessLookupError:
        return False
    except PermissionError:
        raise HostError(f"process {process.pid}: not ours to signal; it runs as another user") from None
    finally:
        os.close(descriptor)
    return True


def has_terminal(process: ProcessId) -> bool:
    """Say whether the process has a controlling terminal; one that is dead has none.

    The kernel takes it away when the terminal goes: a pane that is closed, a tmux server that ends (measured).
    """
    fields = _stat(process.pid)
    return fields is not None and int(fields[4]) != 0 and alive(process)


def age(process: ProcessId) -> float:
    """Return the seconds since the process was started."""
    uptime = float((_PROC / "uptime").read_text().split()[0])
    return uptime - process.start / os.sysconf("SC_CLK_TCK")


def cmdline(process: ProcessId) -> tuple[str, ...]:
    """Return the process's arguments, empty when it is dead or a kernel thread."""
    arguments = _arguments(process.pid)
    return arguments if alive(process) else ()


def environ(process: ProcessId) -> dict[str, str]:
    """Return the environment that a process was started with, empty when it is dead or somebody else's.

    There may be secrets in it: whoever asks keeps what it has to, and logs none of it.
    """
    try:
        raw = _PROC.joinpath(str(process.pid), "environ").read_bytes()
    except OSError:
        return {}
    pairs = (os.fsdecode(entry).partition("=") for entry in raw.split(b"\0") if b"=" in entry)
    found = {name: value for name, _, value in pairs}
    return found if alive(process) else {}


def is_of_home(process: ProcessId, home: Path) -> bool:
    """Say whether a process was started with this home (a real path), or with none that can be seen.

    What has another is another host's affair that shares the process table, or a test's.
    """
    named = environ(process).get("HOME")
    return not named or os.path.realpath(named) == str(home)


def with_argument(text: str) -> list[ProcessId]:
    """Return all live processes of this user, but not this one, with an argument that is or contains `text`.

    The server of tmux keeps the arguments of the command that happened to start it, so `text` should be something
    that only the wanted program is given.
    """
    return [process for process, arguments in of_user().items() if any(text in argument for argument in arguments)]


def of_user() -> dict[ProcessId, tuple[str, ...]]:
    """Return all live processes of this user, but not this one, with their arguments."""
    user, own, found = os.geteuid(), os.getpid(), {}
    for entry in os.scandir(_PROC):
        if not entry.name.isdigit() or int(entry.name) == own:
            continue
        try:
            if entry.stat().st_uid != user:
                continue
        except OSError:
            continue
        process = identify(int(entry.name))
        if process and (arguments := cmdline(process)):
            found[process] = arguments
    return found


def children(pid: int) -> list[ProcessId]:
    """Return the live children of a process."""
    found = []
    for entry in os.scandir(_PROC):
        if (
            entry.name.isdigit()
            and (fields := _stat(int(entry.name)))
            and int(fields[1]) == pid
            and fields[0] not in "ZX"
        ):
            found.append(ProcessId(int(entry.name), int(fields[19])))
    return found


def ancestors(pid: int) -> list[int]:
    """Return the numbers of a process's parent, its parent's parent, and so on, as far as they can be seen."""
    found: list[int] = []
    while (fields := _stat(pid)) and (pid := int(fields[1])) > 1 and pid not in found:
        found.append(pid)
    return found


def host_boot_id() -> str:
    """Return the kernel's random name of this boot; monotonic times of another boot mean nothing."""
    return (_PROC / "sys/kernel/random/boot_id").read_text().strip()


class Started(Protocol):
    """What the store keeps of something that began.

    started_mono: seconds of the monotonic clock in the boot `host_boot`; started_ms: epoch milliseconds.
    """

    @property
    def started_mono(self) -> float: ...
    @property
    def started_ms(self) -> int: ...
    @property
    def host_boot(self) -> str: ...


def seconds_since(clock: Clock, started: Started) -> float:
    """Return how long ago something began (seconds).

    The time of day may have been set since: it is asked only where the host was started anew.
    """
    if started.host_boot == host_boot_id():
        return clock.monotonic() - started.started_mono
    return max(0.0, clock.epoch() - started.started_ms / 1000)


def die_with_parent(parent: int | None = None) -> None:
    """Ask the kernel for a SIGTERM when the parent dies; `parent` is who it should be (default: whoever it is now).

    The parent may have died before the kernel was asked, so it is compared afterwards. Raises HostError then.
    """
    expected = os.getppid() if parent is None else parent
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0):
        raise HostError(f"prctl(PR_SET_PDEATHSIG): {os.strerror(ctypes.get_errno())}")
    if os.getppid() != expected:
        raise HostError(
            f"the daemon that started this role (process {expected}) is gone; start it with: claude-failover up"
        )


def _stat(pid: int) -> list[str] | None:
    """Return the fields of /proc/PID/stat from the third (state) on. The second may hold blanks and brackets."""
    text = _read(f"/proc/{pid}/stat")
    return text.rpartition(b")")[2].decode("ascii", "replace").split() if text else None


def _arguments(pid: int) -> tuple[str, ...]:
    raw = _read(f"/proc/{pid}/cmdline")
    return tuple(os.fsdecode(part) for part in raw.removesuffix(b"\0").split(b"\0")) if raw else ()


def _read(path: str) -> bytes:
    """Return what a file of /proc says, nothing when it is gone. Hundreds are read in one look, so nothing dearer than
    the system calls is done here."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        parts = []
        while part := os.read(descriptor, 65536):
            parts.append(part)
        return b"".join(parts)
    except OSError:  # it died while it was read
        return b""
    finally:
        os.close(descriptor)
