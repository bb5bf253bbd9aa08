"""What is new in an inbox: whole task files, and what is none."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Container
from pathlib import Path

import msgspec

from failover.errors import ConfigError, HostError
from failover.queue import names
from failover.queue.task_file import TaskSpec, read

MAX_SIZE = 1024 * 1024
#: A file that was not written to for this long is whole (seconds) …
SETTLED = 1.0
#: … and so is one that was the same at an earlier look at least this long ago.
STILL = 0.1
#: What does not read as a task may still be half of one; it is refused after this long without a change (seconds).
DOUBTED = 2.0
#: Tasks taken up from one inbox at a time.
AT_ONCE = 500


class Look(msgspec.Struct, frozen=True):
    """How a file was when it was first seen so. at: monotonic seconds."""

    inode: int
    size: int
    mtime_ns: int
    at: float


class Found(msgspec.Struct, frozen=True):
    """A whole task file that nobody has taken. name: without `.md`."""

    name: str
    mtime_ns: int
    spec: TaskSpec


class Bad(msgspec.Struct, frozen=True):
    """Something that ends in `.md` and is no task. file: its name as the file system gave it."""

    file: str
    reason: str


class Seen(msgspec.Struct, frozen=True):
    """One look into an inbox. unfinished: how many stand there that are to be looked at
    again soon: still being written, or beyond what is taken up at a time."""

    found: tuple[Found, ...] = ()
    bad: tuple[Bad, ...] = ()
    unfinished: int = 0


class Inbox:
    """One inbox, and how its unfinished files were at the last look."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._looks: dict[str, Look] = {}

    def look(self, taken: Container[str], now: float, wall: float) -> Seen:
        """Return what is new in the inbox; `taken` are names of open tasks. now: monotonic, wall: epoch seconds."""
        try:
            with os.scandir(self._folder) as entries:
                listed = {entry.name: entry for entry in entries}
        except (FileNotFoundError, NotADirectoryError):
            return Seen()
        except OSError as error:
            raise HostError(f"{self._folder}: cannot be read: {error.strerror}") from None
        found: list[Found] = []
        bad: list[Bad] = []
        unfinished = 0
        looks: dict[str, Look] = {}
        whole: list[tuple[int, str, str, os.stat_result]] = []
        for file, entry in listed.items():
            if not file.endswith(names.SUFFIX) or file.startswith("."):
                continue
            name = file.removesuffix(names.SUFFIX)
            # A marker of somebody else's means that the file was handed out already.
            if name in taken or file + names.MARK in listed:
                continue
            try:
                info = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue
            except OSError as error:
                bad.append(Bad(file, f"cannot be looked at: {error.strerror}"))
                continue
            if reason := _wrong(name, info):
                bad.append(Bad(file, reason))
                continue
            looks[file] = self._look(file, info, now)
            whole.append((info.st_mtime_ns, name, file, info))
        # Oldest first, and so many at a time: thousands at once must not keep running tasks waiting.
        for _, name, file, info in sorted(whole, key=lambda one: one[:2]):
            if len(found) == AT_ONCE:
                unfinished += 1
                break
            # A time in the future proves nothing, so then the looks alone count.
            still, age = now - looks[file].at, wall - info.st_mtime
            if still < STILL and age < SETTLED:
                unfinished += 1
                continue
            one = self._read(name, file, info)
            if isinstance(one, Found):
                found.append(one)
            elif one is not None and still < DOUBTED and age < DOUBTED:
                unfinished += 1
            elif one is not None:
                bad.append(one)
        self._looks = looks
        return Seen(tuple(found), tuple(bad), unfinished)

    def _look(self, file: str, info: os.stat_result, now: float) -> Look:
        last = self._looks.get(file)
        same = last is not None and (last.inode, last.size, last.mtime_ns) == (
            info.st_ino,
            info.st_size,
            info.st_mtime_ns,
        )
        return last if last is not None and same else Look(info.st_ino, info.st_size, info.st_mtime_ns, now)

    def _read(self, name: str, file: str, info: os.stat_result) -> Found | Bad | None:
        """Read a file that seems whole; None when it is another by now."""
        try:
            # Between look and open it may have become a link or a FIFO, on which an open would wait.
            descriptor = os.open(self._folder / file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        except OSError as error:
            return None if error.errno == errno.ELOOP else Bad(file, f"cannot be opened: {error.strerror}")
        with os.fdopen(descriptor, "rb") as stream:
            now = os.fstat(descriptor)
            if (now.st_ino, now.st_size, now.st_mtime_ns) != (info.st_ino, info.st_size, info.st_mtime_ns):
                return None
            if not stat.S_ISREG(now.st_mode):
                return None
            try:
                data = stream.read(MAX_SIZE + 1)
            except OSError as error:
                return Bad(file, f"cannot be read: {error.strerror}")
        try:
            return Found(name, now.st_mtime_ns, read(file, data))
        except ConfigError as error:
            return Bad(file, str(error))


def _wrong(name: str, info: os.stat_result) -> str:
    if not stat.S_ISREG(info.st_mode):
        kinds = {stat.S_IFLNK: "a symbolic link", stat.S_IFIFO: "a FIFO", stat.S_IFDIR: "a folder"}
        return f"it is {kinds.get(stat.S_IFMT(info.st_mode), 'a device or socket')}, not a regular file"
    if info.st_size > MAX_SIZE:
        return f"it is {info.st_size} bytes long; the most is {MAX_SIZE}"
    wrong = names.problem(name)
    return f"{wrong}; rename it and put it into the inbox again" if wrong else ""
