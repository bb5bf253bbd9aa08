"""Thousands of task files over many projects, worked off by played sessions, while the dispatcher is killed at random.

The dispatcher, the bus, the store, tmux and the files are the real ones. What is played, so that ten thousand tasks
take minutes: the binary (a prompt box in a pane, whose turn lasts milliseconds) and the roles beside the dispatcher:
hooks, sightings and new starts are written here as those roles write them. Every prompt that a session was given is
noted, and the checks rest on those notes and on the files, not on what the dispatcher says of itself.
"""

from __future__ import annotations

import contextlib
import heapq
import json
import os
import random
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import msgspec

from failover.bus.publisher import Publisher
from failover.config import load
from failover.core.session import HookCall, SessionState
from failover.host import process
from failover.host.tmux import Tmux
from failover.sim import typist
from failover.store import flags, fresh, hooks, sessions, swaps
from failover.store.db import Store
from failover.store.sessions import Placement, Sighting

_ROLES = ("dispatcher", "bus")
_PRIORITIES = 3
#: How long a turn lasts, at most (seconds), and how many of a hundred end with the death of their session.
_TURN, _DEATHS = 0.02, 1
_STANDSTILL, _REST = 60.0, 5.0


@dataclass
class Turn:
    """A prompt that a session was given. begin, end: monotonic seconds."""

    task: int
    attempt: int
    session: str
    begin: float
    end: float = 0.0


@dataclass
class Report:
    """What was seen. broken: promises that were not kept, in words."""

    files: int
    projects: int
    ended: Counter[str] = field(default_factory=Counter)
    kills: Counter[str] = field(default_factory=Counter)
    deaths: int = 0
    anew: int = 0
    seconds: float = 0.0
    broken: list[str] = field(default_factory=list)


class Floor:
    """The sessions and everything around the dispatcher."""

    def __init__(self, root: Path, files: int, projects: int, names: list[str], seed: int) -> None:
        self.root, self._random = root, random.Random(seed)
        self.projects = [root / "projects" / f"p{number:04}" for number in range(projects)]
        for project in self.projects:
            (project / ".agent-queue" / "inbox").mkdir(parents=True)
        self.socket = f"failover-{root.name}"
        self._config_file = root / "config.yaml"
        home = str(self.projects[0])
        self._config_file.write_text(
            json.dumps(
                {
                    "version": 1,
                    "state_dir": str(root / "state"),
                    "shared_dir": str(root / "claude"),
                    "accounts": [{"name": "main", "config_dir": str(root / "main")}],
                    "sessions": [{"name": name, "project": home, "serves": "all"} for name in names],
                    "projects": [str(project) for project in self.projects],
                    "tmux": {"socket": self.socket},
                }
            )
        )
        self._config_file.chmod(0o600)
        self.config = load(self._config_file)
        self.config.paths.ensure()
        self.store = Store.open(self.config.paths.store, "control-plane", secrets.token_hex(4))
        self._publisher = Publisher(self.config.paths.bus_in)
        self.store.on_commit = self._publisher.send
        self._tmux = Tmux(self.socket, conf="/dev/null")
        self._roles: dict[str, subprocess.Popen[bytes]] = {}
        self._read: dict[str, int] = {}
        self._open: dict[str, Turn] = {}
        self._ends: list[tuple[float, str]] = []
        self.turns: list[Turn] = []
        self.report = Report(files, projects)

    # -- roles ----------------------------------------------------------------------------------------

    def start(self, role: str) -> None:
        """Start a real role."""
        environment = {**os.environ, "FAILOVER_CONFIG": str(self._config_file), "HOME": str(self.root)}
        log = (self.root / f"{role}.log").open("ab")
        self._roles[role] = subprocess.Popen(
            [sys.executable, "-m", f"workers.{role}"],
            env=environment, cwd=Path(__file__).parents[2], stdout=log, stderr=log,
        )  # fmt: skip
        log.close()

    def kill(self, role: str) -> None:
        """End a role as nothing can be caught, and start it anew."""
        self._roles[role].kill()
        self._roles[role].wait()
        self.report.kills[role] += 1
        self.start(role)

    def close(self) -> None:
        """End everything."""
        for one in self._roles.values():
            one.kill()
            one.wait()
        self._publisher.close()
        self.store.close()
        subprocess.run(["tmux", "-L", self.socket, "kill-server"], capture_output=True, timeout=20)
        (Path(os.environ.get("TMUX_TMPDIR", "/tmp")) / f"tmux-{os.geteuid()}" / self.socket).unlink(missing_ok=True)

    # -- sessions -------------------------------------------------------------------------------------

    def launch(self, name: str) -> None:
        """Start a session's prompt box, seen idle."""
        where = self.root / name
        where.mkdir()
        pane = self._tmux.new_session(
            name, self.projects[0], [sys.executable, "-S", str(Path(typist.__file__)), str(where)]
        )
        found = process.identify(pane.pid)
        while not (where / "ready").exists() or found is None:
            time.sleep(0.01)
        self._place(
            Placement(
                session=name, account="main", conversation="", cwd=str(self.projects[0]), wanted="running", launch="",
                pane=pane.pane_id, pid=found.pid, start=found.start,
            )
        )  # fmt: skip

    def _place(self, placement: Placement, conversation: str = "", cwd: str = "", request: int = 0) -> None:
        """Let a session be started, in a new conversation."""
        placed = msgspec.structs.replace(
            placement,
            conversation=conversation or str(uuid.uuid4()),
            cwd=cwd or placement.cwd,
            launch=secrets.token_hex(6),
        )
        with self.store.transaction() as tx:
            if request:
                number = swaps.begin(
                    tx, kind="fresh", source="main", target="", urgency="idle", reason="", order_id=0,
                    request_id=request, started_ms=1, started_mono=1.0, deadline_mono=0.0, host_boot="",
                )  # fmt: skip
                swaps.finish(tx, number, "done", "", 1)
            sessions.place(tx, placed)
        self._hook(placed, "idle", "SessionStart", source="startup")

    def _hook(self, placed: Placement, state: SessionState, hook: str, **fields: Any) -> None:
        call = HookCall(id=0, launch=placed.launch, conversation=placed.conversation, hook=hook, **fields)
        with self.store.transaction() as tx:
            sessions.sight(
                tx,
                Sighting(
                    name=placed.session, state=state, since_ms=1, seen_ms=1, conversation=placed.conversation,
                    pid=placed.pid, start=placed.start, pane=placed.pane,
                ),
            )  # fmt: skip
            hooks.record_hook(self.store, tx, session=placed.session, account="main", boot="b", call=call, held=False)

    def look(self) -> bool:
        """Let the sessions go on where they can; say whether any did."""
        placed = sessions.placements(self.store)
        moved = self._end_turns(placed)
        for name, text in self._typed(placed):
            self._begin(placed[name], text)
            moved = True
        for request in fresh.unserved(self.store):
            if request.session not in self._open and placed[request.session].launch == request.launch:
                self._place(placed[request.session], request.conversation, request.cwd, request.id)
                self.report.anew += 1
                self._begin(sessions.placements(self.store)[request.session], request.prompt)
                moved = True
                break  # the next look sees what is unserved now
        self._publisher.pump()
        return moved

    def _typed(self, placed: dict[str, Placement]) -> Iterator[tuple[str, str]]:
        for name in placed:
            file = self.root / name / "submitted"
            size = file.stat().st_size if file.exists() else 0
            if name not in self._open and size > self._read.get(name, 0):
                with file.open() as stream:
                    stream.seek(self._read.get(name, 0))
                    line = stream.readline()
                self._read[name] = self._read.get(name, 0) + len(line.encode())
                yield name, line

    def _begin(self, placed: Placement, text: str) -> None:
        number, attempt = (int(part.split()[-1]) for part in text.partition("]")[0].split(","))
        turn = Turn(number, attempt, placed.session, time.monotonic())
        self.turns.append(turn)
        self._open[placed.session] = turn
        self._hook(placed, "working", "UserPromptSubmit", prompt=text.strip())
        heapq.heappush(self._ends, (turn.begin + self._random.uniform(0, _TURN), placed.session))

    def _end_turns(self, placed: dict[str, Placement]) -> bool:
        moved = False
        while self._ends and self._ends[0][0] <= time.monotonic():
            _, name = heapq.heappop(self._ends)
            turn = self._open.pop(name)
            turn.end = time.monotonic()
            if self._random.uniform(0, 100) < _DEATHS:
                self.report.deaths += 1
                self._hook(placed[name], "exited", "SessionEnd")
                self._place(placed[name])  # started again at once, by hand, in a new conversation
            else:
                self._hook(placed[name], "idle", "Stop", background=0, message="done")
            moved = True
        return moved

    # -- checks ---------------------------------------------------------------------------------------

    def check(self, dropped: dict[str, Path]) -> None:
        """Hold what was seen against the promises."""
        broken, report = self.report.broken, self.report
        for name, project in dropped.items():
            queue = project / ".agent-queue"
            ends = [where for where in ("done", "failed") if (queue / where / f"{name}.md").exists()]
            left = [path.name for path in (queue / "inbox").glob(f"{name}.md*")]
            report.ended[ends[0] if ends else "nowhere"] += 1
            if len(ends) != 1 or left or not (queue / ends[0] / f"{name}.result.json").exists():
                broken.append(f"{name} ended in {ends or 'no folder'}, left in the inbox: {left}")
        times = Counter((turn.task, turn.attempt) for turn in self.turns)
        broken += [
            f"task {task} attempt {attempt} was begun {n} times" for (task, attempt), n in times.items() if n > 1
        ]
        by_task: dict[int, list[Turn]] = {}
        for turn in sorted(self.turns, key=lambda one: one.begin):
            before = by_task.setdefault(turn.task, [])
            if before and before[-1].end > turn.begin:
                broken.append(f"task {turn.task} was with {before[-1].session} and {turn.session} at once")
            before.append(turn)
        self._check_order()

    def _check_order(self) -> None:
        """Within a priority, who was queued first was handed over first: by the hook calls that had come by then."""
        rows = self.store.query(
            "SELECT id, priority, json_extract(body, '$.since_call') AS since FROM tasks WHERE attempt = 1"
            " ORDER BY priority, queued_ms, id"
        )
        last: dict[int, int] = {}
        for row in rows:
            if row["since"] < last.get(row["priority"], 0):
                self.report.broken.append(f"task {row['id']} was handed over before an older one of its priority")
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
        floor.check(dropped)
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
