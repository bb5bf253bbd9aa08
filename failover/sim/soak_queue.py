"""Thousands of task files over many projects, worked off by twenty sessions, while roles and sessions are killed.

Everything is real but the binary and the API, which are simulated: the daemon with all its roles under supervisord,
the bus, the store, tmux and the files. What is held against the promises is what the binaries noted of themselves and
what lies in the folders, not what the daemon says.
"""

from __future__ import annotations

import contextlib
import json
import random
import re
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from typing import Any

import click

from failover.host import daemon, process
from failover.host.process import ProcessId
from failover.sim import interrupt
from failover.sim.demo import keep_copy
from failover.sim.nemesis.operator import Operator
from failover.sim.world import World
from failover.store import sessions as placed
from failover.store import tasks

#: The dispatcher is what is tested most; nobody is spared.
_WEIGHTS = {"dispatcher": 4, "account-switcher": 2, "control-plane": 2}
_PRIORITIES = 3
#: How long nothing may end before the run is given up, and before nobody is killed any more (seconds).
_STANDSTILL, _REST = 240.0, 30.0
_TRIES = 60
#: How long each piece of an answer takes (seconds): a turn lasts long enough to be killed in.
_CHUNK = 0.05
#: What ends a turn in a binary's own notes, at the latest: `start` is of the next one that was given the number.
_ENDS = ("turn_over", "exit", "prompt_accepted", "start")
_PROMPT = re.compile(r"\[task (\d+), attempt (\d+)\] ")


@dataclass(frozen=True)
class Turn:
    """A prompt of a task that a session's binary began, by its own note. begin, end: epoch seconds; end is when it had
    answered, or when the next thing is known of it: its next prompt, or its death."""

    task: int
    attempt: int
    pid: int
    begin: float
    end: float


@dataclass
class Report:
    """What was seen. broken: promises that were not kept, in words; turns: prompts of tasks that were begun; kept:
    where all files are that the run has left, if one was broken."""

    files: int
    projects: int
    sessions: int
    seed: int
    ended: Counter[str] = field(default_factory=Counter)
    kills: Counter[str] = field(default_factory=Counter)
    deaths: int = 0
    turns: int = 0
    anew: int = 0
    attempts: Counter[int] = field(default_factory=Counter)
    seconds: float = 0.0
    broken: list[str] = field(default_factory=list)
    kept: str = ""


class Soak:
    """One run. every, deaths: seconds between two kills of roles, of sessions, on average (0: none)."""

    def __init__(self, world: World, report: Report, every: float, deaths: float, quiet: bool) -> None:
        self._world, self.report, self._quiet = world, report, quiet
        self._every, self._between_deaths = every, deaths
        self._chance = random.Random(f"kills {report.seed}")
        self._operator = Operator(world, lambda text: None)
        self._died: dict[int, list[float]] = {}  # binary that we killed → when (epoch seconds)
        self._launching: set[str] = set()
        self._names: dict[str, Path] = {}

    def run(self) -> None:
        """Drop the files, let them be worked off, check. Raises TimeoutError when nothing goes on."""
        world, files = self._world, self.report.files
        world.up()
        world.launch()
        self._give("pause")  # until all stand there, so that their order is known
        began = time.monotonic()
        self._drop()
        self._until(lambda: self._count("1"), files, "queued")
        self._give("resume")
        self._until(lambda: self._count("state IN ('done', 'failed')"), files, "ended")
        self.report.seconds = round(time.monotonic() - began, 1)
        self._come_to_rest()
        self._check()

    def close(self) -> None:
        """Give no more commands."""
        self._operator.close()

    def _give(self, *command: str) -> None:
        if self._operator.give(*command, tries=_TRIES):
            raise TimeoutError(f"claude-failover {' '.join(command)} did not succeed in {_TRIES} tries")

    def _drop(self) -> None:
        """Put the files into the inboxes, a project's one after another: a session that is there goes on there."""
        projects, files = self._world.config.projects, self.report.files
        for number in range(files):
            project, name = projects[number * len(projects) // files], f"t{number:05}"
            inbox = project / ".agent-queue" / "inbox"
            part = inbox / f".{name}.part"
            part.write_text(f"---\npriority: {self._chance.randrange(_PRIORITIES)}\n---\nSay hello.\n")
            part.rename(inbox / f"{name}.md")
            self._names[name] = project

    def _count(self, where: str) -> int:
        return int(self._world.query(f"SELECT count(*) FROM tasks WHERE {where}")[0][0])

    def _until(self, count: Callable[[], int], wanted: int, what: str) -> None:
        """Kill at random until as many are so."""
        kill_at, die_at = self._next(self._every), self._next(self._between_deaths)
        last, moved_at, told_at = -1, time.monotonic(), time.monotonic()
        while (now_so := count()) < wanted:
            now = time.monotonic()
            if now_so != last:
                last, moved_at = now_so, now
            # Whoever is killed every few seconds for ever cannot wait for anything; so in the end all may come to rest.
            if now - moved_at < _REST:
                if now > kill_at:
                    self._kill_a_role()
                    kill_at = self._next(self._every)
                if now > die_at and what == "ended" and self._kill_a_session():
                    die_at = self._next(self._between_deaths)
            self._launch_the_dead()
            if not self._quiet and now - told_at > 10:
                told_at = now
                print(f"{now_so} of {wanted} {what}; killed: {dict(self.report.kills)}, {self.report.deaths} sessions",
                      file=sys.stderr)  # fmt: skip
            if now - moved_at > _STANDSTILL:
                states = [tuple(r) for r in self._world.query("SELECT state, count(*) FROM tasks GROUP BY state")]
                raise TimeoutError(f"nothing ended for {_STANDSTILL:g} s: {states}\n{self._world.report()}")
            time.sleep(0.05)

    def _next(self, between: float) -> float:
        return time.monotonic() + self._chance.expovariate(1 / between) if between else float("inf")

    def _kill_a_role(self) -> None:
        role = self._chance.choices(daemon.ROLES, [_WEIGHTS.get(role, 1) for role in daemon.ROLES])[0]
        for row in self._world.query("SELECT pid, start FROM roles WHERE role = ?", role):
            self.report.kills[role] += process.send_signal(ProcessId(row["pid"], row["start"]), signal.SIGKILL)

    def _kill_a_session(self) -> bool:
        """End the process of a session that is at a task; say whether there was one."""
        with contextlib.closing(self._world.store) as store:
            living = placed.placements(store)
            busy = [task.session for task in tasks.handed_over(store) if task.state == "running"]
        one = living[self._chance.choice(busy)] if busy else None
        if one is None or not process.send_signal(ProcessId(one.pid, one.start), signal.SIGKILL):
            return False
        self._died.setdefault(one.pid, []).append(time.time())
        self.report.deaths += 1
        return True

    def _launch_the_dead(self) -> None:
        """Start sessions whose process is gone, as a person would."""
        for row in self._world.query("SELECT name FROM sessions WHERE state = 'exited'"):
            name = row["name"]
            if name not in self._launching:
                self._launching.add(name)
                self._operator.beside(lambda name=name: self._launch(name))  # type: ignore[misc]

    def _launch(self, name: str) -> None:
        try:
            self._operator.give("sessions", "launch", name, tries=3)
        finally:
            self._launching.discard(name)

    def _come_to_rest(self) -> None:
        """Wait until nobody is at work and no move is open."""
        world = self._world

        def rests() -> bool:
            self._launch_the_dead()
            states = {row["state"] for row in world.query("SELECT state FROM sessions")}
            return states == {"idle"} and not world.query("SELECT 1 FROM swaps WHERE state = 'open'")

        world.wait(rests, "all sessions at rest", 120)

    # -- the checks -----------------------------------------------------------------------------------

    def _check(self) -> None:
        report, world = self.report, self._world
        self._check_files()
        begun = turns(world.simulated(), self._died)
        report.turns, report.broken = len(begun), report.broken + against(begun)
        anew = (
            "SELECT count(*) FROM moves m JOIN swaps s ON s.id = m.swap WHERE s.kind = 'fresh' AND m.state = 'verified'"
        )
        report.anew = int(world.query(anew)[0][0])
        rows = world.query(
            "SELECT id, project, priority, attempt, max_attempts, state, json_extract(body, '$.since_call') AS since"
            " FROM tasks ORDER BY queued_ms, id"
        )
        report.attempts = Counter(row["attempt"] for row in rows)
        report.broken += [
            f"task {row['id']} has failed after {row['attempt']} of {row['max_attempts']} attempts"
            for row in rows
            if row["state"] == "failed" and row["attempt"] < row["max_attempts"]
        ]
        report.broken += out_of_order([dict(row) for row in rows])
        for what, sql in (
            ("holds", "SELECT 1 FROM holds"), ("requests", "SELECT 1 FROM fresh_requests"),
            ("open tasks", "SELECT 1 FROM tasks WHERE state NOT IN ('done', 'failed')"),
        ):  # fmt: skip
            if left := len(world.query(sql)):
                report.broken.append(f"{left} {what} are left")

    def _check_files(self) -> None:
        report = self.report
        for name, project in self._names.items():
            queue = project / ".agent-queue"
            ends = [where for where in ("done", "failed") if (queue / where / f"{name}.md").exists()]
            report.ended[ends[0] if len(ends) == 1 else "nowhere or twice"] += 1
            if len(ends) != 1 or not (queue / ends[0] / f"{name}.result.json").exists():
                report.broken.append(f"{name} ended in {ends or 'no folder'}, or without its result")
        for project in self._world.config.projects:
            queue = project / ".agent-queue"
            left = [p.name for p in (*(queue / "inbox").iterdir(), *queue.rglob("*.part"))]
            count = sum(1 for where in ("done", "failed") for _ in (queue / where).glob("*.md"))
            if left or count != sum(one == project for one in self._names.values()):
                report.broken.append(f"{project.name}: left behind: {left}; {count} files in done/ and failed/")


def turns(notes: Sequence[dict[str, Any]], died: Mapping[int, Sequence[float]]) -> list[Turn]:
    """Return the turns of tasks by the binaries' own notes. died: pid → epoch seconds at which one of that number was
    killed; in a long run numbers are given anew."""
    by_process: dict[int, list[dict[str, Any]]] = {}
    for note in sorted(notes, key=lambda one: float(one["t"])):
        by_process.setdefault(int(note["pid"]), []).append(note)
    found = []
    for pid, told in by_process.items():
        for place, note in enumerate(told):
            if note["event"] != "prompt_accepted" or not (named := _PROMPT.match(note["text"].lstrip())):
                continue
            ends = [after["t"] for after in told[place + 1 :] if after["event"] in _ENDS]
            ends += [at for at in died.get(pid, ()) if at >= note["t"]]
            found.append(Turn(int(named[1]), int(named[2]), pid, float(note["t"]), min(map(float, ends), default=inf)))
    return sorted(found, key=lambda turn: turn.begin)


def against(begun: Sequence[Turn]) -> list[str]:
    """Return what speaks against turns: an attempt that was begun twice, a task that was with two sessions at once."""
    times = Counter((turn.task, turn.attempt) for turn in begun)
    broken = [f"task {task} attempt {attempt} was begun {n} times" for (task, attempt), n in times.items() if n > 1]
    last: dict[int, Turn] = {}
    for turn in begun:
        before = last.get(turn.task)
        if before is not None and before.end > turn.begin:
            broken.append(f"task {turn.task} was with processes {before.pid} and {turn.pid} at once")
        last[turn.task] = turn
    return broken


def out_of_order(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Return which tasks of a project were handed over before an older one of the same project and priority.

    Told by the newest hook call at the first hand-over, of those that ended with their first attempt: what is offered
    again because its session was lost comes later than what was younger, and that is as it should be. rows: in the
    order in which they were queued.
    """
    last: dict[tuple[str, int], int] = {}
    broken = []
    for row in rows:
        key = (row["project"], row["priority"])
        if row["attempt"] == 1:
            if row["since"] < last.get(key, 0):
                broken.append(f"task {row['id']} was handed over after a younger one of its project and priority")
            last[key] = max(last.get(key, 0), row["since"])
    return broken


def soak(
    files: int, projects: int, count: int, seed: int, every: float, deaths: float = 0.0, quiet: bool = True
) -> Report:
    """Run it once and return what was seen."""
    report = Report(files, projects, count, seed)
    names = {f"s{number}": "p00000" for number in range(count)}
    with World(accounts=("main",), sessions=names) as world:
        folders = [world.root / "projects" / f"p{number:05}" for number in range(projects)]
        for folder in folders:
            (folder / ".agent-queue" / "inbox").mkdir(parents=True, exist_ok=True)
        world._extra |= {
            "projects": [str(folder) for folder in folders],
            "sessions": [{"name": name, "project": str(folders[0]), "serves": "all"} for name in names],
            "dispatch": {"per_project": 1, "max_attempts": 10},
        }
        world.write_config()
        world.api.control(chunk_delay=_CHUNK)
        run = Soak(world, report, every, deaths, quiet)
        try:
            run.run()
        except TimeoutError as error:
            report.broken.append(str(error))
        finally:
            run.close()
        if report.broken:
            report.kept = str(keep_copy(world))
    return report


@click.command()
@click.option("--files", type=click.IntRange(1, 100_000), default=10_000, show_default=True)
@click.option("--projects", type=click.IntRange(1, 10_000), default=1000, show_default=True)
@click.option("--sessions", type=click.IntRange(1, 100), default=20, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--every", type=float, default=10.0, show_default=True, help="Seconds between two kills of roles.")
@click.option("--deaths", type=float, default=30.0, show_default=True, help="The same of sessions; 0: none.")
@click.option("--json", "as_json", is_flag=True, help="No progress; one JSON object at the end.")
def main(files: int, projects: int, sessions: int, seed: int, every: float, deaths: float, as_json: bool) -> None:
    """Work task files off while roles and sessions are killed; end with 0 only when every promise was kept."""
    interrupt.by_signals()
    report = soak(files, projects, sessions, seed, every, deaths, quiet=as_json)
    click.echo(json.dumps(vars(report)))
    if report.broken:
        raise click.exceptions.Exit(1)


if __name__ == "__main__":
    main()
