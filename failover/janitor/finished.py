"""Tasks that ended long ago: from done/ and failed/ to archive/YYYY-MM/, each with its result or reason.

A task's companions go first and its own file last, each by one rename. A kill in between leaves the companions of a
task in the archive that is not there yet: the next sweep sees that, and lets the task follow under that name. Nothing
is ever written over: the janitor alone writes in an archive, and a name that is taken gets a number.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from failover.core.retention import lasting
from failover.errors import HostError
from failover.janitor.ground import MOST, Finding, Ground
from failover.queue import names
from failover.store import tasks

RESULT, REASON = ".result.json", ".reason.txt"
_FOLDERS = ("done", "failed")


@dataclass(frozen=True)
class _Group:
    """A task's file and what belongs to it, or what belongs to one that is not there. stem: the task's name; moved:
    seconds since the epoch."""

    folder: Path
    stem: str
    companions: tuple[tuple[str, str], ...]  # (file name, ending)
    whole: bool
    moved: float


class Finished:
    """The sweep of all projects. What is no plain file, or nothing of a task, is left alone and named once."""

    kind = "finished tasks"
    rows = False

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._named: set[str] = set()  # paths
        self._found: dict[str, tuple[Path, _Group]] = {}

    def find(self) -> list[Finding]:
        """Return the tasks that are past their time, oldest projects of the configuration first."""
        longest = self._ground.config.retention.finished
        why = f"ended more than {lasting(longest)} ago (retention.finished)"
        open_names = _names_in_use(self._ground)
        self._found = {}
        for project in self._ground.config.projects:
            root = project / ".agent-queue"
            for folder in (root / name for name in _FOLDERS):
                try:
                    groups = list(self._groups(folder, longest))
                except OSError as error:
                    self._ground.troubles.append(f"{folder}: cannot be looked into: {error.strerror}")
                    continue
                for group in groups:
                    if group.stem in open_names.get(str(project), ()):
                        continue
                    subject = names.shown(str(folder / (group.stem + names.SUFFIX)))
                    self._found[subject] = (root, group)
                    if len(self._found) >= MOST:
                        return [Finding(self.kind, subject, why) for subject in self._found]
        return [Finding(self.kind, subject, why) for subject in self._found]

    def clear(self, finding: Finding) -> int:
        """Move a task and what belongs to it."""
        root, group = self._found[finding.subject]
        archive = root / "archive" / time.strftime("%Y-%m", time.gmtime(group.moved))
        try:
            archive.mkdir(parents=True, exist_ok=True)
            target = _target(archive, group)
            for file, ending in group.companions:
                (group.folder / file).rename(archive / names.beside(target, ending))
            if group.whole:
                (group.folder / (group.stem + names.SUFFIX)).rename(archive / (target + names.SUFFIX))
        except FileNotFoundError:
            return 0  # somebody else put it elsewhere
        except OSError as error:
            raise HostError(
                f"{names.shown(str(group.folder / group.stem))}: cannot be archived: {error.strerror}"
            ) from None
        return 1

    def _groups(self, folder: Path, longest: float) -> Iterator[_Group]:
        """Return what of a folder belongs together and is past its time. Raises OSError."""
        past = self._past(folder, longest)
        alone = past.keys() - {name for name in past if _is_task(name)}
        for name in sorted(past.keys() - alone):
            stem = name.removesuffix(names.SUFFIX)
            with_it = [(names.beside(stem, ending), ending) for ending in (RESULT, REASON)]
            companions = tuple((file, ending) for file, ending in with_it if file in past or _is_plain(folder / file))
            alone.difference_update(file for file, _ in companions)
            yield _Group(folder, stem, companions, True, past[name])
        if alone:
            # What belongs to a younger task goes with it; the reason why a link or a FIFO was refused stays beside it.
            with os.scandir(folder) as entries:
                for name in (entry.name for entry in entries if _is_task(entry.name)):
                    stem = name.removesuffix(names.SUFFIX)
                    alone.difference_update(names.beside(stem, ending) for ending in (RESULT, REASON))
        for name in sorted(alone):
            ending = RESULT if name.endswith(RESULT) else REASON
            yield _Group(folder, name.removesuffix(ending), ((name, ending),), False, past[name])

    def _past(self, folder: Path, longest: float) -> dict[str, float]:
        """Return the plain files past their time and since when they lay there; of the thousands that are not, nothing
        is kept. Raises OSError."""
        past: dict[str, float] = {}
        foreign = []
        try:
            entries = os.scandir(folder)
        except (FileNotFoundError, NotADirectoryError):
            return past
        with entries:
            for entry in entries:
                name = entry.name
                if name.startswith(".") and not name.endswith(names.SUFFIX):
                    continue  # half-written: see leftovers
                try:
                    info = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue
                if stat.S_ISREG(info.st_mode) and name.endswith((names.SUFFIX, RESULT, REASON)):
                    if self._ground.age(info) > longest:
                        # A rename sets ctime: from then on it lay here.
                        past[name] = max(info.st_mtime, info.st_ctime)
                elif entry.path not in self._named:
                    self._named.add(entry.path)
                    foreign.append(names.shown(name))
        if foreign:
            more = f" and {len(foreign) - 5} more" if len(foreign) > 5 else ""
            named = ", ".join(sorted(foreign)[:5])
            self._ground.troubles.append(f"{folder}: {named}{more} belong to no task, left alone")
        return past


def _is_task(name: str) -> bool:
    return name.endswith(names.SUFFIX)


def _is_plain(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _target(archive: Path, group: _Group) -> str:
    """Return a name that nothing in the archive has, or the one that this task's companions got before a kill."""
    for number in range(1, 10_000):
        target = group.stem if number == 1 else f"{_cut(group.stem)}.{number}"
        own = os.path.lexists(archive / (target + names.SUFFIX))
        beside = any(os.path.lexists(archive / names.beside(target, ending)) for ending in (RESULT, REASON))
        if not own and (not beside or (group.whole and not group.companions)):
            return target
    raise HostError(f"{archive}: has ten thousand tasks named {names.shown(group.stem)}; clear it")


def _cut(stem: str) -> str:
    return os.fsencode(stem)[: names.MAX_BYTES - 5].decode("utf-8", "ignore") or "task"


def _names_in_use(ground: Ground) -> dict[str, set[str]]:
    """Return the names in done/ and failed/ that open tasks are on their way to or from."""
    found: dict[str, set[str]] = {}
    for task in tasks.open_tasks(ground.store):
        of_it = {task.name, task.returning, task.finish.target if task.finish else ""}
        found.setdefault(task.project, set()).update(of_it)
    return found
