"""`.agent-queue/status.json`: what other programs read to know whether a project's sessions are at work."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal

import msgspec

from failover.config import Config
from failover.core.dispatch import Task
from failover.errors import HostError
from failover.queue.folder import replace
from failover.queue.intake import serves
from failover.store import sessions, tasks
from failover.store.db import Store
from failover.store.sessions import Placement, Sighting

#: The words of a sighting that mean that a session has nothing to do.
_AT_REST = ("idle", "exited", "stopped")


class SessionStatus(msgspec.Struct, frozen=True):
    """One session. state: as the session-watcher sees it; task: name of the task that it has, empty for none."""

    state: str
    account: str = ""
    task: str = ""


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """A whole file. state: working when a session is, or has a task; queued: tasks that wait; at_ms: of the change."""

    state: Literal["idle", "working"]
    queued: int
    at_ms: int
    sessions: dict[str, SessionStatus]


def content(
    project: str,
    serving: Mapping[str, str],
    placed: Mapping[str, Placement],
    seen: Mapping[str, Sighting],
    open_tasks: Iterable[Task],
    at_ms: int,
) -> Status:
    """Return what a project's file says. serving: project by session."""
    here = [task for task in open_tasks if task.project == project]
    doing = {task.session: task.name for task in here if task.state != "queued"}
    found = {}
    for name in sorted(name for name, its in serving.items() if its == project):
        state = seen[name].state if name in seen and name in placed else "stopped"
        account = placed[name].account if name in placed else ""
        found[name] = SessionStatus(state, account, doing.get(name, ""))
    working = any(one.task or one.state not in _AT_REST for one in found.values())
    queued = sum(task.state == "queued" for task in here)
    return Status(state="working" if working else "idle", queued=queued, at_ms=at_ms, sessions=found)


def write(project: Path, status: Status) -> bool:
    """Write a project's file if it says something else now; return whether it did. Raises HostError.

    A project without `.agent-queue/` is left alone.
    """
    path = project / ".agent-queue" / "status.json"
    if not path.parent.is_dir():
        return False
    try:
        last = msgspec.json.decode(path.read_bytes(), type=Status)
        if msgspec.structs.replace(last, at_ms=status.at_ms) == status:
            return False
    except (OSError, msgspec.MsgspecError):
        pass  # missing or not ours: written anew
    try:
        replace(path, msgspec.json.format(msgspec.json.encode(status), indent=2) + b"\n")
    except OSError as error:
        raise HostError(f"{path}: cannot be written: {error.strerror}") from None
    return True


def write_all(config: Config, store: Store) -> list[str]:
    """Bring every project's file up to date; return what could not be written, one sentence each."""
    serving, placed, seen = serves(config), sessions.placements(store), sessions.sightings(store)
    open_tasks, trouble = tasks.open_tasks(store), []
    for project in config.projects:
        try:
            write(project, content(str(project), serving, placed, seen, open_tasks, store.now_ms()))
        except HostError as error:
            trouble.append(str(error))
    return trouble
