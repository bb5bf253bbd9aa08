"""See which tasks wait for a person's answer, and say so once."""

from __future__ import annotations

import msgspec

from failover.clock import Clock
from failover.core.attempt import BLOCKED_FOR, blocked_by
from failover.core.task import Task
from failover.events import TaskBlocked, TaskUnblocked
from failover.queue.scene import Scene
from failover.store import tasks
from failover.store.db import Store


class Blocking:
    """Keeps `task.blocked` true. What it remembers only keeps short questions quiet."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._since: dict[int, float] = {}  # task → since when its session waits
        self._placed: dict[int, float] = {}  # task → since when its new process does not take it

    def wake_after(self) -> float:
        """Return the seconds until the next look."""
        return BLOCKED_FOR / 4 if self._since else 5.0

    def awaits(self, task: Task) -> bool:
        """Say whether a task is to be looked at again soon, though nothing is heard of its session."""
        return bool(task.blocked) or task.id in self._since

    def look(self, task: Task, scene: Scene) -> str:
        """Bring a task's `blocked` up to date; return what is new, empty for nothing."""
        why = self._why(task, scene)
        now = self._clock.monotonic()
        if why and not task.blocked and now - self._since.setdefault(task.id, now) < BLOCKED_FOR:
            return ""
        self._since.pop(task.id, None)
        if why == task.blocked:
            return ""
        with self._store.transaction() as tx:
            tasks.save(tx, msgspec.structs.replace(task, blocked=why))
            if why and not task.blocked:
                tx.emit(TaskBlocked(task=task.id, name=task.name, session=task.session, waiting_for=why))
            elif not why:
                tx.emit(TaskUnblocked(task=task.id, name=task.name, session=task.session))
        return f"task {task.id} waits for a person: {why}" if why else f"task {task.id} waits for nobody any more"

    def forget(self, open_tasks: frozenset[int]) -> None:
        """Forget what is at its end."""
        for memory in (self._since, self._placed):
            for task in memory.keys() - open_tasks:
                del memory[task]

    def _why(self, task: Task, scene: Scene) -> str:
        placement, sighting = scene.placements.get(task.session), scene.sighting(task.session)
        if placement is None or placement.conversation != task.conversation or task.finish is not None:
            return ""
        now, untaken = self._clock.monotonic(), 0.0
        if task.state == "delivering":
            if not task.anew:
                return ""  # what is typed is taken back soon
            untaken = now - self._placed.setdefault(task.id, now)
        return blocked_by(
            waiting=sighting is not None and sighting.state == "waiting",
            waiting_for=sighting.waiting_for if sighting is not None else "",
            untaken_for=untaken,
        )
