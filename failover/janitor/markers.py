"""Markers beside task files that stand for no open task."""

from __future__ import annotations

from failover.core.retention import stale_marker
from failover.errors import HostError
from failover.janitor.ground import Finding, Ground
from failover.queue import names
from failover.queue.folder import Queue
from failover.store import tasks


class Markers:
    """The sweep of all inboxes."""

    kind = "markers"
    rows = False

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._queues = {str(project): Queue(project) for project in ground.config.projects}
        self._found: dict[str, tuple[Queue, str]] = {}

    def find(self) -> list[Finding]:
        """Return the markers that nobody can be at."""
        ground, longest = self._ground, self._ground.config.dispatch.task_timeout
        open_names, self._found = tasks.open_names(ground.store), {}
        for project, queue in self._queues.items():
            try:
                left = queue.markers(ground.clock.epoch())
            except OSError as error:
                ground.troubles.append(f"{queue.inbox}: cannot be looked into: {error.strerror}")
                continue
            for one in left:
                task = tasks.get(ground.store, one.marker.task) if one.marker else None
                ours = task is not None and task.name == one.name and task.project == project
                if stale_marker(
                    open_task=one.name in open_names.get(project, {}),
                    closed_task=ours and task is not None and task.state in ("done", "failed"),
                    file_there=queue.holds(one.name),
                    age=one.age,
                    longest=longest,
                ):
                    self._found[f"{queue.path(one.name)}{names.MARK}"] = (queue, one.name)
        return [Finding(self.kind, subject, "no open task has it") for subject in self._found]

    def clear(self, finding: Finding) -> int:
        """Remove a marker."""
        queue, name = self._found[finding.subject]
        try:
            queue.unmark(name)
        except OSError as error:
            raise HostError(f"{finding.subject}: cannot be removed: {error.strerror}") from None
        return 1
