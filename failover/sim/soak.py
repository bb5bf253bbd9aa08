"""Swap a working pool back and forth, again and again: what is lost, done twice, left behind, and does memory grow?

The sessions always have tasks. After a batch of swaps the tasks are let come to their end, the logs of the fake API and
of the tools are counted, the sessions are cleared, stopped and started again: a conversation that grows for ever would
be what is measured. For the same reason history is kept for minutes, and swept each minute. The daemon stays the same
one throughout.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections import Counter
from collections.abc import Sequence
from statistics import median
from typing import Any

import click

from failover.host import process
from failover.sim import audit, interrupt
from failover.sim.demo import drop_task
from failover.sim.memory import Memory, grown
from failover.sim.world import World

_BATCH = 50
_STEPS, _STEP_SECONDS = 2, 0.15
_PATIENCE = 180.0
_ACCOUNTS = ("main", "backup")
#: Of tasks the rows are kept: they are what is counted.
_KEPT = dict.fromkeys(
    ("events", "readings", "checkpoints", "hook_calls", "finished", "swaps", "fresh", "orders", "logs", "launches"),
    "4m",
)


@click.command()
@click.option("--swaps", type=click.IntRange(min=1), default=1000, show_default=True)
@click.option("--sessions", type=click.IntRange(min=1, max=20), default=6, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="No progress; one JSON object at the end.")
def main(swaps: int, sessions: int, as_json: bool) -> None:
    """Swap a working pool back and forth; end with 0 only when nothing was lost, doubled or left and memory is flat."""
    interrupt.by_signals()
    batches = -(-swaps // _BATCH)
    names = {f"ccl-{number}": "app" for number in range(sessions)}
    settings = {"cooldown": "0s", "fail_back": False, "deadline": {"soft": "2m", "hard": "60s"}}
    extra = {"retention": _KEPT, "janitor": {"every": "1m"}}
    with World(accounts=_ACCOUNTS, sessions=names, failover=settings, extra=extra) as world:
        world.api.control(chunk_delay=0.0, accounts={name: {"u5": 0.1} for name in _ACCOUNTS})
        world.up()
        soak = Soak(world, list(names), quiet=as_json)
        for batch in range(batches):
            soak.batch(batch, min(_BATCH, swaps - batch * _BATCH))
        result = soak.result()
    click.echo(json.dumps(result) if as_json else json.dumps(result, indent=1))
    if result["broken"]:
        raise click.exceptions.Exit(1)


class Soak:
    """One run: what was counted so far."""

    def __init__(self, world: World, names: Sequence[str], quiet: bool) -> None:
        self._world, self._names, self._quiet = world, names, quiet
        self._counts: Counter[str] = Counter()
        self._took: list[float] = []
        self._memory = Memory(world)
        self._target = 0

    def batch(self, number: int, swaps: int) -> None:
        """Make so many swaps with conversations of their own, and count."""
        world = self._world
        world.launch(*self._names, account=_ACCOUNTS[self._target])
        tasks: list[str] = []
        for swap in range(swaps):
            self._keep_busy(tasks, number)
            self._target = 1 - self._target
            began = time.monotonic()
            done = world.cli("swap", "--to", _ACCOUNTS[self._target], check=False)
            self._took.append(time.monotonic() - began)
            self._counts["swaps"] += 1
            if done.returncode:
                self._counts["swaps_not_whole"] += 1
                print(f"swap {swap} of batch {number}: {done.stdout}{done.stderr}", file=sys.stderr)
            self._memory.sample()
        world.wait(lambda: len(self._finished()) >= len(tasks), f"the tasks of batch {number}", _PATIENCE)
        self._count(tasks)
        was = [world.placement(name).conversation for name in self._names]
        for name, conversation in zip(self._names, was, strict=True):
            self._clear(name, conversation)
        world.cli("sessions", "stop", *self._names)
        self._leftovers(was)
        for log in (world.api.log, world.witness, world.sim_log):
            os.truncate(log, 0)  # each is written with O_APPEND, and everybody is quiet
        if not self._quiet:
            print(
                f"{self._counts['swaps']} swaps, {self._counts['tasks']} tasks: {dict(self._counts)}", file=sys.stderr
            )

    def _clear(self, name: str, conversation: str) -> None:
        """Go on in a new conversation, as a person does."""
        world = self._world
        world.wait(lambda: world.state_of(name) == "idle", f"{name} at rest", _PATIENCE)
        world.type(name, "/clear")
        world.wait(lambda: world.placement(name).conversation != conversation, f"a new conversation in {name}")

    def _keep_busy(self, tasks: list[str], batch: int) -> None:
        while len(tasks) - len(self._finished()) < len(self._names):
            name = f"t{batch}-{len(tasks)}"
            drop_task(self._world, "app", name, _STEPS, _STEP_SECONDS)
            tasks.append(name)

    def _finished(self) -> list[str]:
        return [row["name"] for row in self._world.query("SELECT name FROM tasks WHERE state IN ('done', 'failed')")][
            self._counts["tasks"] :
        ]

    def _count(self, tasks: list[str]) -> None:
        world = self._world
        found = audit.audit(world.api.records(), world.steps(), world.simulated())
        ends = Counter((note["task"], note["step"]) for note in world.steps() if note["event"] == "end")
        self._counts["tasks"] += len(tasks)
        self._counts["moves"] += found.moves
        self._counts["lost_turns"] += found.lost_turns
        self._counts["lost_tool_results"] += found.lost_tool_results
        self._counts["tools_run_twice"] += found.tools_run_twice + len(found.started_twice)
        self._counts["double_processes"] += len(found.double_processes)
        self._counts["tasks_lost"] += sum(not all((task, step + 1) in ends for step in range(_STEPS)) for task in tasks)
        for loss in found.losses:
            print(f"lost: {loss}", file=sys.stderr)

    def _leftovers(self, conversations: Sequence[str]) -> None:
        """Count what a batch left behind: processes of its sessions, holds, open swaps, markers, files half made."""
        world = self._world
        for conversation in (*conversations, *(world.placement(name).conversation for name in self._names)):
            self._counts["processes_left"] += len(process.with_argument(conversation))
        self._counts["rows_left"] += len(world.query("SELECT 1 FROM holds")) + len(
            world.query("SELECT 1 FROM swaps WHERE state = 'open'")
        )
        inbox = world.projects["app"] / ".agent-queue" / "inbox"
        self._counts["markers_left"] += len(list(inbox.glob("*.dispatched")))
        self._counts["files_left"] += len(list(world.state.rglob("*.part")))

    def result(self) -> dict[str, Any]:
        """Return all counts, and in words what is wrong."""
        memory = self._memory.quarters()
        broken = [
            f"{name}: {count}"
            for name, count in self._counts.items()
            if name not in ("swaps", "moves", "tasks") and count
        ]
        broken += [f"{role} grew: {found}" for role, found in grown(memory).items()]
        if self._memory.started_anew():
            broken.append("a role was started anew")
        return {
            **self._counts,
            "swap_seconds": {"p50": round(median(self._took), 2), "max": round(max(self._took), 2)},
            "pss_mib_by_quarter": memory,
            "broken": broken,
        }


if __name__ == "__main__":
    main()
