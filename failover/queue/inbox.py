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
    """One look into an inbox. unfinished: how many are still being written and are to be looked at again soon; more:
    there are others beyond what is taken up at a time."""

    found: tuple[Found, ...] = ()
    bad: tuple[Bad, ...] = ()
    unfinished: int = 0
    more: bool = False


class _Whole(msgspec.Struct, frozen=True):
    """A file that is none of the wrong kind, as it was listed."""

    mtime_ns: int
    name: str
    file: str
    info: os.stat_result


class Inbox:
    """One inbox, and how its unfinished files were at the last look."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._looks: dict[str, Look] = {}
        self._backlog: list[_Whole] = []  # newest first: what was listed and not read yet
        self._listed_mtime = 0  # the folder's, when it was last listed; 0 when it may have changed in the same instant

    def is_new(self) -> bool | None:
        """Say whether there may be something new in the folder since it was last listed; None when it is not there."""
        try:
            return self._folder.stat().st_mtime_ns != self._listed_mtime
        except OSError:
            return None

    def look(self, taken: Container[str], now: float, wall: float) -> Seen:
        """Return what is new in the inbox; `taken` are names of open tasks. now: monotonic, wall: epoch seconds."""
        # Thousands at once must not be listed again for each part of them that is taken up.
        bad = [] if self._backlog else self._list(taken, now, wall)
        found: list[Found] = []
        unfinished = 0
        while self._backlog and len(found) < AT_ONCE:
            whole = self._backlog.pop()
            # A time in the future proves nothing, so then the looks alone count.
            still, age = now - self._looks[whole.file].at, wall - whole.info.st_mtime
            if still < STILL and age < SETTLED:
                unfinished += 1
                continue
            one = self._read(whole.name, whole.file, whole.info)
            if isinstance(one, Found):
                found.append(one)
            elif one is not None and still < DOUBTED and age < DOUBTED:
                unfinished += 1
            elif one is not None:
                bad.append(one)
        return Seen(tuple(found), tuple(bad), unfinished, bool(self._backlog))

    def _list(self, taken: Container[str], now: float, wall: float) -> list[Bad]:
        """List what is new, oldest last, and return what is no task."""
        try:
            mtime = self._folder.stat().st_mtime_ns
            # File times are as coarse as the kernel's tick, so a folder that has only just changed may change unseen.
            self._listed_mtime = mtime if wall - mtime / 1e9 > SETTLED else 0
            with os.scandir(self._folder) as entries:
                listed = {entry.name: entry for entry in entries}
        except (FileNotFoundError, NotADirectoryError):
            self._looks = {}
            return []
        except OSError as error:
            raise HostError(f"{self._folder}: cannot be read: {error.strerror}") from None
        bad: list[Bad] = []
        looks: dict[str, Look] = {}
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
            self._backlog.append(_Whole(info.st_mtime_ns, name, file, info))
        self._backlog.sort(key=lambda one: (one.mtime_ns, one.name), reverse=True)
        self._looks = looks
        return bad

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
