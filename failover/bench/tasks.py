"""Ten thousand tasks: how soon they are known, and what those that wait cost those that are worked off."""

from __future__ import annotations

import statistics
import time
from typing import NamedTuple

from failover.bench.daemon import cpu, processes
from failover.bench.effort import Effort
from failover.bench.result import Row, row
from failover.sim.world import World

_SESSIONS, _FEW, _MANY, _WORKED = 20, 200, 10_000, 150


class _Found(NamedTuple):
    """known: seconds until all are in the store; gap: milliseconds from the end of a task to the acceptance of the
    session's next, median; each: milliseconds of the daemon's processor time for a task."""

    known: float
    gap: float
    each: float


def tasks(effort: Effort) -> list[Row]:
    """Let sessions work the first of many tasks off, and the first of few: what waits should cost nothing."""
    few, many, worked = effort.size((_FEW, _MANY, _WORKED), (6, 12, 4))
    more = _worked(effort, many, worked)
    less = more if effort.quick else _worked(effort, few, worked)
    waiting = f"{_MANY:,} waiting against {_FEW}"
    return [
        row(f"{_MANY:,} task files, all known to the daemon", more.known, "s", None, 30.0),
        row(f"end of a task to its session's next, p50, {waiting}", more.gap, "ms", less.gap, 1.5),
        row(f"CPU of the daemon for a task, {waiting}", more.each, "ms", less.each, 1.5),
    ]


def _worked(effort: Effort, files: int, worked: int) -> _Found:
    names = {f"ccl-{number}": "app" for number in range(effort.size(_SESSIONS, 2))}
    with World(real=effort.real, accounts=("a",), sessions=names) as world:
        world.api.control(chunk_delay=0)
        inbox = world.projects["app"] / ".agent-queue" / "inbox"
        for number in range(files):
            (inbox / f"t{number:05}.md").write_text("Say hello.\n")
        world.up()
        began = time.monotonic()
        world.wait(lambda: world.query("SELECT count(*) FROM tasks")[0][0] == files, "all tasks known", 120)
        known = time.monotonic() - began
        running = processes(world)
        before = cpu(running)
        world.cli("sessions", "launch")
        done = "SELECT count(*) FROM tasks WHERE state = 'done'"
        world.wait(lambda: world.query(done)[0][0] >= worked, f"{worked} tasks done", 300)
        used = cpu(running) - before
        ended = world.query(done)[0][0]
        calls = world.query(
            "SELECT session, hook, at_ms FROM hook_calls WHERE hook IN ('Stop', 'UserPromptSubmit') ORDER BY id"
        )
    return _Found(known, statistics.median(_gaps(calls)), used / ended * 1000)


def _gaps(calls: list[tuple[str, str, int]]) -> list[float]:
    ended: dict[str, int] = {}
    found = []
    for session, hook, at_ms in calls:
        if hook == "Stop":
            ended[session] = at_ms
        elif session in ended:
            found.append(float(at_ms - ended.pop(session)))
    return found
