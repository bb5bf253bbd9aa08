"""The queue without sessions: what each step of the dispatcher costs, with so many task files in so many projects."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from failover.clock import SystemClock
from failover.config import Config, load
from failover.host import process
from failover.queue.intake import Intake
from failover.queue.status import StatusFiles
from failover.runtime import Host
from failover.store import tasks
from failover.store.db import Store
from workers.dispatcher import Dispatcher

_SESSIONS = 20


def taken(files: int, projects: int) -> dict[str, float]:
    """Return milliseconds of the processor by step: the first for all files, the others once."""
    root = Path(tempfile.mkdtemp(prefix="cb-"))
    try:
        return _Hall(root, files, projects).steps()
    finally:
        shutil.rmtree(root, ignore_errors=True)


class _Hall:
    """A store and so many files in the inboxes of so many projects; nobody is at work."""

    def __init__(self, root: Path, size: int, count: int) -> None:
        self._size = size
        projects = [root / f"p{number}" for number in range(count)]
        for project in projects:
            (project / ".agent-queue" / "inbox").mkdir(parents=True)
        names = "\n".join(f"  - {project}" for project in projects)
        file = root / "config.yaml"
        file.write_text(
            f"version: 1\nstate_dir: {root}/state\nshared_dir: {root}/claude\n"
            f"accounts: [{{name: main, config_dir: {root}/main}}]\ntmux: {{socket: failover-bench-nobody}}\n"
            f"sessions: [{{name: 's{{0..{_SESSIONS - 1}}}', project: {projects[0]}, serves: all}}]\n"
            f"projects:\n{names}\n"
        )
        file.chmod(0o600)
        self._file = file
        self._config: Config = load(file)
        self._config.paths.ensure()
        self._store = Store.open(self._config.paths.store, "dispatcher", "bench")
        own = cast(Any, process.identify(os.getpid()))
        host = Host(
            self._config, self._config.paths, self._store, SystemClock(), "bench", own, logging.getLogger("bench"),
            cast(Any, None),
        )  # fmt: skip
        self._dispatcher = Dispatcher(host)
        for number in range(size):
            inbox = projects[number % len(projects)] / ".agent-queue" / "inbox"
            path = inbox / f"t{number}.md"
            path.write_text(f"---\npriority: {number % 3}\n---\ndo it\n")
            os.utime(path, (1, 1 + number))
        self._next = projects[-1] / ".agent-queue" / "inbox" / "one-more.md"

    def steps(self) -> dict[str, float]:
        """Take each step and return its milliseconds."""
        intake: Intake = self._dispatcher._intake
        status = StatusFiles(self._config, SystemClock())
        found = {"take all up": took(self._take_up, once=True), "read the configuration": took(self._read)}
        status.update(self._store)
        found["look at all inboxes again"] = took(lambda: self._again(intake))
        found["look at the one that changed"] = took(lambda: self._one(intake))
        found["choose for 20 idle sessions"] = took(self._choose)
        found["a cycle with nothing to do"] = took(lambda: self._dispatcher.cycle(()))
        found["see what status.json says"] = took(lambda: status.update(self._store))
        self._dispatcher.close()
        self._store.close()
        return found

    def _read(self) -> None:
        load(self._file)

    def _take_up(self) -> None:
        while self._store.one("SELECT count(*) FROM tasks")[0] < self._size:
            self._dispatcher.cycle(())

    def _again(self, intake: Intake) -> None:
        intake._rescan = 0.0
        intake.look()

    def _one(self, intake: Intake) -> None:
        intake._dirty.add(str(self._next.parents[2]))
        intake.look()

    def _choose(self) -> None:
        serving = self._dispatcher._intake.serving
        tasks.next_queued(self._store, serving.projects["s0"], [f"s{number}" for number in range(_SESSIONS)])


def took(step: Callable[[], object], once: bool = False) -> float:
    """Return the processor time of a step (milliseconds): the least of seven, unless it can be taken once only.

    Not time on the clock, and not the median: what else the machine does at that moment empties the caches, and would
    bend a curve. The first two go uncounted: they find something new.
    """
    times = []
    for _ in range(1 if once else 9):
        began = time.thread_time()
        step()
        times.append((time.thread_time() - began) * 1000)
    return times[0] if once else min(times[2:])
