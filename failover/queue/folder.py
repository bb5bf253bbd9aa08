"""A project's `.agent-queue/`: mark and put away. Task files are read and renamed, never written into.

What is new in an inbox is found in inbox.py.

A task is in exactly one place. Each step here may be done again after a kill at any point, with the same end.
"""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path
from typing import Literal

import msgspec

from failover.errors import HostError
from failover.queue import names
from failover.queue.inbox import Bad, Inbox


class Marker(msgspec.Struct, frozen=True):
    """What stands in NAME.md.dispatched. at: epoch milliseconds."""

    task: int
    session: str
    attempt: int
    at: int


class Left(msgspec.Struct, frozen=True):
    """A marker as it stands in the inbox. marker: None when it is not one of ours; age: seconds."""

    name: str
    marker: Marker | None
    age: float


class Queue:
    """The queue of one project."""

    def __init__(self, project: Path) -> None:
        self.root = project / ".agent-queue"
        self.inbox, self.done, self.failed = self.root / "inbox", self.root / "done", self.root / "failed"
        inbox = Inbox(self.inbox)
        self.look, self.is_new = inbox.look, inbox.is_new

    def ensure(self) -> None:
        """Make the inbox, if the project is there. Raises HostError."""
        if self.root.parent.is_dir() and not self.inbox.is_dir():
            try:
                self.inbox.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise HostError(f"{self.inbox}: cannot be made: {error.strerror}") from None

    def path(self, name: str) -> Path:
        """Return where a task's file stands while it is open."""
        return self.inbox / (name + names.SUFFIX)

    def holds(self, name: str) -> bool:
        """Say whether an open task's file still stands in the inbox."""
        try:
            return stat.S_ISREG(self.path(name).lstat().st_mode)
        except OSError:
            return False

    def put_away(self, name: str, since_ms: int) -> Literal["done", "failed", ""]:
        """Say whether somebody (the agent) moved an open task's file to done/ or failed/ since it was queued."""
        if os.path.lexists(self.path(name)):
            return ""
        for outcome, folder in (("done", self.done), ("failed", self.failed)):
            with contextlib.suppress(OSError):
                # A rename sets ctime, so that an older task of this name is not taken for it.
                if (folder / (name + names.SUFFIX)).lstat().st_ctime_ns // 1_000_000 >= since_ms:
                    return "done" if outcome == "done" else "failed"
        return ""

    def marker(self, name: str) -> Marker | None:
        """Return the marker of a task, None when there is none or it is not one of ours."""
        try:
            descriptor = os.open(self._marker(name), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            with os.fdopen(descriptor, "rb") as stream:
                return msgspec.json.decode(stream.read(4096), type=Marker)
        except (OSError, msgspec.MsgspecError):
            return None

    def mark(self, name: str, marker: Marker) -> bool:
        """Put a marker beside a task's file; return False when somebody else's stands there. Raises HostError.

        An older one of the same task is what a kill left behind, and is replaced.
        """
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        for _ in range(2):
            try:
                descriptor = os.open(self._marker(name), flags, 0o644)
            except FileExistsError:
                old = self.marker(name)
                if old is None or old.task != marker.task:
                    return False
                self.unmark(name)
                continue
            except OSError as error:
                raise HostError(f"{self._marker(name)}: cannot be made: {error.strerror}") from None
            try:
                with os.fdopen(descriptor, "wb") as stream:
                    stream.write(msgspec.json.encode(marker) + b"\n")
            except OSError as error:
                self.unmark(name)  # half a marker is nobody's, and nobody would remove it
                raise HostError(f"{self._marker(name)}: cannot be written: {error.strerror}") from None
            return True
        return False

    def markers(self, wall: float) -> list[Left]:
        """Return the markers in the inbox. wall: epoch seconds. Raises OSError."""
        found = []
        ending = names.SUFFIX + names.MARK
        if not self.inbox.is_dir():
            return []
        with os.scandir(self.inbox) as entries:
            for entry in entries:
                name = entry.name.removesuffix(ending)
                if entry.name.endswith(ending) and not names.problem(name) and entry.is_file(follow_symlinks=False):
                    age = wall - entry.stat(follow_symlinks=False).st_mtime
                    found.append(Left(name, self.marker(name), age))
        return found

    def unmark(self, name: str) -> None:
        """Remove a task's marker."""
        with contextlib.suppress(FileNotFoundError):
            self._marker(name).unlink()

    def free_name(self, name: str, outcome: Literal["done", "failed"]) -> str:
        """Return a name under which a task can be put away: its own, or with a number when that is taken."""
        folder = self._folder(outcome)
        for number in range(1, 10_000):
            # The cut keeps room for the number.
            head = name.encode()[: names.MAX_BYTES - 5].decode("utf-8", "ignore")
            candidate = name if number == 1 else f"{head}.{number}"
            if not os.path.lexists(folder / (candidate + names.SUFFIX)):
                return candidate
        raise HostError(f"{folder}: has ten thousand tasks named {name}; clear it")

    def finish(self, name: str, outcome: Literal["done", "failed"], target: str, result: bytes) -> None:
        """Put a task away as `target` with its result beside it, and remove its marker. May be repeated. HostError."""
        folder = self._folder(outcome)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            replace(folder / f"{target}.result.json", result)
            with contextlib.suppress(FileNotFoundError):  # the agent moved it, or somebody took it away
                self.path(name).rename(folder / (target + names.SUFFIX))
            self.unmark(name)
        except OSError as error:
            raise HostError(f"{folder}: task {name} cannot be put there: {error.strerror}") from None

    def against_return(self, target: str, name: str) -> str:
        """Return why a failed task's file cannot be brought back into the inbox, empty when it can."""
        if os.path.lexists(self.path(name)):
            return f"{self.path(name)} is there already; rename one of the two"
        file = self.failed / (target + names.SUFFIX)
        try:
            whole = stat.S_ISREG(file.lstat().st_mode)
        except OSError:
            whole = False
        return "" if whole else f"{file} is not there any more; put the task into {self.inbox} anew"

    def bring_back(self, target: str, name: str) -> None:
        """Bring a failed task's file back into the inbox. May be repeated. Raises HostError."""
        file = self.failed / (target + names.SUFFIX)
        try:
            with contextlib.suppress(FileExistsError):
                os.link(file, self.path(name), follow_symlinks=False)  # unlike a rename it replaces nothing
            if not self.path(name).samefile(file):
                raise HostError(f"{self.path(name)} is there already; rename one of the two")
            file.unlink()
        except FileNotFoundError:
            if not self.holds(name):
                raise HostError(f"{file} is not there any more; put the task into {self.inbox} anew") from None
        except OSError as error:
            raise HostError(f"{file}: cannot be brought back: {error.strerror}") from None
        with contextlib.suppress(OSError):
            (self.failed / f"{target}.result.json").unlink()

    def refuse(self, bad: Bad) -> bool:
        """Put what is no task into failed/, with the reason beside it; False when it is gone. Raises HostError."""
        if not os.path.lexists(self.inbox / bad.file):
            return False
        try:
            self.failed.mkdir(parents=True, exist_ok=True)
            target = bad.file
            for number in range(2, 1000):
                if not os.path.lexists(self.failed / target):
                    break
                target = names.beside(bad.file.removesuffix(names.SUFFIX), f".{number}{names.SUFFIX}")
            reason = names.beside(target.removesuffix(names.SUFFIX), ".reason.txt")
            name = names.shown(bad.file)
            # The errors of the front matter name the file and its line themselves.
            text = bad.reason if bad.reason.startswith(f"{name}:") else f"{name}: {bad.reason}"
            replace(self.failed / reason, f"{text}\n".encode())
            (self.inbox / bad.file).rename(self.failed / target)
        except FileNotFoundError:
            return False
        except OSError as error:
            where = f"{self.failed}: {names.shown(bad.file)}"
            raise HostError(f"{where} cannot be put there: {error.strerror}; it stays where it is") from None
        return True

    def _folder(self, outcome: Literal["done", "failed"]) -> Path:
        return self.done if outcome == "done" else self.failed

    def _marker(self, name: str) -> Path:
        return self.inbox / (name + names.SUFFIX + names.MARK)


def replace(path: Path, data: bytes) -> None:
    """Write a file whole or not at all. Raises OSError.

    Each file has one writing role, which writes it again after a kill: then what that left is written over.
    """
    temporary = path.with_name(names.beside(f".{path.name}", ".part"))
    try:
        temporary.unlink(missing_ok=True)
        # Agents write in these folders too: a link under that name must not lead us to another file.
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
        temporary.rename(path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
