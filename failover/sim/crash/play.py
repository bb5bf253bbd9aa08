"""Play one cell of the crash matrix: begin the work, order the swap, kill at the point, wait for the way back."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import time
from pathlib import Path

from failover.core.move import TERMINAL, TRANSITIONS, State
from failover.host import daemon, process
from failover.host.process import ProcessId
from failover.sim.crash import audit
from failover.sim.crash.cell import RECOVERS_WITHIN, Cell, Result, blank
from failover.sim.crash.stage import ACCOUNTS, PATIENCE, SWITCHER, Stage


class NotReachedError(Exception):
    """The swap ended and never came to the point."""


def play(stage: Stage, cell: Cell) -> Result:
    """Play one cell and look what came of it. A stage in which a cell failed is of no use to another."""
    result = blank(cell)
    try:
        _play(stage, cell, result)
    except Exception as error:  # whatever it was, the cell did not recover, and the others are still to be played
        result.problems.append(f"{type(error).__name__}: {error}")
    slow = cell.victim is not None and (result.recovery is None or result.recovery > RECOVERS_WITHIN)
    result.outcome = "failed" if result.problems else "slow" if slow else "recovered"
    return result


def _play(stage: Stage, cell: Cell, result: Result) -> None:
    source = stage.placed()["tools"].account
    target = next(name for name in ACCOUNTS if name != source)
    if cell.victim:
        stop = "" if cell.victim == SWITCHER else ":stop"
        stage.arm(f"{cell.step}:{cell.when}{stop}")
    task, gate = stage.begin_work()
    stage.world.api.account(target, mode=cell.scenario.target_mode)
    scene = _Scene(stage, cell)
    try:
        over = _swap(stage, scene, target, gate, result)
    finally:
        scene.close()
    row = stage.swaps()[scene.swap]
    stage.world.api.account(target, mode="ok")
    stage.wait(lambda: set(stage.roles()) == set(daemon.ROLES), "all roles running")
    down = sorted(over) if cell.victim == "tmux" else []
    if down:
        result.notes.append(
            f"{', '.join(down)} had moved before the kill and ended with it; brought back after the swap"
        )
        stage.wait(lambda: _given_up(stage, over) or _back(stage, over), "those that ended with it brought back")
        if _given_up(stage, over):
            # By itself that happens three times in an hour, and this host's tmux server died oftener: as people would.
            result.notes.append("the last of them by order")
            stage.world.cli("sessions", "restore", *down, check=False)
            stage.wait(lambda: _back(stage, over), "those that ended with it brought back by order")
    # Those that went to an account before it turned out to be none are taken further by a swap that follows at once.
    stage.wait(lambda: not _any_open(stage) and len(stage.living()) == len(stage.placed()), "what follows the swap")
    where = target if cell.scenario.target_mode == "ok" else ""
    result.problems += audit.after(stage, row, audit.Wanted(cell.scenario.ends, where, task, down))


def _back(stage: Stage, over: set[str]) -> bool:
    return over <= stage.living() and not _any_open(stage)


def _given_up(stage: Stage, over: set[str]) -> bool:
    rows = stage.world.query("SELECT session FROM placements WHERE given_up != ''")
    return bool(over.difference(stage.living()) & {row["session"] for row in rows})


def _any_open(stage: Stage) -> bool:
    return any(row.state == "open" for row in stage.swaps().values())


def _swap(stage: Stage, scene: _Scene, target: str, gate: Path, result: Result) -> set[str]:
    """Swap, kill on the way, and wait for the swap's end; return the sessions whose move was over at the kill."""
    over: set[str] = set()
    killed = 0.0
    # The first that comes into `holding` is at work. Into the later states the idle one comes first, being at a
    # boundary already; so until that one has moved the mark stays where it is.
    early = scene.cell.step == "holding"
    if scene.cell.victim and early:
        stage.mark.unlink()
    scene.order(target)
    if not early:
        stage.wait(lambda: scene.moves()["idle"] in TERMINAL, "the idle session moved")
        if scene.cell.victim:
            stage.mark.unlink()
        gate.touch()
    if scene.cell.victim:
        scene.come_to_the_point()
        last = stage.last_step(scene.swap)
        result.hit = scene.hit(last)
        over = {name for name, state in scene.moves().items() if state == "verified"}
        if scene.cell.step == "verified":
            over.update(result.hit.split("/"))  # it is decided, if not written
        killed = scene.kill()
        gate.touch()
        stage.wait(lambda: scene.recovered(last, killed, result), "the roles at work again and the swap's next step")
    stage.wait(lambda: not scene.is_open(), "the swap's end")
    row = stage.swaps()[scene.swap]
    result.swap = round((row.finished_ms - row.started_ms) / 1000, 2)
    if killed:
        result.end = round(row.finished_ms / 1000 - killed, 2)
    return over


class _Scene:
    """The point at which the switcher falls over or stops, the kill, and the way back from it."""

    def __init__(self, stage: Stage, cell: Cell) -> None:
        self._stage, self.cell, self.swap = stage, cell, 0
        self._boots = {role: boot for role, (boot, _) in stage.roles().items()}
        self._switcher, self._server = stage.roles()[SWITCHER][1], stage.tmux_server()
        self._up: subprocess.Popen[str] | None = None

    def order(self, target: str) -> None:
        """Order the swap."""
        known = max(self._stage.swaps(), default=0)
        self._stage.world.cli("swap", "--to", target, "--no-wait")
        self._stage.wait(lambda: max(self._stage.swaps(), default=0) > known, "the swap's beginning")
        self.swap = known + 1

    def moves(self) -> dict[str, State]:
        """Return the state of each move, by session."""
        return self._stage.moves(self.swap)

    def is_open(self) -> bool:
        """Say whether the swap is still under way."""
        return self._stage.swaps()[self.swap].state == "open"

    def come_to_the_point(self) -> None:
        """Wait until the switcher died or stopped there. Raises NotReachedError when the swap ended without."""
        stage, own = self._stage, self.cell.victim == SWITCHER

        def there() -> bool:
            if not stage.mark.exists():
                if not self.is_open() and not stage.mark.exists():
                    raise NotReachedError(f"the swap ended and no move came {self.cell.when} {self.cell.step}")
                return False
            return not process.alive(self._switcher) if own else _is_stopped(self._switcher)

        stage.wait(there, f"the switcher {self.cell.when} {self.cell.step}")

    def kill(self) -> float:
        """Kill the victim (the switcher has killed itself) and let the switcher go on; return when, epoch seconds."""
        stage, victim = self._stage, self.cell.victim
        if victim == SWITCHER:
            return stage.mark.stat().st_mtime
        found = self._server
        if victim != "tmux":
            found = daemon.find(stage.world.config.paths) if victim == "supervisord" else stage.roles()[str(victim)][1]
        assert found is not None
        killed = time.time()
        process.send_signal(found, signal.SIGKILL)
        stage.wait(lambda: not process.alive(found), f"{victim} dead")
        process.send_signal(self._switcher, signal.SIGCONT)
        if victim == "supervisord":
            command = [sys.executable, "-c", "from failover.cli import main; main()", "up", "--wait", "60"]
            self._up = subprocess.Popen(
                command, env=stage.world.environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
            )
        return killed

    def recovered(self, last: int, killed: float, result: Result) -> bool:
        """Note in `result` what has come since the kill; say whether all has. last: the journal's last entry then."""
        now = round(time.time() - killed, 2)
        if result.back is None and self._back():
            result.back = now
        if result.moved is None and (self._stage.last_step(self.swap) > last or not self.is_open()):
            result.moved = now
        return result.recovery is not None

    def _back(self) -> bool:
        victim = self.cell.victim
        if victim == "tmux":
            # A swap that is over needs no server any more; whether it should have is for the audit to say.
            return not self.is_open() or self._stage.tmux_server() not in (None, self._server)
        now = self._stage.roles()
        wanted = daemon.ROLES if victim == "supervisord" else (str(victim),)
        return all(role in now and now[role][0] != self._boots[role] for role in wanted)

    def hit(self, last: int) -> str:
        """Return the session whose move is at the point; before the step is written, all that it can be."""
        if self.cell.when == "after":
            sql = "SELECT m.session FROM journal j JOIN moves m ON m.id = j.move WHERE j.id = ?"
            row = self._stage.store.one(sql, (last,))
            return str(row["session"]) if row else ""
        ahead = {name: TRANSITIONS[state].values() for name, state in self.moves().items()}
        return "/".join(sorted(name for name, states in ahead.items() if self.cell.step in states))

    def close(self) -> None:
        """Leave nothing stopped or under way. Raises RuntimeError when the `up` that was begun failed."""
        process.send_signal(self._switcher, signal.SIGCONT)
        if self._up is not None:
            said, _ = self._up.communicate(timeout=PATIENCE)
            if self._up.returncode:
                raise RuntimeError(f"up: exit {self._up.returncode}: {said.strip()}")


def _is_stopped(one: ProcessId) -> bool:
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{one.pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
        return fields[0] == "T" and process.alive(one)
    return False
