"""`.agent-queue/status.json`: what other programs read to know whether a project's sessions are at work."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import msgspec

from failover.clock import Clock
from failover.config import Config
from failover.errors import HostError
from failover.queue.folder import replace
from failover.queue.serving import Serving
from failover.store import sessions, tasks
from failover.store.db import Store

#: The words of a sighting that mean that a session has nothing to do.
_AT_REST = ("idle", "exited", "stopped")
#: How often it is looked whether somebody else has written a file (seconds).
_LOOK_AGAIN = 5.0
#: Nothing that we write is longer: five hundred sessions, each with the longest names (bytes).
_LONGEST = 1024 * 1024


class SessionStatus(msgspec.Struct, frozen=True):
    """One session. state: as the session-watcher sees it; task: name of the task that it has, empty for none; blocked:
    what that waits for, empty when for nothing."""

    state: str
    account: str = ""
    task: str = ""
    blocked: str = ""


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """A whole file. state: working when a session is, or has a task; queued: tasks that wait; at_ms: of the change."""

    state: Literal["idle", "working"]
    queued: int
    at_ms: int
    sessions: dict[str, SessionStatus]


class Facts(msgspec.Struct, frozen=True):
    """What a file is made of."""

    queued: int = 0
    sessions: tuple[tuple[str, SessionStatus], ...] = ()


def facts(store: Store, serving: Serving) -> dict[str, Facts]:
    """Return what is to be told of each project; one of which there is nothing to tell is not in it."""
    placed, seen = sessions.placements(store), sessions.sightings(store)
    doing = {task.session: task for task in tasks.handed_over(store)}
    queued, there = tasks.queued_by_project(store), serving.whereabouts(placed)
    found = {}
    for project in queued.keys() | there.keys():
        told = []
        for name in there.get(project, ()):
            state = seen[name].state if name in seen and name in placed else "stopped"
            task = doing.get(name)
            one = SessionStatus(
                state,
                placed[name].account if name in placed else "",
                task.name if task else "",
                task.blocked if task else "",
            )
            told.append((name, one))
        found[project] = Facts(queued.get(project, 0), tuple(told))
    return found


def content(told: Facts, at_ms: int) -> Status:
    """Return what a project's file says."""
    working = any(one.task or one.state not in _AT_REST for _, one in told.sessions)
    return Status(state="working" if working else "idle", queued=told.queued, at_ms=at_ms, sessions=dict(told.sessions))


def write(project: Path, status: Status) -> bool:
    """Write a project's file if it says something else now; return whether it did. Raises HostError.

    A project without `.agent-queue/` is left alone.
    """
    path = _file(project)
    if not path.parent.is_dir():
        return False
    last = _last(path)
    if last is not None and msgspec.structs.replace(last, at_ms=status.at_ms) == status:
        return False
    try:
        replace(path, msgspec.json.format(msgspec.json.encode(status), indent=2) + b"\n")
    except OSError as error:
        raise HostError(f"{path}: cannot be written: {error.strerror}") from None
    return True


def _last(path: Path) -> Status | None:
    """Return what a file says, None for whatever is not ours: that is written anew, a link or a FIFO too."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as stream:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return None
            return msgspec.json.decode(stream.read(_LONGEST), type=Status)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


class StatusFiles:
    """Keeps every project's file up to date, also against others that write it (unless it is theirs, by the setting).

    Only what changed is written, and only what others wrote is read again, so that a thousand projects cost nothing.
    """

    def __init__(self, config: Config, clock: Clock) -> None:
        self._projects = config.projects if config.dispatch.status_json == "write" else ()
        self._serving, self._clock = Serving(config), clock
        self._told: Mapping[str, Facts] = {}
        self._stamps: dict[Path, tuple[int, int] | None] = {}  # how each file was after the last look
        self._again = 0.0

    def update(self, store: Store, news: bool = True) -> list[str]:
        """Bring the files up to date; return what could not be written, one sentence each.

        news: whether anything of what they tell may have changed; if not, they are looked at every five seconds.
        """
        look = self._clock.monotonic() >= self._again
        if not self._projects or not (news or look):
            return []
        told, was, trouble = facts(store, self._serving), self._told, []
        if look:
            self._again = self._clock.monotonic() + _LOOK_AGAIN
        for project in self._projects:
            key = str(project)
            changed = told.get(key) != was.get(key)
            if not changed and not (look and (project not in self._stamps or _stamp(project) != self._stamps[project])):
                continue
            try:
                write(project, content(told.get(key, Facts()), store.now_ms()))
                self._stamps[project] = _stamp(project)
            except HostError as error:
                self._stamps.pop(project, None)
                trouble.append(str(error))
        self._told = told
        return trouble


def _file(project: Path) -> Path:
    return project / ".agent-queue" / "status.json"


def _stamp(project: Path) -> tuple[int, int] | None:
    try:
        info = _file(project).lstat()
    except OSError:
        return None
    return info.st_ino, info.st_mtime_ns
