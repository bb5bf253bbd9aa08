"""Look at processes and panes all the time, as an outsider: which binary lived on which conversation, and when.

A process is a session's binary when its arguments name a settings file of the launch dir and its parent is the tmux
server: what the binary forks has its arguments for a moment, but never its parent.
"""

from __future__ import annotations

import contextlib
import math
import os
import re
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from failover.errors import FailoverError
from failover.host import process
from failover.host.process import ProcessId
from failover.sim.world import World

#: A look at the process table every so often, and at the panes (seconds).
_PROCESSES, _PANES = 0.02, 0.5
#: A process may become another program after its start; from this age on its arguments are taken as they are (seconds).
_SETTLED = 10.0
#: What would tell of us in a pane.
TRACES = re.compile(r"(?i)hook (?:failed|error)|ECONNREFUSED|claude-failover")
#: How every made-up token begins (failover.sim.real_cli.token).
SECRET = re.compile(rb"sk-ant-o[ar]t01-sim\.")
_MOST = 50


@dataclass
class Life:
    """One process on a conversation. first, last, gone: epoch seconds at which it was first and last seen alive, and
    first seen dead (on a busy host a look may be late)."""

    pid: int
    start: int
    session: str
    conversation: str
    first: float
    last: float
    alive: bool = True
    gone: float = math.inf


@dataclass
class Sightings:
    """All that was seen."""

    lives: list[Life] = field(default_factory=list)
    twins: list[str] = field(default_factory=list)
    traces: list[str] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)
    samples: int = 0


class Watch:
    """Samples in two threads between `start` and `stop`; `seen` may be read afterwards."""

    def __init__(self, world: World) -> None:
        self.seen = Sightings()
        self._world = world
        self._launches = f"{world.state}/launch/"
        self._mark = os.fsencode(world.root.name)
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._processes, daemon=True),
            threading.Thread(target=self._panes, daemon=True),
        ]
        self._known: dict[int, float] = {}  # pid → when it was first seen (monotonic)
        self._living: dict[int, Life] = {}

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End."""
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=30)

    def _processes(self) -> None:
        while not self._stop.wait(_PROCESSES):
            self.seen.samples += 1
            self._sample(time.time(), time.monotonic())

    def _sample(self, wall: float, now: float) -> None:
        pids = {int(name) for name in os.listdir("/proc") if name.isdigit()}  # noqa: PTH208  (names are all it needs)
        self._known = {pid: self._known.get(pid, now) for pid in pids}
        for pid in list(self._living):
            life = self._living[pid]
            life.alive = process.alive(ProcessId(life.pid, life.start))
            if life.alive:
                life.last = wall
            else:
                life.gone = wall
                del self._living[pid]
        for pid, since in self._known.items():
            if now - since < _SETTLED and pid not in self._living:
                self._meet(pid, wall)

    def _meet(self, pid: int, wall: float) -> None:
        try:
            raw = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            return
        if SECRET.search(raw) and self._ours(pid) and len(self.seen.secrets) < _MOST:
            self.seen.secrets.append(f"arguments of process {pid}: {_shown(raw)}")
        arguments = [os.fsdecode(part) for part in raw.split(b"\0")]
        settings = next((a for a in arguments if a.startswith(self._launches) and a.endswith(".settings.json")), "")
        flag = next((n for n, a in enumerate(arguments) if a in ("--resume", "--session-id")), None)
        if not settings or flag is None or flag + 1 >= len(arguments):
            return
        one, parents = process.identify(pid), process.ancestors(pid)
        if one is None or not parents or not _is_tmux(parents[0]):
            return
        session = Path(settings).name.rsplit(".", 3)[0]
        life = Life(one.pid, one.start, session, arguments[flag + 1], wall, wall)
        for other in self._living.values():
            both = other.conversation == life.conversation and process.alive(ProcessId(other.pid, other.start))
            if both and process.alive(one):
                self.seen.twins.append(f"{session}: processes {other.pid} and {pid} on {life.conversation}")
        self._living[pid] = life
        self.seen.lives.append(life)

    def _ours(self, pid: int) -> bool:
        for one in (pid, *process.ancestors(pid)):
            with contextlib.suppress(OSError):
                if self._mark in Path(f"/proc/{one}/cmdline").read_bytes():
                    return True
        return False

    def _panes(self) -> None:
        found: set[str] = set()
        while not self._stop.wait(_PANES):
            for name in self._world.sessions:
                with contextlib.suppress(FailoverError, KeyError):
                    for line in self._world.screen(name).splitlines():
                        if TRACES.search(line) and line not in found and len(found) < _MOST:
                            found.add(line)
                            self.seen.traces.append(f"{name}: {line.strip()}")


def _is_tmux(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/comm").read_text().startswith("tmux")
    except OSError:
        return False


def _shown(raw: bytes) -> str:
    return SECRET.sub(b"SECRET.", raw).replace(b"\0", b" ").decode(errors="replace")[:200]
