"""How long a working session is away in a swap, against a bare stop and resume."""

from __future__ import annotations

import time
import uuid

from failover.bench.bare import Bare
from failover.bench.effort import Effort
from failover.bench.result import Row, middle, row
from failover.sim.world import World


def blackout(effort: Effort) -> list[Row]:
    """Measure how long a working session is away in a swap, against a bare SIGTERM and `claude --resume`.

    Ours: from the end of its tool, by the tool's own note, to its request at the API under the other account. Bare:
    from the signal to that request, on a session with as much history. The two take turns.
    """
    ours: list[float] = []
    bare: list[float] = []
    with World(real=effort.real, accounts=("a", "b"), sessions={"ccl-0": "app"}) as world:
        world.api.control(chunk_delay=0)
        world.up()
        world.launch(account="a")
        bare_one = Bare(world, "bare", str(uuid.uuid4()))
        bare_one.launch("a", "MARK_BASH{true}", resume=False)
        world.wait(lambda: len(bare_one.requests()) >= 2, "the bare session's first turn")
        for trial in range(effort.trials + 1):
            source, target = ("a", "b") if trial % 2 == 0 else ("b", "a")
            bare.append(_bare_trial(world, bare_one, target))
            ours.append(_swap_at_a_tools_end(world, trial, target, effort.size(4, 1)))
            assert world.placement("ccl-0").account == target != source
    return [row("blackout of one session", middle(ours), "s", middle(bare), 1.3)]


def _swap_at_a_tools_end(world: World, trial: int, target: str, seconds: int) -> float:
    conversation = world.placement("ccl-0").conversation
    known = len(world.api.requests(conversation))
    world.wait(lambda: world.state_of("ccl-0") == "idle", "ccl-0 idle")
    world.type("ccl-0", "MARK_BASH{" + f"{world.step} bench {trial} {seconds}" + "}")
    world.wait(lambda: any(s["step"] == trial and s["event"] == "start" for s in world.steps()), "the tool at work")
    world.cli("swap", "--to", target)
    end = next(s["t"] for s in world.steps() if s["step"] == trial and s["event"] == "end")
    under = [r for r in world.api.requests(conversation)[known:] if r["account"] == target]
    return float(under[0]["t"]) - float(end)


def _bare_trial(world: World, session: Bare, target: str) -> float:
    """Stop the session, resume it under `target`, and return the seconds until its request."""
    began = session.kill()
    known = len(session.requests())
    session.await_death()
    session.launch(target, "Continue.", resume=True)
    world.wait(lambda: len(session.requests()) > known, "the bare request")
    time.sleep(0.5)  # its turn ends, so that the other one's trial has the machine to itself
    return float(session.requests()[known]["t"]) - began
