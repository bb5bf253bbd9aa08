"""Everything that a run left behind, read once, as plain values for the checks."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from failover.host import daemon, process
from failover.host.lock import RoleLock
from failover.host.process import ProcessId
from failover.sim.nemesis.hands import Crash, Jump
from failover.sim.nemesis.plan import TaskSpec
from failover.sim.nemesis.watch import SECRET, Life, Sightings
from failover.sim.world import World

Row = dict[str, Any]

#: Only these may hold a made-up token: the binary's own files, and a copy of them that it may make.
_LOGINS = re.compile(r"\.credentials\.json.*|\.sim-token")
#: How half-written files are named here (each is renamed when it is whole).
_HALF = re.compile(r".*\.tmp|.*\.part|token\.\d+|\.state\.db\.\d+")


#: What the roles stamp with the time of day, of all that the checks compare.
_STAMPS = frozenset({"at_ms", "started_ms", "finished_ms"})
#: A stamp may be written a little after its clock was read (seconds).
_BLUR = 1.0


@dataclass
class Record:
    """What was seen of a run. Rows are those of the store; `files` are (project, folder, file name)."""

    sessions: tuple[str, ...] = ()
    api: list[Row] = field(default_factory=list)
    witness: list[Row] = field(default_factory=list)
    processes: list[Row] = field(default_factory=list)
    swaps: list[Row] = field(default_factory=list)
    moves: list[Row] = field(default_factory=list)
    journal: list[Row] = field(default_factory=list)
    tasks: list[Row] = field(default_factory=list)
    events: list[Row] = field(default_factory=list)
    placements: list[Row] = field(default_factory=list)
    dropped: dict[str, TaskSpec] = field(default_factory=dict)
    files: list[tuple[str, str, str]] = field(default_factory=list)
    seen: Sightings = field(default_factory=Sightings)
    #: when everything had come to rest (epoch seconds): from then on each session was asked a last question
    rested: float = float("inf")
    crashes: list[Crash] = field(default_factory=list)
    kills: list[tuple[float, str]] = field(default_factory=list)
    #: sentences of what should not be there: locks, holds, processes, half-written files
    leftovers: list[str] = field(default_factory=list)
    #: sentences of what broke while the run went on
    found: list[str] = field(default_factory=list)
    #: sentences of what did not come to rest
    unrest: list[str] = field(default_factory=list)

    @property
    def lives(self) -> list[Life]:
        """Return the processes of sessions that were seen."""
        return self.seen.lives

    def session_of_pane(self) -> dict[str, str]:
        """Return the session by pane id; a pane outlives its processes."""
        rows = [*self.moves, *self.placements]
        return {row["pane"]: row["session"] for row in rows if row["pane"]}


def read(world: World, jumps: Sequence[Jump] = ()) -> Record:
    """Read all that is on disk and in the process table. The daemon runs, and everything is at rest.

    jumps: when the roles' time of day was wrong; what they stamped then is put right.
    """
    return Record(
        sessions=tuple(world.sessions),
        api=world.api.records(),
        witness=world.steps(),
        processes=world.simulated(),
        swaps=[_righted(row, jumps) for row in _rows(world, "SELECT * FROM swaps ORDER BY id")],
        moves=[
            {**json.loads(row["body"]), "id": row["id"], "swap": row["swap"], "state": row["state"]}
            for row in _rows(world, "SELECT * FROM moves ORDER BY id")
        ],
        journal=[_righted(row, jumps) for row in _rows(world, "SELECT * FROM journal ORDER BY id")],
        tasks=[
            {**json.loads(row["body"]), **{key: value for key, value in row.items() if key != "body"}}
            for row in _rows(world, "SELECT * FROM tasks ORDER BY id")
        ],
        events=[_righted({**json.loads(row["body"]), "at_ms": row["at_ms"]}, jumps) for row in _events(world)],
        placements=_rows(world, "SELECT * FROM placements"),
        files=sorted(_queue_files(world)),
        leftovers=[*_holds(world), *_locks(world), *_orphans(world), *_half_written(world)],
    )


def _rows(world: World, sql: str) -> list[Row]:
    return [dict(row) for row in world.query(sql)]


def _righted(row: Row, jumps: Sequence[Jump]) -> Row:
    """Return a row with its stamps as a clock that is right would have made them."""
    return {name: true_ms(value, jumps) if name in _STAMPS else value for name, value in row.items()}


def true_ms(stamp: int, jumps: Sequence[Jump]) -> int:
    """Return what a stamp of a role's clock would be had that been right (epoch milliseconds)."""
    for jump in jumps:
        true = stamp / 1000 - jump.off_by
        if jump.since - _BLUR <= true <= jump.until + _BLUR:
            return int(true * 1000)
    return stamp


def _events(world: World) -> list[Row]:
    wanted = "'role.started', 'task.dispatched'"
    return _rows(world, f"SELECT at_ms, body FROM events WHERE type IN ({wanted}) ORDER BY id")


def _queue_files(world: World) -> Iterator[tuple[str, str, str]]:
    for name, project in world.projects.items():
        for folder in ("inbox", "done", "failed"):
            where = project / ".agent-queue" / folder
            if where.is_dir():
                yield from ((name, folder, path.name) for path in where.iterdir())


# -- leftovers ---------------------------------------------------------------------------------------


def _holds(world: World) -> list[str]:
    rows = _rows(world, "SELECT * FROM holds")
    return [f"a hold stands on {row['conversation']} (move {row['move']})" for row in rows]


def _locks(world: World) -> Iterator[str]:
    """Say which locks are held that nobody needs at rest, and whether the tree's is another's than our switcher's."""
    up = world.config.paths.locks_dir / "up.lock"
    if up.exists() and not _free(up):
        yield f"the lock {up.relative_to(world.root)} is held"
    tree = world.shared / ".claude-failover.lock"
    rows = _rows(world, "SELECT pid, start FROM roles WHERE role = 'account-switcher'")
    # A switcher that began on a full disk could not note itself.
    if _free(tree) or RoleLock(tree).holder() not in [None, *(ProcessId(row["pid"], row["start"]) for row in rows)]:
        yield f"the lock {tree.relative_to(world.root)} is not the running switcher's"


def _free(path: Path) -> bool:
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True


def _orphans(world: World) -> list[str]:
    """Say which processes of this host nobody looks after, and which roles run twice."""
    supervisor = daemon.find(world.config.paths)
    found = orphans(world, supervisor)
    if supervisor is not None:
        roles = [process.cmdline(one)[-1] for one in process.children(supervisor.pid) if process.cmdline(one)]
        if sorted(roles) != sorted(f"workers.{role.replace('-', '_')}" for role in daemon.ROLES):
            found.append(f"under supervisord run {', '.join(sorted(roles))}")
    return found


def orphans(world: World, supervisor: ProcessId | None) -> list[str]:
    """Return the processes with a path of this host in their arguments that have no parent of this host."""
    mark, found = world.root.name, []
    table = process.of_user()
    # tmux renames its server's process, so that its arguments are still those of the command that started it.
    heads = {os.getpid(), *([supervisor.pid] if supervisor else [])}
    heads |= {one.pid for one, arguments in table.items() if world.socket in arguments}
    for one, arguments in table.items():
        if any(mark in argument for argument in arguments) and not heads & {one.pid, *process.ancestors(one.pid)}:
            found.append(f"process {one.pid} has no parent of ours: {' '.join(arguments)[:160]}")
    return found


def _half_written(world: World) -> Iterator[str]:
    folders = [world.state, world.shared, *world.accounts.values()]
    folders += [project / ".agent-queue" for project in world.projects.values()]
    for folder in folders:
        for path in _files(folder):
            if _HALF.fullmatch(path.name):
                yield f"a half-written file: {path.relative_to(world.root)}"


def secrets(world: World) -> list[str]:
    """Return the files with a made-up token in them that are not the binary's own logins."""
    found = []
    for path in _files(world.root):
        if path.is_file() and not _LOGINS.fullmatch(path.name) and _holds_secret(path):
            found.append(str(path.relative_to(world.root)))
    return sorted(found)


def _files(folder: Path) -> Iterator[Path]:
    for where, _, names in os.walk(folder):
        for name in names:
            path = Path(where, name)
            if not path.is_symlink() and (path.is_file() or path.is_socket()):
                yield path


def _holds_secret(path: Path) -> bool:
    with contextlib.suppress(OSError), path.open("rb") as file:
        tail = b""
        while block := file.read(1 << 20):
            if SECRET.search(tail + block):
                return True
            tail = block[-64:]
    return False
