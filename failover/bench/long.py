"""The long run: sessions at work for half an hour, with swaps and deaths. What grows, and what becomes slower?"""

from __future__ import annotations

import statistics
import sys
import time

import psutil

from failover.bench import cli, death
from failover.bench.bus import latency
from failover.bench.daemon import cpu, processes
from failover.bench.effort import Effort
from failover.bench.result import Row, row, worst_but_one_percent
from failover.bench.statusline import StatuslineWitness
from failover.sim.bus_witness import BusWitness
from failover.sim.demo import drop_task
from failover.sim.memory import FLAT_WITHIN, Memory
from failover.sim.world import World

#: A task has so many steps of work, five minutes of it, and each takes as long as an answer and a tool together often
#: do (seconds): the fake API answers at once, so the tool has it all. Those of another task take longer or shorter, so
#: that the sessions do not come to their boundaries in step.
_STEPS, _STEP_SECONDS, _STEP_VARIES = 15, 20.0, 10.0
_GOLDEN = 0.6180339887
#: Between two swaps, at most (seconds): a pool that needed one oftener would run out of accounts. Between two looks at
#: the memory.
_SWAP_EVERY, _LOOK_EVERY = 600.0, 2.0
#: Sessions without tasks, which are killed.
_VICTIMS = 2
_PATIENCE = 300.0
#: What 20 sessions have to keep may be twice as much here.
_MORE = 2.0


def long(effort: Effort) -> list[Row]:
    """Let sessions work for so many seconds. Now and then the account in use crosses its threshold and all are moved,
    sessions are killed and launched again, single events are timed and `status` is asked for.

    Memory is the PSS of each role, the median of the last quarter against the second one; CPU is what supervisord and
    the roles have taken themselves over the whole run. The binaries, their hooks and this suite are not counted.
    """
    count = effort.size(effort.sessions, 2)
    every = min(_SWAP_EVERY, effort.seconds / 4)
    accounts = [f"a{number}" for number in range(int(effort.seconds / every) + 2)]
    sessions = {f"ccl-{number}": "app" for number in range(count)}
    victims = {f"calm-{number}": "calm" for number in range(_VICTIMS)}
    policy = {"cooldown": "0s", "margin": 5, "fail_back": False, "deadline": {"soft": "2m", "hard": "60s"}}
    with World(
        real=effort.real, accounts=accounts, sessions={**sessions, **victims}, failover=policy
    ) as world:  # fmt: skip
        world.api.control(chunk_delay=0)
        statuslines = StatuslineWitness(world)
        world.up()
        names = list(world.sessions)
        for first in range(0, len(names), 10):
            world.launch(*names[first : first + 10], account=accounts[0])
        run = _Run(world, effort, list(sessions), list(victims), accounts, statuslines)
        try:
            return run.run(every)
        finally:
            run.close()


class _Run:
    def __init__(
        self, world: World, effort: Effort, workers: list[str], victims: list[str], accounts: list[str],
        statuslines: StatuslineWitness,
    ) -> None:  # fmt: skip
        self._world, self._effort, self._workers, self._victims = world, effort, workers, victims
        self._accounts, self._at = accounts, 0
        self._statuslines = statuslines
        self._swaps, self._deaths = BusWitness(world, "swap.started"), BusWitness(world, "session.died")
        self._memory = Memory(world)
        self._asked, self._next_look = 0, 0.0
        self._of_swaps: list[tuple[float, float]] = []  # of each: seconds that it took, and of the processor
        self.thresholds: list[float] = []
        self.deaths: list[tuple[float, float]] = []  # until it was heard of, and the kernel's own part (milliseconds)
        self.events: list[float] = []
        self.answers: list[float] = []

    def run(self, every: float) -> list[Row]:
        """Go through the whole run and return what was measured."""
        self._keep_busy()
        self._world.wait(self._world.steps, "work")
        running = processes(self._world)
        programs, before, began = _programs(running), [cpu([one]) for one in running], time.monotonic()
        next_swap = began + every / 2
        while (now := time.monotonic()) < began + self._effort.seconds:
            self._look()
            if now >= next_swap:
                next_swap = now + every
                self._turn()
                print(f"{now - began:.0f} s, {len(self.thresholds)} swaps, {self._done()} tasks done", file=sys.stderr)
            time.sleep(0.05)
        watched = time.monotonic() - began
        used = {self._role(one): 100 * (cpu([one]) - was) / watched for one, was in zip(running, before, strict=True)}
        return self._rows(used, 100 * (_programs(running) - programs) / watched, self._phases(used, watched))

    def _role(self, one: psutil.Process) -> str:
        return next((role for role, process in self._memory.roles.items() if process.pid == one.pid), "supervisord")

    def _done(self) -> int:
        return int(self._world.query("SELECT count(*) FROM tasks WHERE state IN ('done', 'failed')")[0][0])

    def _look(self) -> None:
        """Look at the memory when it is time, and see that there is something to do: who has nothing shows no
        statusline and asks for nothing."""
        if (now := time.monotonic()) >= self._next_look:
            self._next_look = now + min(_LOOK_EVERY, self._effort.seconds / 20)
            self._memory.sample()
            self._keep_busy()

    def _keep_busy(self) -> None:
        """See that there is a task for each session, and one more."""
        while self._asked < self._done() + 2 * len(self._workers):
            drop_task(self._world, "app", f"t{self._asked}", _STEPS, self._effort.size(_step_seconds(self._asked), 0.1))
            self._asked += 1

    def _turn(self) -> None:
        """Measure each thing once, the swap last."""
        world = self._world
        self.answers += [cli.answer(world.config) * 1000 for _ in range(self._effort.size(5, 1))]
        self.events += latency(world, self._effort.size(100, 20))
        for name in self._victims:
            self.deaths.append(death.one(world, self._deaths, name))
        world.launch(*self._victims, account=self._accounts[self._at])
        self._cross()
        self._statuslines.forget()

    def _cross(self) -> None:
        """Let the account in use cross its threshold, and wait until its sessions are under the next one."""
        world, known = self._world, len(self._swaps.heard)
        self._statuslines.forget()
        running = processes(world)
        began, before = time.monotonic(), cpu(running)
        world.api.account(self._accounts[self._at], u5=0.91)

        def begun() -> bool:
            self._look()
            return len(self._swaps.heard) > known

        def over() -> bool:
            self._look()
            return not world.query("SELECT 1 FROM swaps WHERE state = 'open'")

        world.wait(begun, "a swap", _PATIENCE)
        world.wait(over, "its end", _PATIENCE)
        self._of_swaps.append((time.monotonic() - began, cpu(running) - before))
        shown = self._statuslines.shown(90)
        # The push leaves beside the user's command, so the swap may even begin before that has noted the time.
        self.thresholds.append(max(0.0, self._swaps.heard[known] - min(shown)) * 1000)
        self._at += 1

    def _phases(self, used: dict[str, float], watched: float) -> str:
        """Say what the swaps took, and what the sessions' work did (used: each role's share of a core over it all)."""
        seconds, of_processor = (sum(each) for each in zip(*self._of_swaps, strict=True))
        count = len(self._of_swaps)
        calm = (sum(used.values()) * watched - 100 * of_processor) / (watched - seconds)
        return (
            f"a swap takes {of_processor / count:.1f} s of the processor in {seconds / count:.0f} s, "
            f"between them {calm:.1f} % of a core"
        )

    def _rows(self, used: dict[str, float], programs: float, phases: str) -> list[Row]:
        count = f"{len(self._workers)} sessions at work"
        did = f"{self._effort.seconds:.0f} s, {len(self.thresholds)} swaps, {self._done()} tasks"
        shares = ", ".join(f"{role} {share:.1f}" for role, share in sorted(used.items(), key=lambda one: -one[1]))
        median = statistics.median
        rows = [
            row(f"long run, {role}, memory of the last quarter", found[3], "MiB PSS", found[1], FLAT_WITHIN,
                curve=dict(enumerate(found, 1)))
            for role, found in self._memory.quarters().items()
        ]  # fmt: skip
        anew = float(self._memory.started_anew())
        return [
            *rows,
            row("long run, roles started anew", anew, "of them", None, 0.0),
            row(f"long run, CPU of the daemon, {count}", sum(used.values()), "% of a core", None, 5.0,
                note=f"{did}; {phases}; {shares}; beside it programs that it ran {programs:.1f}"),
            row("long run, threshold to swap, p50", median(self.thresholds), "ms", None, 100.0 * _MORE),
            row("long run, session death to event, worst", max(self.deaths)[0], "ms", None, 5.0 * _MORE,
                note=f"of {len(self.deaths)}; the kernel's own part of that: {max(self.deaths)[1]:.1f}"),
            row("long run, event to handler, p50", median(self.events), "ms", None, 1.0 * _MORE),
            row("long run, event to handler, p99", worst_but_one_percent(self.events), "ms", None, 10.0 * _MORE),
            row("long run, status answers, p50", median(self.answers), "ms", None, 300.0 * _MORE),
        ]  # fmt: skip

    def close(self) -> None:
        """Stop listening."""
        self._swaps.stop()
        self._deaths.stop()


def _step_seconds(task: int) -> float:
    """Return how long each step of a task takes: spread evenly over the whole, however many tasks there are."""
    return _STEP_SECONDS + _STEP_VARIES * (2 * (task * _GOLDEN % 1) - 1)


def _programs(running: list[psutil.Process]) -> float:
    """Return the processor time of programs that the roles ran and that have ended (seconds)."""
    return sum(sum(one.cpu_times()[2:4]) for one in running[1:])
