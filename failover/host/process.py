"""Processes, named so that a reused number is never mistaken for the one that had it before.

Nothing here follows a bare number: a process is its number and the time it started, and a signal goes through a
descriptor of its end that was opened first and compared with that time afterwards.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol

import msgspec

from failover.clock import Clock
from failover.errors import HostError
from failover.host.kernel import kernel

#: Set by `up` for supervisord and thus for the roles: the process that they must not outlive.
PARENT_VARIABLE = "CLAUDE_FAILOVER_PARENT"


class ProcessId(msgspec.Struct, frozen=True):
    """A process for good. pid: its number; start: on Linux the clock ticks from the host's boot to its start, on macOS
    the epoch seconds of it."""

    pid: int
    start: int


def identify(pid: int) -> ProcessId | None:
    """Return who has the number `pid` now, or None when nobody has or it is a zombie."""
    seen = kernel.look(pid)
    return ProcessId(pid, seen.start) if seen else None


def alive(process: ProcessId) -> bool:
    """Tell whether the process still runs; a zombie does not."""
    return identify(process.pid) == process


def open_end(process: ProcessId) -> int | None:
    """Return a descriptor that becomes readable when the process ends (the caller closes it), None if it is dead.

    Raises HostError when the kernel has none such.
    """
    if process.pid <= 0:
        return None
    try:
        descriptor = kernel.open_end(process.pid)
    except ProcessLookupError:
        return None
    if alive(process):  # compared after the descriptor is open: from here on it cannot name anyone else
        return descriptor
    os.close(descriptor)
    return None


def send_signal(process: ProcessId, number: signal.Signals) -> bool:
    """Send a signal to exactly this process; return False when it is dead already.

    Raises HostError when it belongs to somebody else.
    """
    descriptor = open_end(process)
    if descriptor is None:
        return False
    try:
        kernel.send(descriptor, process.pid, number)
    except ProcessLookupError:
        return False
    except PermissionError:
        raise HostError(f"process {process.pid}: not ours to signal; it runs as another user") from None
    finally:
        os.close(descriptor)
    return True


def has_terminal(process: ProcessId) -> bool:
    """Say whether the process has a controlling terminal; one that is dead has none.

    The kernel takes it away when the terminal goes: a pane that is closed, a tmux server that ends (measured on Linux).
    """
    seen = kernel.look(process.pid)
    return seen is not None and seen.start == process.start and seen.terminal


def age(process: ProcessId) -> float:
    """Return the seconds since the process was started."""
    return kernel.age(process.start)


def cmdline(process: ProcessId) -> tuple[str, ...]:
    """Return the process's arguments, empty when it is dead or a kernel thread."""
    arguments = kernel.arguments(process.pid)
    return arguments if alive(process) else ()


def environ(process: ProcessId) -> dict[str, str]:
    """Return the environment that a process was started with, empty when it is dead or somebody else's.

    There may be secrets in it: whoever asks keeps what it has to, and logs none of it.
    """
    found = kernel.environment(process.pid)
    return found if alive(process) else {}


def cwd(process: ProcessId) -> str:
    """Return the folder that a process works in, empty when it is dead or that cannot be seen."""
    found = kernel.folder(process.pid)
    return found if alive(process) else ""


def program(process: ProcessId) -> str:
    """Return the file of the program that a process runs, empty when it is dead or that cannot be seen."""
    found = kernel.program(process.pid)
    return found if alive(process) else ""


def is_of_home(process: ProcessId, home: Path) -> bool:
    """Say whether a process was started with this home (a real path), or with none that can be seen.

    What has another is another host's affair that shares the process table, or a test's.
    """
    named = environ(process).get("HOME")
    return not named or os.path.realpath(named) == str(home)


def with_argument(text: str, lines: Iterable[tuple[int, bytes]] | None = None) -> list[ProcessId]:
    """Return all live processes of this user, but not this one, with an argument that is or contains `text`.

    lines: those of all processes, where they have just been read. The server of tmux keeps the arguments of the command
    that happened to start it, so `text` should be something that only the wanted program is given.
    """
    named = among(command_lines() if lines is None else lines, text)
    return [one for one in named if any(text in argument for argument in cmdline(one))]


def among(lines: Iterable[tuple[int, bytes]], text: str) -> list[ProcessId]:
    """Return who of `lines` has arguments with `text` and is this user's, but not this process. Whether those are his
    arguments still is for the caller to see."""
    wanted, own = os.fsencode(text), os.getpid()
    pids = (pid for pid, line in lines if wanted in line and pid != own and kernel.owner(pid) == os.geteuid())
    return [one for pid in pids if (one := identify(pid))]


def command_lines() -> Iterator[tuple[int, bytes]]:
    """Yield number and arguments (with a zero between them) of each process; see `among`.

    Who has the number is not asked, nor whose it is, nor are the arguments taken apart: hundreds are read for each
    session that is moved.
    """
    return kernel.command_lines()


def of_user() -> dict[ProcessId, tuple[str, ...]]:
    """Return all live processes of this user, but not this one, with their arguments."""
    own, found = os.getpid(), {}
    for pid in kernel.pids(os.geteuid()):
        if pid == own:
            continue
        process = identify(pid)
        if process and (arguments := cmdline(process)):
            found[process] = arguments
    return found


def children(pid: int) -> list[ProcessId]:
    """Return the live children of a process."""
    seen = ((other, kernel.look(other)) for other in kernel.pids())
    return [ProcessId(other, look.start) for other, look in seen if look and look.parent == pid]


def ancestors(pid: int) -> list[int]:
    """Return the numbers of a process's parent, its parent's parent, and so on, as far as they can be seen."""
    found: list[int] = []
    while (seen := kernel.look(pid)) and (pid := seen.parent) > 1 and pid not in found:
        found.append(pid)
    return found


def host_boot_id() -> str:
    """Return the kernel's random name of this boot; monotonic times of another boot mean nothing."""
    return kernel.boot()


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


def give_back_memory() -> None:
    """Have large buffers go back to the kernel as soon as they are freed, for processes that live for months."""
    kernel.give_back_memory()


def give_back_free() -> None:
    """Have the memory that was freed in pieces go back to the kernel, after work that takes much and comes seldom.

    Without it the switcher grew by a third of a MiB with each swap of a hundred sessions, while what it held stayed as
    it was.
    """
    kernel.give_back_free()


def die_with_parent(parent: int | None = None) -> None:
    """Ask the kernel for a SIGTERM when the parent dies; `parent` is who it should be (default: whoever it is now).

    The parent may have died before the kernel was asked, so it is compared afterwards. Raises HostError then.
    """
    expected = os.getppid() if parent is None else parent
    kernel.end_with(expected)
    if os.getppid() != expected:
        raise HostError(
            f"the daemon that started this role (process {expected}) is gone; start it with: claude-failover up"
        )
