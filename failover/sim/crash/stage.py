"""Where the crash matrix is played: a made-up host with three sessions, and all that a cell does to it or asks of it.

`tools` is in the middle of a turn with tools, the first of which ends when its gate is opened; `stream` is being
given an answer word by word; `idle` is at rest.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from failover import crash
from failover.core.move import State
from failover.host import daemon, process
from failover.host.process import ProcessId
from failover.sim import audit
from failover.sim.world import World
from failover.store import sessions, swaps
from failover.store.db import Store

T = TypeVar("T")

SESSIONS = ("idle", "stream", "tools")
#: Swaps go to and fro between the first two; the third has room for those that find no place there.
ACCOUNTS = ("a", "b", "c")
SWITCHER = "account-switcher"
#: How long anything may take before a cell is called failed (seconds); no measure of anything.
PATIENCE = 120.0
#: Words of the streamed answer, half a second apart. What is left of it bounds how long a swap may have to wait.
_WORDS = 9
#: Tools of the turn after the gated one, and how long each takes (seconds).
_STEPS, _STEP_SECONDS = 3, 0.4

_GATED = """#!/bin/sh
# gated FILE COMMAND...: run the command when the file is there.
left=2400
until [ -e "$1" ] || [ $left = 0 ]; do sleep 0.05; left=$((left - 1)); done
shift
exec "$@"
"""


@dataclass
class _Lines:
    """A growing file of JSON lines, of which each look reads only what is new."""

    path: Path
    found: list[dict[str, Any]] = field(default_factory=list)
    _offset: int = 0

    def read(self) -> list[dict[str, Any]]:
        if self.path.exists():
            with self.path.open("rb") as file:
                file.seek(self._offset)
                new = file.read()
            new = new[: new.rfind(b"\n") + 1]
            self._offset += len(new)
            self.found += [json.loads(line) for line in new.splitlines()]
        return self.found


class Stage:
    """One made-up host. `with Stage(...) as stage:` brings it up and launches its sessions; cells are played in it one
    after another."""

    def __init__(self, real: Path | None = None) -> None:
        limits = {"deadline": {"soft": "3m", "hard": "60s"}, "max_parallel": 2}
        self.world = World(real=real, accounts=ACCOUNTS, sessions=dict.fromkeys(SESSIONS, "app"), failover=limits)
        self.gated = self.world.root / "gated"
        self.gated.write_text(_GATED)
        self.gated.chmod(0o755)
        self.played = 0
        self.cut_off: set[str] = set()  # tasks of which the daemon said that an interrupt cut them off
        self._api, self._sim = _Lines(self.world.api.log), _Lines(self.world.sim_log)

    def __enter__(self) -> Stage:
        self.world.__enter__()
        try:
            self.world.api.control(chunk_delay=0.01)
            self.world.up()
            self.world.launch(account=ACCOUNTS[0])
            self.mark.touch()
        except BaseException:
            self.world.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if "store" in self.__dict__:
            self.store.close()
        self.world.close()

    # -- looking --------------------------------------------------------------------------------------

    @cached_property
    def store(self) -> Store:
        """Return the store, opened once."""
        return Store.read_only(self.world.config.paths.store)

    @cached_property
    def mark(self) -> Path:
        """Return the file that says that the switcher fell over, or keeps it from doing so."""
        return self.world.config.paths.run_dir / crash.MARK

    def wait(self, condition: Callable[[], T], what: str, timeout: float = PATIENCE) -> T:
        """Return the first true value of `condition`. Raises TimeoutError, with what the sessions show."""
        return self.world.wait(condition, what, timeout)

    def roles(self) -> dict[str, tuple[str, ProcessId]]:
        """Return boot and process of each role that lives."""
        rows = self.store.query("SELECT role, boot, pid, start FROM roles")
        found = {row["role"]: (str(row["boot"]), ProcessId(row["pid"], row["start"])) for row in rows}
        return {role: (boot, one) for role, (boot, one) in found.items() if process.alive(one)}

    def placed(self) -> dict[str, sessions.Placement]:
        """Return where each session is placed."""
        return sessions.placements(self.store)

    def living(self) -> set[str]:
        """Return the sessions whose process lives."""
        return {name for name, one in self.placed().items() if process.alive(ProcessId(one.pid, one.start))}

    def swaps(self) -> dict[int, swaps.SwapRow]:
        """Return the newest swaps by their numbers, newest first."""
        return {row.id: row for row in swaps.latest(self.store)}

    def moves(self, swap: int) -> dict[str, State]:
        """Return the state of each move of a swap, by session."""
        return {move.session: move.state for move in swaps.moves(self.store, swap)}

    def last_step(self, swap: int) -> int:
        """Return the number of the journal's newest entry of a swap, 0 when there is none."""
        sql = "SELECT max(j.id) FROM journal j JOIN moves m ON m.id = j.move WHERE m.swap = ?"
        row = self.store.one(sql, (swap,))
        return int(row[0] or 0) if row else 0

    def tmux_server(self) -> ProcessId | None:
        """Return the process of this host's tmux server."""
        asked = ["tmux", "-L", self.world.socket, "display-message", "-p", "#{pid}"]
        said = subprocess.run(asked, capture_output=True, text=True, timeout=20).stdout.strip()
        return process.identify(int(said)) if said.isdigit() else None

    def api(self) -> list[dict[str, Any]]:
        """Return the records of the fake API."""
        return self._api.read()

    def simulated(self) -> list[dict[str, Any]]:
        """Return what the simulated binaries noted of themselves (none with the real one)."""
        return self._sim.read()

    def requests(self, name: str) -> list[dict[str, Any]]:
        """Return the main requests of a session's conversation."""
        chains = audit.main_requests(self.api())
        return chains.get(self.placed()[name].conversation, [])  # type: ignore[return-value]

    # -- doing ----------------------------------------------------------------------------------------

    def arm(self, variable: str) -> None:
        """Start the switcher anew with FAILOVER_CRASH_AT set, by supervisord's own means; the others go on.

        While the mark is there it does not fall over.
        """
        file = daemon.write_conf(self.world.config.paths)
        section = f"[program:{SWITCHER}]\n"
        line = f'environment={crash.VARIABLE}="{variable}"\n'
        file.write_text(file.read_text().replace(section, section + line))
        boot = self.roles()[SWITCHER][0]
        update = [sys.executable, "-m", "supervisor.supervisorctl", "-c", str(file), "update"]
        subprocess.run(update, check=True, capture_output=True, timeout=60)
        self.wait(lambda: self.roles().get(SWITCHER, (boot,))[0] != boot, "the switcher with another environment")

    def begin_work(self) -> tuple[str, Path]:
        """Set `tools` and `stream` to work; return the name of the work and the gate that lets it go on."""
        self.played += 1
        task, gate, world = f"c{self.played}", self.world.root / f"gate-{self.played}", self.world
        calls = [f"MARK_BASH{{{self.gated} {gate} {world.step} {task} 1 0.1}}"]
        calls += [f"MARK_BASH{{{world.step} {task} {step} {_STEP_SECONDS}}}" for step in range(2, _STEPS + 2)]
        known = len(self.requests("stream"))
        world.type("tools", f"work {self.played}: {' then '.join(calls)}")
        world.type("stream", f"tale {self.played}: MARK_SLOW{{{_WORDS}}}")
        self.wait(lambda: process.with_argument(str(gate)), "the gated tool at work")
        self.wait(lambda: len(self.requests("stream")) > known, "the answer being streamed")
        return task, gate

    def rest(self, cut_off: Collection[str] = ()) -> None:
        """Wait until all sessions are idle and each but those `cut_off` has a whole answer to what it asked last."""
        for name in SESSIONS:
            self.wait(lambda name=name: self._at_rest(name, name in cut_off), f"{name} at rest")  # type: ignore[misc]

    def _at_rest(self, name: str, cut_off: bool) -> bool:
        row = self.store.one("SELECT state FROM sessions WHERE name = ?", (name,))
        if row is None or row["state"] != "idle":
            return False
        asked, whole = self.requests(name), audit.completed(self.api())
        if cut_off or not asked:
            return True
        return asked[-1]["n"] in whole and all(block["type"] != "tool_use" for block in asked[-1]["response"])

    def say(self) -> None:
        """Ask each session something, and wait for its answer."""
        words = f"last words {self.played}"
        known = {name: len(self.requests(name)) for name in SESSIONS}
        for name in SESSIONS:
            self.world.type(name, f"{words} to {name}")
        for name in SESSIONS:
            self.wait(lambda name=name: len(self.requests(name)) > known[name], f"a request of {name}")  # type: ignore[misc]
        self.rest()
