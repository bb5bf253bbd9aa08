"""Do to a made-up host what the plan says, undo what must be undone, and write down what was done when."""

from __future__ import annotations

import contextlib
import heapq
import itertools
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from failover.errors import HostError
from failover.host import daemon, process
from failover.host.process import ProcessId
from failover.sim.nemesis import garbage
from failover.sim.nemesis.disk import Disk
from failover.sim.nemesis.operator import TRIES, UP, Operator
from failover.sim.nemesis.plan import FAULTS, Act
from failover.sim.world import World


@dataclass
class Jump:
    """A time in which the roles' time of day was wrong. since, until: true epoch seconds; off_by: seconds."""

    off_by: float
    since: float
    until: float = float("inf")


@dataclass(frozen=True)
class Crash:
    """A session's process that was killed by us. t: epoch seconds."""

    t: float
    pid: int
    start: int
    session: str
    conversation: str


class Hands:
    """Carries out acts. Everything that takes long goes on beside the run; what must be undone is kept in a heap."""

    def __init__(self, world: World, disk: Disk, say: Callable[[str], None]) -> None:
        self.faults: Counter[str] = Counter()
        self.skipped: dict[str, list[str]] = {}
        self.crashes: list[Crash] = []
        self.kills: list[tuple[float, str]] = []  # (epoch seconds, role)
        self.jumps: list[Jump] = []
        self.log: list[str] = []
        self._world, self._disk, self._say = world, disk, say
        self._began = time.monotonic()
        self._later: list[tuple[float, int, Callable[[], object]]] = []
        self._count = itertools.count()
        self.operator = Operator(world, self.note)
        self.found: list[str] = []  # sentences of what broke while we looked
        self._daemon_is_ours = False  # it is being ended or started: nobody else may
        self._paths = world.config.paths

    @property
    def now(self) -> float:
        """Return the seconds since the start."""
        return time.monotonic() - self._began

    def note(self, text: str) -> None:
        """Write a line of the log."""
        line = f"{self.now:7.2f} {time.strftime('%H:%M:%S')} {text}"
        self.log.append(line)
        self._say(line)

    def do(self, act: Act) -> None:
        """Carry out an act, or say why not."""
        try:
            trouble = getattr(self, "_" + act.kind.replace("-", "_"))(**act.how)
        except Exception as error:  # the store may be out of reach just now, which is what we are here for
            trouble = f"{type(error).__name__}: {error}"
        if trouble:
            self.note(f"{act} skipped: {trouble}")
            if trouble not in self.skipped.setdefault(act.kind, []):
                self.skipped[act.kind].append(str(trouble))
        elif act.kind in FAULTS:
            self.faults[act.kind] += 1

    @property
    def busy(self) -> bool:
        """Say whether something is yet to be undone, or a command has not ended."""
        return bool(self._later) or self.operator.busy

    def watch_daemon(self) -> None:
        """See that supervisord lives, unless we ended it; if it does not, note that and start it as a person would."""
        with contextlib.suppress(HostError):
            if not self._daemon_is_ours and daemon.find(self._paths) is None:
                self.note("supervisord is gone, and it was not us")
                self.found.append(f"P5 supervisord ended by itself {self.now:.0f} s after the start")
                self._daemon_is_ours = True
                self.operator.beside(self._up)

    def pump(self) -> None:
        """Undo what is due."""
        while self._later and self._later[0][0] <= self.now:
            self._undo()

    def close(self) -> None:
        """Give no more commands and undo everything at once: a stopped role could not even be ended."""
        self.operator.close()
        while self._later:
            self._undo()

    def _undo(self) -> None:
        undo = heapq.heappop(self._later)[2]
        try:
            undo()
        except Exception as error:
            self.note(f"could not undo: {type(error).__name__}: {error}")

    def _after(self, seconds: float, undo: Callable[[], object]) -> None:
        heapq.heappush(self._later, (self.now + seconds, next(self._count), undo))

    # -- faults ---------------------------------------------------------------------------------------

    def _role(self, role: str) -> ProcessId | None:
        for row in self._world.query("SELECT pid, start FROM roles WHERE role = ?", role):
            one = ProcessId(row["pid"], row["start"])
            return one if process.alive(one) else None
        return None

    def _kill_role(self, role: str) -> str:
        one = self._role(role)
        if one is None or not process.send_signal(one, signal.SIGKILL):
            return "it does not run just now"
        self.kills.append((time.time(), role))
        self.note(f"SIGKILL {role} ({one.pid})")
        return ""

    def _stop_role(self, role: str, seconds: float) -> str:
        one = self._role(role)
        if one is None or not process.send_signal(one, signal.SIGSTOP):
            return "it does not run just now"
        self.note(f"SIGSTOP {role} ({one.pid}) for {seconds} s")
        self._after(seconds, lambda: process.send_signal(one, signal.SIGCONT))
        return ""

    def _kill_supervisord(self, seconds: float) -> str:
        one = daemon.find(self._paths)
        if self._daemon_is_ours or one is None:
            return "the daemon is being started"
        self._daemon_is_ours = True
        process.send_signal(one, signal.SIGKILL)
        self.note(f"SIGKILL supervisord ({one.pid}), up after {seconds} s")
        self._after(seconds, lambda: self.operator.beside(self._up))
        return ""

    def _down_up(self, seconds: float) -> str:
        if self._daemon_is_ours:
            return "the daemon is being started"
        self._daemon_is_ours = True
        self.note(f"down, up {seconds} s later")

        def down_and_up() -> None:
            self.operator.give("down", tries=3)
            time.sleep(seconds)
            self._up()

        self.operator.beside(down_and_up)
        return ""

    def _up(self) -> None:
        self.operator.give(*UP, tries=TRIES)
        self._daemon_is_ours = False

    def _pause(self, seconds: float) -> str:
        self.note(f"pause for {seconds} s")
        self.operator.order("pause")
        self._after(seconds, lambda: self.operator.order("resume", tries=TRIES))
        return ""

    def _garbage(self, sort: str, salt: int) -> str:
        self.note(f"garbage: {sort}")
        self.operator.beside(lambda: garbage.send(self._paths, sort, salt))
        return ""

    def _disk_full(self, seconds: float) -> str:
        if self._disk.why_not:
            return f"the state dir has no disk of its own: {self._disk.why_not}"
        self._disk.fill()
        self.note(f"disk full for {seconds} s")
        self._after(seconds, self._disk.free)
        return ""

    def _clock(self, off_by: float, seconds: float) -> str:
        if self._world.real:
            return "the real binary reads the host's clock, which others read too"
        if self.jumps and self.jumps[-1].until == float("inf"):
            return "it is wrong already"
        self.note(f"the time of day is wrong by {off_by} s for {seconds} s")
        jump = Jump(off_by, time.time())
        self.jumps.append(jump)
        self._world.set_clock(off_by)
        self._after(seconds, lambda: self._right_the_clock(jump))
        return ""

    def _right_the_clock(self, jump: Jump) -> None:
        self._world.set_clock(0)
        jump.until = time.time()

    def _throttle(self, mode: str, seconds: float) -> str:
        account = self._in_use()
        self._world.api.account(account, mode=mode)
        self.note(f"{account} answers {mode} for {seconds} s")
        self._after(seconds, lambda: self._world.api.account(account, mode="ok"))
        return ""

    def _crash_session(self, session: str, seconds: float) -> str:
        placed = self._world.placement(session)
        one = ProcessId(placed.pid, placed.start)
        if not placed.pid or not process.send_signal(one, signal.SIGKILL):
            return "it does not run just now"
        self.crashes.append(Crash(time.time(), one.pid, one.start, session, placed.conversation))
        self.note(f"SIGKILL {session} ({one.pid}), launched again after {seconds} s")
        self._after(seconds, lambda: self.operator.order("sessions", "launch", session, tries=TRIES))
        return ""

    # -- what makes sessions move ---------------------------------------------------------------------

    def _in_use(self) -> str:
        sql = "SELECT account FROM placements GROUP BY account ORDER BY count(*) DESC, account LIMIT 1"
        return str(self._world.query(sql)[0]["account"])

    def _cross(self, used: float) -> str:
        return self._spend("u5", used)

    def _spend_5h(self) -> str:
        return self._spend("u5", 1.0)

    def _spend_7d(self) -> str:
        return self._spend("u7", 1.0)

    def _spend(self, window: str, used: float) -> str:
        account = self._in_use()
        self._world.api.account(account, **{window: used})
        self.note(f"{account} is at {used:.0%} of {window}")
        return ""

    def _order(self, to: str) -> str:
        self.operator.order("swap", "--to", to)
        return ""

    def _order_one(self, to: str, session: str) -> str:
        self.operator.order("swap", "--to", to, "--session", session)
        return ""

    def _restart(self, session: str) -> str:
        self.operator.order("sessions", "restart", session)
        return ""
