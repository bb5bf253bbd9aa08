"""How soon a swap begins once a statusline shows that the threshold was reached."""

from __future__ import annotations

from failover.bench.effort import Effort
from failover.bench.result import Row, middle, row
from failover.bench.statusline import StatuslineWitness
from failover.sim.bus_witness import BusWitness
from failover.sim.world import World


def threshold(effort: Effort) -> list[Row]:
    """Measure the time from a statusline that goes from 89 to 91 % (the threshold is 90) to the swap's beginning.

    The statusline's time is noted by the user's own statusline command, the beginning by a listener on the bus.
    """
    accounts = [f"a{number}" for number in range(effort.trials + 2)]
    waits: list[float] = []
    with World(
        real=effort.real, accounts=accounts, sessions={"ccl-0": "app"}, failover={"cooldown": "0s", "margin": 5}
    ) as world:
        seen = StatuslineWitness(world)
        world.api.control(chunk_delay=0)
        world.up()
        world.launch(account=accounts[0])
        bus = BusWitness(world, "swap.started")
        for trial, account in enumerate(accounts[:-1]):
            world.api.account(account, u5=0.89)
            known = len(seen.lines())
            world.type("ccl-0", f"hello number {trial}")
            world.wait(lambda: seen.shown(89, known), "89 % in the statusline")  # noqa: B023
            world.wait(lambda: world.state_of("ccl-0") == "idle", "ccl-0 idle")
            assert len(bus.heard) == trial, "a swap began below the threshold"
            world.api.account(account, u5=0.91)
            world.type("ccl-0", f"hello again, number {trial}")
            world.wait(lambda trial=trial: len(bus.heard) > trial, "a swap")  # type: ignore[misc]
            world.wait(lambda: not world.query("SELECT 1 FROM swaps WHERE state = 'open'"), "its end", 60)
            shown = seen.shown(90, known)
            # The push leaves beside the user's command, so the swap may even begin before that has noted the time.
            waits.append(max(0.0, bus.heard[trial] - shown[0]))
            world.wait(lambda: world.state_of("ccl-0") == "idle", "ccl-0 idle")
        bus.stop()
        took = [
            (row[0] - row[1]) / 1000 for row in world.query("SELECT finished_ms, started_ms FROM swaps ORDER BY id")
        ]
    return [
        row("threshold to swap, p50", middle(waits) * 1000, "ms", None, 100.0),
        row("threshold to swap, worst, against the swap that follows", max(waits[1:]), "s", middle(took), 0.5),
    ]
