"""Measurements of the queue: how each step grows with the number of task files, and how soon a task is accepted."""

from __future__ import annotations

import logging
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

from failover.bench.result import Row, row
from failover.clock import SystemClock
from failover.config import Config, load
from failover.host import process
from failover.queue.intake import Intake
from failover.queue.status import StatusFiles
from failover.runtime import Host
from failover.sim.world import World
from failover.store import tasks
from failover.store.db import Store
from workers.dispatcher import Dispatcher

SIZES = (100, 1_000, 10_000)
_PROJECTS = 1_000
_SESSIONS = 20


def growth() -> dict[str, dict[int, float]]:
    """Return milliseconds by step and number of task files: the first for all files, the others once."""
    found: dict[str, dict[int, float]] = {}
    for size in SIZES:
        root = Path(tempfile.mkdtemp(prefix="cb-"))
        try:
            for step, took in _Hall(root, size).steps().items():
                found.setdefault(step, {})[size] = took
        finally:
            shutil.rmtree(root, ignore_errors=True)
    return found


class _Hall:
    """A store and so many files in the inboxes of up to a thousand projects; nobody is at work."""

    def __init__(self, root: Path, size: int) -> None:
        self._size = size
        projects = [root / f"p{number}" for number in range(min(size, _PROJECTS))]
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
        found = {"take all up": _took(self._take_up, once=True)}
        status.update(self._store)
        found["look at all inboxes again"] = _took(lambda: self._again(intake))
        found["look at the one that changed"] = _took(lambda: self._one(intake))
        found["choose for 20 idle sessions"] = _took(self._choose)
        found["a cycle with nothing to do"] = _took(lambda: self._dispatcher.cycle(()))
        found["see what status.json says"] = _took(lambda: status.update(self._store))
        self._dispatcher.close()
        self._store.close()
        return found

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


def _took(step: Callable[[], object], once: bool = False) -> float:
    """Return how long a step takes (milliseconds, median of seven unless it can be taken once only).

    In time of the processor: what else the machine does at that moment would bend a curve.
    """
    times = []
    for _ in range(1 if once else 7):
        began = time.process_time()
        step()
        times.append((time.process_time() - began) * 1000)
    return statistics.median(times)


def acceptance(real: Path | None, trials: int) -> float:
    """Return the median seconds from a task file's rename into an inbox to its prompt's acceptance by an idle session,
    with a thousand projects registered; acceptance is the UserPromptSubmit hook, as the control plane notes it."""
    with World(real=real, accounts=("a",), sessions={"ccl-0": "app"}) as world:
        others = [world.root / "projects" / f"p{number}" for number in range(_PROJECTS - 1)]
        for project in others:
            (project / ".agent-queue" / "inbox").mkdir(parents=True)
        world._extra["projects"] = [str(project) for project in (world.projects["app"], *others)]
        world.write_config()
        world.api.control(chunk_delay=0)
        world.up()
        world.launch()
        waits = [_accepted(world, number) for number in range(trials + 1)]
    return statistics.median(waits[1:])  # the first is the warm-up


def _accepted(world: World, number: int) -> float:
    inbox = world.projects["app"] / ".agent-queue" / "inbox"
    world.wait(lambda: world.state_of("ccl-0") == "idle", "ccl-0 idle")
    part = inbox / ".next.part"
    part.write_text("Say hello.\n")
    then = time.time() - 10  # written a while ago: only its rename is new
    os.utime(part, (then, then))
    began = time.time()
    part.rename(inbox / f"hello-{number}.md")
    sql = "SELECT at_ms FROM hook_calls WHERE hook = 'UserPromptSubmit' AND instr(body, ?) > 0"
    rows = world.wait(lambda: world.query(sql, f"hello-{number}.md"), "the prompt")
    done = world.projects["app"] / ".agent-queue" / "done" / f"hello-{number}.md"
    world.wait(done.exists, "its end")
    return float(rows[0]["at_ms"]) / 1000 - began


def queue(real: Path | None, trials: int) -> list[Row]:
    """Measure the growth of each step, for each tenfold of task files, and the time to acceptance."""
    results: list[Row] = []
    for step, took in growth().items():
        curve = ", ".join(f"{size}: {took[size]:.1f}" for size in SIZES)
        # Below a few milliseconds it is the clock and the machine that are measured.
        tenfold = [(took[many], max(took[few], 3.0) * 10) for few, many in pairwise(SIZES)]
        steepest, limit = max(tenfold, key=lambda pair: pair[0] / pair[1])
        results.append(row(f"queue, {step} (CPU ms at {curve})", steepest, "ms", limit, 1.2))
    budget = 1000.0 if real else 300.0
    results.append(row("inbox to acceptance, p50", acceptance(real, trials) * 1000, "ms", None, budget))
    return results
