"""Thousands of task files over many projects, worked off by played sessions, while the dispatcher is killed at random.

The dispatcher, the bus, the store, tmux and the files are the real ones. What is played, so that ten thousand tasks
take minutes: the binary (a prompt box in a pane, whose turn lasts milliseconds) and the roles beside the dispatcher:
hooks, sightings and new starts are written here as those roles write them. Every prompt that a session was given is
noted, and the checks rest on those notes and on the files, not on what the dispatcher says of itself.
"""

from __future__ import annotations

import contextlib
import json
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import click

from failover.sim.played import Floor, Report, Turn
from failover.store import flags

_ROLES = ("dispatcher", "bus")
_PRIORITIES = 3
#: How long nothing may go on before the run is given up, and before nobody is killed any more (seconds).
_STANDSTILL, _REST = 60.0, 5.0


def check(floor: Floor, dropped: dict[str, Path]) -> None:
    """Hold what was seen against the promises."""
    broken, report = floor.report.broken, floor.report
    for name, project in dropped.items():
        queue = project / ".agent-queue"
        ends = [where for where in ("done", "failed") if (queue / where / f"{name}.md").exists()]
        left = [path.name for path in (queue / "inbox").glob(f"{name}.md*")]
        report.ended[ends[0] if ends else "nowhere"] += 1
        if len(ends) != 1 or left or not (queue / ends[0] / f"{name}.result.json").exists():
            broken.append(f"{name} ended in {ends or 'no folder'}, left in the inbox: {left}")
    times = Counter((turn.task, turn.attempt) for turn in floor.turns)
    broken += [f"task {task} attempt {attempt} was begun {n} times" for (task, attempt), n in times.items() if n > 1]
    by_task: dict[int, list[Turn]] = {}
    for turn in sorted(floor.turns, key=lambda one: one.begin):
        before = by_task.setdefault(turn.task, [])
        if before and before[-1].end > turn.begin:
            broken.append(f"task {turn.task} was with {before[-1].session} and {turn.session} at once")
        before.append(turn)
    _check_order(floor)


def _check_order(floor: Floor) -> None:
    """Within a priority, who was queued first was handed over first: by the hook calls that had come by then."""
    rows = floor.store.query(
        "SELECT id, priority, json_extract(body, '$.since_call') AS since FROM tasks WHERE attempt = 1"
        " ORDER BY priority, queued_ms, id"
    )
    last: dict[int, int] = {}
    for row in rows:
        if row["since"] < last.get(row["priority"], 0):
            floor.report.broken.append(f"task {row['id']} was handed over before an older one of its priority")
        last[row["priority"]] = max(last.get(row["priority"], 0), row["since"])


def soak(files: int, projects: int, count: int, seed: int, every: float, quiet: bool = True) -> Report:
    """Run it once and return what was seen. every: seconds between two kills, on average."""
    root = Path(tempfile.mkdtemp(prefix="cq-"))
    chance = random.Random(f"kills {seed}")
    floor = Floor(root, files, projects, [f"s{number}" for number in range(count)], seed)
    try:
        with floor.store.transaction() as tx:
            flags.pause(tx, 1, "the soak")  # until all stand there, so that their order is known
        for role in _ROLES:
            floor.start(role)
        for number in range(count):
            floor.launch(f"s{number}")
        began, dropped = time.monotonic(), _drop(floor, files, chance)
        _until(floor, lambda: _count(floor, "1") == files, chance, every, quiet, "queued")
        with floor.store.transaction() as tx:
            flags.resume(tx, "the soak")
        _until(floor, lambda: _count(floor, "state IN ('done', 'failed')") == files, chance, every, quiet, "ended")
        floor.report.seconds = round(time.monotonic() - began, 1)
        check(floor, dropped)
    except TimeoutError as error:
        floor.report.broken.append(str(error))
    finally:
        floor.close()
        if not floor.report.broken:
            shutil.rmtree(root, ignore_errors=True)
    return floor.report


def _drop(floor: Floor, files: int, chance: random.Random) -> dict[str, Path]:
    dropped = {}
    for number in range(files):
        project, name = floor.projects[number % len(floor.projects)], f"t{number:05}"
        inbox = project / ".agent-queue" / "inbox"
        part = inbox / f".{name}.part"
        part.write_text(f"---\npriority: {chance.randrange(_PRIORITIES)}\n---\ndo it\n")
        part.rename(inbox / f"{name}.md")
        dropped[name] = project
    return dropped


def _count(floor: Floor, where: str) -> int:
    return int(floor.store.one(f"SELECT count(*) FROM tasks WHERE {where}")[0])


def _until(floor: Floor, done: Any, chance: random.Random, every: float, quiet: bool, what: str) -> None:
    """Let the sessions work and kill roles, until something is so. Raises TimeoutError when nothing goes on."""
    kill_at = time.monotonic() + chance.expovariate(1 / every)
    moved_at = told_at = checked_at = time.monotonic()
    while True:
        now = time.monotonic()
        if floor.look():
            moved_at = now
        else:
            time.sleep(0.002)
        # Whoever is killed every few seconds for ever cannot wait for anything; so in the end all is let come to rest.
        if now > kill_at and now - moved_at < _REST:
            floor.kill(chance.choices(_ROLES, (4, 1))[0])
            kill_at = now + chance.expovariate(1 / every)
        if now - checked_at > 0.25:
            checked_at = now
            if done():
                return
        if not quiet and now - told_at > 10:
            told_at = now
            print(
                f"{what}: {_count(floor, '1')} rows, {len(floor.turns)} turns, {dict(floor.report.kills)}",
                file=sys.stderr,
            )
        if what == "ended" and now - moved_at > _STANDSTILL:
            states = [tuple(row) for row in floor.store.query("SELECT state, count(*) FROM tasks GROUP BY state")]
            raise TimeoutError(f"nothing went on for {_STANDSTILL:g} s: {states}; see {floor.root}")


@click.command()
@click.option("--files", type=click.IntRange(1, 100_000), default=10_000, show_default=True)
@click.option("--projects", type=click.IntRange(1, 10_000), default=1000, show_default=True)
@click.option("--sessions", type=click.IntRange(1, 100), default=20, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--every", type=float, default=5.0, show_default=True, help="Seconds between two kills, on average.")
@click.option("--json", "as_json", is_flag=True, help="No progress; one JSON object at the end.")
def main(files: int, projects: int, sessions: int, seed: int, every: float, as_json: bool) -> None:
    """Work task files off while the dispatcher is killed; end with 0 only when every promise was kept."""
    with contextlib.suppress(ValueError):
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    report = soak(files, projects, sessions, seed, every, quiet=as_json)
    click.echo(json.dumps({**vars(report), "seed": seed}, indent=None if as_json else 1))
    if report.broken:
        raise click.exceptions.Exit(1)


if __name__ == "__main__":
    main()
