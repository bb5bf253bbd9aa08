"""Measurements of the queue: how each step grows with the number of task files, and how soon a task is accepted."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Sequence
from itertools import pairwise

from failover.bench.effort import Effort
from failover.bench.queue_hall import taken
from failover.bench.result import Row, row
from failover.sim.world import World

SIZES = (100, 1_000, 10_000)
_PROJECTS = 1_000


def growth(sizes: Sequence[int], projects: int) -> dict[str, dict[int, float]]:
    """Return milliseconds by step and number of task files, which lie in up to so many projects."""
    found: dict[str, dict[int, float]] = {}
    for size in sizes:
        for step, took in taken(size, min(size, projects)).items():
            found.setdefault(step, {})[size] = took
    return found


def acceptance(effort: Effort) -> float:
    """Return the median seconds from a task file's rename into an inbox to its prompt's acceptance by an idle session,
    with a thousand projects registered; acceptance is the UserPromptSubmit hook, as the control plane notes it."""
    with World(real=effort.real, accounts=("a",), sessions={"ccl-0": "app"}) as world:
        others = [world.root / "projects" / f"p{number}" for number in range(effort.size(_PROJECTS, 20) - 1)]
        for project in others:
            (project / ".agent-queue" / "inbox").mkdir(parents=True)
        world._extra["projects"] = [str(project) for project in (world.projects["app"], *others)]
        world.write_config()
        world.api.control(chunk_delay=0)
        world.up()
        world.launch()
        waits = [_accepted(world, number) for number in range(effort.trials + 1)]
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


def queue(effort: Effort) -> list[Row]:
    """Measure the growth of each step, for each tenfold of task files, and the time to acceptance."""
    results: list[Row] = []
    for step, took in growth(effort.size(SIZES, (3, 30)), _PROJECTS).items():
        # Below a few milliseconds it is the clock and the machine that are measured.
        tenfold = [(took[many], max(took[few], 3.0) * 10) for few, many in pairwise(took)]
        steepest, limit = max(tenfold, key=lambda pair: pair[0] / pair[1])
        results.append(row(f"queue, {step}, by task files (CPU)", steepest, "ms", limit, 1.2, curve=took))
    budget = 1000.0 if effort.real else 300.0
    results.append(row("inbox to acceptance, p50", acceptance(effort) * 1000, "ms", None, budget))
    return results
