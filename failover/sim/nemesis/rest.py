"""After the faults: let everything come to rest, and ask each session a last question."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator

from failover.errors import HostError
from failover.host import daemon, process
from failover.host.process import ProcessId
from failover.sim import audit
from failover.sim.nemesis import records
from failover.sim.nemesis.operator import TRIES, Operator
from failover.sim.world import World


class Rest:
    """Waits for it. since: when it had come, before the last questions (epoch seconds, infinite when it did not)."""

    def __init__(self, world: World, operator: Operator, dropped: Collection[str], note: Callable[[str], None]) -> None:
        self.since = float("inf")
        self._world, self._operator, self._dropped, self._note = world, operator, dropped, note

    def come(self, patience: float) -> list[str]:
        """Wait until nothing is under way, ask each session a last question; return what did not come to rest."""
        world = self._world
        unrest = self._operator.put_right()
        until = time.monotonic() + patience
        freed: set[str] = set()
        while (trouble := list(self._unrest())) and time.monotonic() < until:
            self._free_limited(freed)
            time.sleep(0.2)
        self._note(f"at rest: {'; '.join(trouble) or 'all'}")
        unrest += trouble
        if not unrest:
            self.since = time.time()
            # A swap back to an account that has room again would take away a line that is typed and not sent yet, and
            # would fall between the looks of which the record is made.
            if self._operator.give("pause", tries=TRIES):
                return [f"claude-failover pause failed {TRIES} times"]
            for name in world.sessions:
                unrest += self._ask(name)
            unrest += self._calm_down()
        elif trouble:
            unrest.append(world.report())
        return unrest

    def _unrest(self) -> Iterator[str]:
        world = self._world
        try:
            supervisor = daemon.find(world.config.paths)
        except HostError as error:
            yield str(error)
            return
        rows = world.query("SELECT role, pid, start FROM roles")
        living = {row["role"] for row in rows if process.alive(ProcessId(row["pid"], row["start"]))}
        if supervisor is None or living != set(daemon.ROLES):
            yield f"roles that do not run: {', '.join(sorted(set(daemon.ROLES) - living))}"
        for row in world.query("SELECT id FROM swaps WHERE state = 'open'"):
            yield f"swap {row['id']} is open"
        for row in world.query("SELECT id FROM orders WHERE id NOT IN (SELECT order_id FROM order_results)"
                               " AND verb NOT IN ('pause', 'resume')"):  # fmt: skip
            yield f"order {row['id']} has no result"
        closed = {row["name"] for row in world.query("SELECT name FROM tasks WHERE state IN ('done', 'failed')")}
        if open_tasks := sorted(set(self._dropped) - closed):
            yield f"tasks that are not at their end: {', '.join(open_tasks)}"
        for name in world.sessions:
            if (state := world.state_of(name)) != "idle":
                yield f"{name} is {state}"

    def _free_limited(self, freed: set[str]) -> None:
        """Restart, as a person would, a session that waits in a limit's menu while every account has room."""
        for name in self._world.sessions:
            if name not in freed and self._world.state_of(name) == "limited":
                freed.add(name)
                self._note(f"{name} waits in a limit's menu; restarting it")
                self._operator.give("sessions", "restart", name, tries=3)

    def _ask(self, name: str) -> list[str]:
        """Ask a session a last question, so that its whole history is seen by the API once more."""
        world = self._world
        conversation = world.placement(name).conversation
        unrest = []
        if left := _typed(world.screen(name)):
            unrest.append(f"a line that nobody sent stands in {name}: {left[:80]}")
            world.tmux.keys(world.placement(name).pane, *["BSpace"] * len(left))
        text = f"last words to {name}"
        try:
            world.type(name, text)
            world.wait(lambda: _answered(world, conversation, text), f"an answer of {name}", 120)
        except TimeoutError as error:
            unrest.append(str(error))
        return unrest

    def _calm_down(self) -> list[str]:
        """Wait until orphans of killed binaries have ended and holds are gone; what stays is found by the record.

        The daemon is paused, and stays so.
        """
        world = self._world

        def calm() -> bool:
            supervisor = daemon.find(world.config.paths)
            holds = world.query("SELECT 1 FROM holds")
            return not holds and not records.orphans(world, supervisor) and not list(self._unrest())

        try:
            world.wait(calm, "calm", 60)
        except TimeoutError:
            return list(self._unrest())
        self._note("calm")
        return []


def _typed(screen: str) -> str:
    """Return what stands in the prompt box of a pane."""
    lines = [line for line in screen.splitlines() if line.startswith("❯")]
    return lines[-1].removeprefix("❯").strip() if lines else ""


def _answered(world: World, conversation: str, text: str) -> bool:
    whole = audit.completed(world.api.records())
    for request in world.api.requests(conversation):
        heads = [str(block.get("head", "")) for message in request["messages"] for block in message["blocks"]]
        if any(text in head for head in heads) and request["n"] in whole:
            return True
    return False
