"""Sessions that are played, so that ten thousand tasks take minutes, around a dispatcher that is the real one.

The binary is a prompt box in a pane, whose turn lasts milliseconds; hooks, sightings and new starts are written here as
their roles write them.
"""

from __future__ import annotations

import heapq
import json
import os
import random
import secrets
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from failover.bus.publisher import Publisher
from failover.config import load
from failover.core.session import HookCall, SessionState
from failover.host import process
from failover.host.tmux import Tmux
from failover.sim import typist
from failover.store import fresh, hooks, sessions, swaps
from failover.store.db import Store
from failover.store.sessions import Placement, Sighting

#: How long a turn lasts, at most (seconds), and how many of a hundred end with the death of their session.
_TURN, _DEATHS = 0.02, 1


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
