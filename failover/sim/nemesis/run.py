"""The nemesis: a made-up host at work, and for minutes everything that can go wrong with it; then the promises are held
against what was seen.

scripts/nemesis --seed N --minutes M [--real] [--sessions 6] [--json] [--keep]

Tasks flow, accounts run out and open again, people order swaps, while roles are killed and stopped, the daemon is
ended, its disk filled, its bus fed with garbage, the API throttled and sessions crashed (failover.sim.nemesis.plan says
when, from the seed alone). Then everything is let come to rest, each session is asked a last question, and
failover.sim.nemesis.checks reads the store, the journals and what outsiders noted. The last line on stdout is one JSON
object; exit 0 means that no promise was broken.
"""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from failover.sim import interrupt, real_cli
from failover.sim.demo import keep_copy
from failover.sim.nemesis import checks, figures, plan, records
from failover.sim.nemesis.disk import Disk
from failover.sim.nemesis.hands import Hands
from failover.sim.nemesis.plan import Pace, TaskSpec
from failover.sim.nemesis.records import Record
from failover.sim.nemesis.rest import Rest
from failover.sim.nemesis.watch import Watch
from failover.sim.world import World

ACCOUNTS = ("main", "backup", "spare")
#: How long a window lasts here, and how long after the start each account's first one ends (seconds).
_WINDOW_5H, _WINDOW_7D, _STAGGER = 40.0, 60.0, 11.0
_FAILOVER = {
    "cooldown": "3s",
    "margin": 5,
    "deadline": {"soft": "60s", "hard": "10s"},
    "wait_if_reset_within": "0s",
}
#: A task that sessions were killed under so often is nobody's fault but ours.
_DISPATCH = {"max_attempts": 25}
_TICK = 0.05


@click.command()
@click.option("--seed", default=1, show_default=True, help="What happens and when follows from this number alone.")
@click.option("--minutes", default=1.0, show_default=True, help="How long faults are made.")
@click.option("--real", is_flag=True, help="With the real Claude Code (installed from npm if need be).")
@click.option("--sessions", "count", type=int, help="How many sessions; by default 6, with --real 3.")
@click.option("--patience", default=300.0, show_default=True, help="Seconds in which all must come to rest at the end.")
@click.option("--json", "quiet", is_flag=True, help="Show nothing but the JSON object.")
@click.option("--keep", is_flag=True, help="Keep a copy of everything if a promise was broken; its path is printed.")
def main(seed: int, minutes: float, real: bool, count: int | None, patience: float, quiet: bool, keep: bool) -> None:
    """Break what can be broken and see whether the promises hold."""
    interrupt.by_signals()
    binary = real_cli.real_claude() if real else None
    say = _silent if quiet else lambda line: print(line, file=sys.stderr, flush=True)
    result = run(seed, minutes, binary, count or (3 if real else 6), say=say, keep=keep, patience=patience)
    click.echo(json.dumps(result))
    raise SystemExit(1 if result["broken"] else 0)


def _silent(line: str) -> None:
    pass


def run(
    seed: int,
    minutes: float,
    real: Path | None,
    sessions: int,
    *,
    say: Callable[[str], None],
    keep: bool = False,
    patience: float = 300.0,
) -> dict[str, Any]:
    """Run the nemesis and return its figures; `broken` holds one sentence for each broken promise."""
    names = {f"ccl-{number}": ("app" if number % 2 == 0 else "web") for number in range(sessions)}
    extra = {"dispatch": _DISPATCH}
    with contextlib.ExitStack() as stack:
        world = World(real=real, accounts=ACCOUNTS, sessions=names, failover=_FAILOVER, extra=extra, wrong_clock=True)
        disk = Disk(world.state)
        stack.callback(disk.remove)
        stack.enter_context(world)
        nemesis = Nemesis(world, disk, seed, plan.REAL if real else plan.SIMULATED, say)
        stack.callback(nemesis.hands.close)
        record = nemesis.rage(minutes * 60, patience)
        broken = checks.broken(record)
        result = {"seed": seed, "minutes": minutes, **figures.figures(record, nemesis.hands), "broken": broken}
        if broken and keep:
            (world.root / "nemesis.log").write_text("\n".join([*nemesis.hands.log, "", *broken, ""]))
            result["kept"] = str(keep_copy(world))
        for sentence in broken:
            say(f"BROKEN {sentence}")
    return result


class Nemesis:
    """One run on one world."""

    def __init__(self, world: World, disk: Disk, seed: int, pace: Pace, say: Callable[[str], None]) -> None:
        self.hands = Hands(world, disk, say)
        self._world, self._seed, self._pace = world, seed, pace
        self._watch = Watch(world)
        self._tasks = plan.tasks(seed, list(world.projects), pace)
        self._dropped: dict[str, TaskSpec] = {}
        self._rest = Rest(world, self.hands.operator, self._dropped, self.hands.note)

    def rage(self, seconds: float, patience: float) -> Record:
        """Start everything, make faults for `seconds`, let it come to rest, and return what was seen.

        patience: seconds that it may take to come to rest, since tasks are left over, accounts have to open again, and
        machines are busy.
        """
        world, hands = self._world, self.hands
        self._set_up()
        acts = plan.acts(self._seed, seconds, list(world.sessions), ACCOUNTS, self._pace)
        began = time.monotonic()
        fed = 0.0
        while (now := time.monotonic() - began) < seconds:
            while acts and acts[0].at <= now:
                hands.do(acts.pop(0))
            hands.pump()
            if now >= fed:
                fed = now + 0.5
                self._feed()
                hands.watch_daemon()
            time.sleep(_TICK)
        hands.note("no more faults")
        world.api.control(accounts={name: {"mode": "ok", "u5": 0.02, "u7": 0.02} for name in ACCOUNTS})
        until = time.monotonic() + patience
        while hands.busy and time.monotonic() < until:
            hands.pump()
            hands.watch_daemon()
            time.sleep(_TICK)
        unrest = self._rest.come(patience)
        self._watch.stop()
        record = records.read(world, hands.jumps)
        record.dropped, record.seen, record.unrest = self._dropped, self._watch.seen, unrest
        record.rested = self._rest.since
        record.crashes, record.kills, record.found = hands.crashes, hands.kills, hands.found
        hands.note("all is read")
        record.seen.secrets += [f"the file {path}" for path in records.secrets(world)]
        return record

    def _set_up(self) -> None:
        world = self._world
        accounts = {}
        for number, name in enumerate(ACCOUNTS):
            resets = {"reset5_in": _WINDOW_5H - number * _STAGGER, "reset7_in": _WINDOW_7D - number * _STAGGER}
            windows = {"window5": _WINDOW_5H, "window7": _WINDOW_7D}
            accounts[name] = {"u5": 0.1, "u7": 0.1, "cost5": 0.001, **windows, **resets}
        world.api.control(chunk_delay=0.01, accounts=accounts)
        world.up()
        self._watch.start()
        world.launch()
        self.hands.note(f"{len(world.sessions)} sessions run; seed {self._seed}")

    def _feed(self) -> None:
        """Keep as many tasks in the inboxes as there are sessions."""
        inboxes = [project / ".agent-queue" / "inbox" for project in self._world.projects.values()]
        waiting = sum(path.suffix == ".md" for inbox in inboxes for path in inbox.iterdir())
        for _ in range(len(self._world.sessions) - waiting):
            task = next(self._tasks)
            self._dropped[task.name] = task
            _drop(self._world, task)


def _drop(world: World, task: TaskSpec) -> None:
    """Put a task into its project's inbox by rename. Each step's length stands in a list that the shell looks up."""
    inbox = world.projects[task.project] / ".agent-queue" / "inbox"
    lengths = " ".join(str(seconds) for seconds in task.steps)
    command = f"set -- {lengths}; {world.step} {task.name} {{step}} ${{{{step}}}}"
    text = f'# {task.name}\n\nPLAN{{name={task.name} steps={len(task.steps)} command="{command}"}}\n'
    temporary = inbox.parent / f"{task.name}.new"
    temporary.write_text(text)
    temporary.rename(inbox / f"{task.name}.md")


if __name__ == "__main__":
    main()
