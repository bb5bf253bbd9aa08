"""Take up what stands in the inboxes: a whole task file becomes a row, what is none goes to failed/."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from failover.clock import Clock
from failover.config import Config
from failover.core.attempt import MAX_PROMPT, prompt
from failover.core.dispatch import pin_problem
from failover.core.task import Task
from failover.errors import HostError
from failover.events import TaskFinished, TaskQueued
from failover.host.inotify import Watch
from failover.queue import names
from failover.queue.folder import Queue
from failover.queue.inbox import AT_ONCE, Bad, Found
from failover.queue.serving import Serving
from failover.store import tasks
from failover.store.db import Store

#: Inboxes are looked at this often, whatever was heard (seconds).
RESCAN = 5.0
#: Files that are still being written are looked at again after this long (seconds).
AGAIN = 0.11


class Intake:
    """Watches the inboxes of all projects. A change has its own inbox looked at; all are, now and then."""

    def __init__(self, config: Config, store: Store, clock: Clock, queues: Mapping[str, Queue]) -> None:
        self._config, self._store, self._clock, self._queues = config, store, clock, queues
        self.serving = Serving(config)
        self._projects = {str(queue.inbox): project for project, queue in queues.items()}
        self._watch = self._watched()
        self.stirred = False  # whether the last look was at a change in an inbox
        self._rescan = 0.0
        self._due = 0.0
        self._dirty: set[str] = set()  # projects whose inbox is to be looked at
        self._unfinished: set[str] = set()  # and those in which something is still being written

    @property
    def descriptor(self) -> int:
        """Return what becomes readable when something changed in an inbox."""
        return self._watch.descriptor

    def look(self) -> list[str]:
        """Take up what is new, if it is time to look or something changed; return what was done."""
        now = self._clock.monotonic()
        said: list[str] = []
        self._watch.drain()
        changed = {self._projects[folder] for folder in self._watch.changed() if folder in self._projects}
        self.stirred = bool(changed)
        self._dirty |= changed
        if now >= self._rescan:
            said += self._look_everywhere()
            self._rescan = now + RESCAN
        if now >= self._due:
            self._dirty |= self._unfinished
            self._unfinished = set()
        room = AT_ONCE
        while self._dirty and room > 0:
            project = self._dirty.pop()
            try:
                room -= self._look_at(project, now, said)
            except HostError as error:
                said.append(str(error))
        if self._unfinished:
            self._due = min(self._due, now + AGAIN) if self._due > now else now + AGAIN
        return said

    def _look_everywhere(self) -> list[str]:
        """Note every inbox that may have changed, and make those that are missing; return what went wrong."""
        said, made, there = [], False, 0
        for project, queue in self._queues.items():
            new = queue.is_new()
            if new is None:
                try:
                    queue.ensure()
                except HostError as error:
                    said.append(str(error))
                    continue
                new = made = queue.is_new() is not None
            there += new is not None
            if new:
                self._dirty.add(project)
        # A folder that was made anew is watched no more, though it has the name of one that is.
        if made or len(self._watch.folders) != there:
            self._watch.close()
            self._watch = self._watched()
        return said

    def _look_at(self, project: str, now: float, said: list[str]) -> int:
        """Take up what is new in one inbox; return how many files that were. Raises HostError."""
        queue = self._queues[project]
        seen = queue.look(tasks.names_in(self._store, project), now, self._clock.epoch())
        if seen.unfinished:
            self._unfinished.add(project)
        if seen.more:
            self._dirty.add(project)
        bad = list(seen.bad)
        for found in seen.found:
            if reason := self._against(project, queue, found):
                bad.append(Bad(found.name + names.SUFFIX, reason))
        refused = {one.file for one in bad}
        said += self._queue(project, [one for one in seen.found if one.name + names.SUFFIX not in refused])
        for one in bad:
            said.append(self._refuse(project, queue, one))
        return len(seen.found) + len(bad)

    def wake_after(self) -> float:
        """Return the seconds until the next look."""
        if self._dirty:
            return 0.0
        due = min(self._due, self._rescan) if self._unfinished else self._rescan
        return max(due - self._clock.monotonic(), 0.0)

    def close(self) -> None:
        """Stop watching."""
        self._watch.close()

    def _watched(self) -> Watch:
        # What is new is a task file: not our marker beside one, nor that one was put away.
        return Watch([queue.inbox for queue in self._queues.values()], comes=names.SUFFIX)

    def _against(self, project: str, queue: Queue, found: Found) -> str:
        if problem := pin_problem(found.spec.session, project, self.serving.projects):
            return problem
        # Numbers of any length that will ever be reached.
        if len(prompt(10**9, 100, str(queue.path(found.name)))) >= MAX_PROMPT:
            return "its path is too long for a prompt; give it a shorter name"
        return ""

    def _queue(self, project: str, found: Sequence[Found]) -> list[str]:
        if not found:
            return []
        defaults = self._config.dispatch
        with self._store.transaction() as tx:
            for one in found:
                spec = one.spec
                task = Task(
                    id=0,
                    name=one.name,
                    project=project,
                    priority=spec.priority,
                    max_attempts=spec.max_attempts or defaults.max_attempts,
                    queued_ms=self._store.now_ms(),
                    pin=spec.session,
                    timeout=spec.timeout or defaults.task_timeout,
                    fresh=spec.fresh,
                )
                task = tasks.add(tx, task)
                tx.emit(TaskQueued(task=task.id, name=task.name, project=project))
        some = ", ".join(one.name for one in found[:3])
        return [f"queued {some}" + (f" and {len(found) - 3} more" if len(found) > 3 else "")]

    def _refuse(self, project: str, queue: Queue, bad: Bad) -> str:
        name = names.shown(bad.file)
        try:
            if not queue.refuse(bad):
                return ""
        except HostError as error:
            return str(error)
        with self._store.transaction() as tx:
            now_ms = self._store.now_ms()
            shown = name.removesuffix(names.SUFFIX)
            task = tasks.add(
                tx,
                Task(
                    id=0,
                    name=shown,
                    project=project,
                    state="failed",
                    queued_ms=now_ms,
                    finished_ms=now_ms,
                    reason=bad.reason,
                ),
            )
            tx.emit(TaskFinished(task=task.id, name=shown, session="", outcome="failed", reason=bad.reason))
        return f"refused {name}: {bad.reason}"
