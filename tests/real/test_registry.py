"""What a killed binary leaves in its registry stays there: nobody but the janitor removes it."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from failover.host import process
from failover.host.process import ProcessId
from failover.sim.real_cli import real_claude
from failover.sim.world import World


@pytest.fixture(params=["simulated", pytest.param("real", marks=pytest.mark.real)])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    real = real_claude() if request.param == "real" else None
    with World(real=real, accounts=("a",), sessions={"one": "app"}) as made:
        made.api.control(chunk_delay=0.0)
        made.up()
        made.launch()
        yield made


def test_no_later_start_of_the_binary_removes_the_entry_of_a_killed_one(world: World) -> None:
    killed = world.placement("one")
    entry = world.shared / "sessions" / f"{killed.pid}.json"
    assert entry.exists()
    process.send_signal(ProcessId(killed.pid, killed.start), signal.SIGKILL)
    world.wait(lambda: world.state_of("one") == "exited", "its end to be seen")
    # Killed in the act of writing its settings it leaves their lock behind, which is believed for some seconds.
    world.wait(lambda: not world.cli("sessions", "launch", "one", check=False).returncode, "its start", 60)
    world.wait(lambda: world.state_of("one") == "idle", "one idle")
    assert world.placement("one").pid != killed.pid and entry.exists()
