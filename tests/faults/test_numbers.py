"""A session's number is given to a stranger (fault 12)."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from failover.host import process
from failover.host.process import ProcessId, alive, cmdline, identify, open_end, send_signal
from failover.sim.world import World
from tests.faults import reused
from tests.faults.pool import (
    PATIENCE,
    ask,
    go_on,
    other,
    pool,
    stopped_switcher,
    up_stopping_at,
)
from tests.swap.actors import order, pids, requests, result


@pytest.fixture
def world() -> Iterator[World]:
    with pool("one", "two", soft="4s", asking="asker") as made:
        yield made


# -- 12: a reused number ----------------------------------------------------------------------------------


def test_12_a_reused_number_is_not_the_process_that_had_it() -> None:
    with subprocess.Popen(["sleep", "60"]) as sleeper:
        known = identify(sleeper.pid)
        assert known is not None
        former = ProcessId(sleeper.pid, known.start - 1)
        assert not alive(former)
        assert open_end(former) is None
        assert cmdline(former) == ()
        assert send_signal(former, signal.SIGKILL) is False
        assert sleeper.poll() is None
        sleeper.kill()


@contextmanager
def stranger_with_number(pid: int) -> Iterator[ProcessId]:
    """Give a process of somebody else's that has this number by now."""
    command = [sys.executable, reused.__file__, str(pid)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as maker:
        assert maker.stdout is not None and maker.stdin is not None
        said = maker.stdout.readline().strip()
        if said != "made":
            pytest.skip(f"no process can be made with a number of our choice here ({said})")
        found = identify(pid)
        assert found is not None
        try:
            yield found
        finally:
            maker.stdin.close()


def end_by_force(world: World, name: str) -> ProcessId:
    """SIGKILL a session, so that its registry entry and its row still name it."""
    one = pids(world)[name]
    assert send_signal(one, signal.SIGKILL)
    world.wait(lambda: not alive(one), f"the end of {name}", PATIENCE)
    try:
        world.wait(lambda: not Path(f"/proc/{one.pid}").exists(), f"tmux to take notice of the end of {name}", 15)
    except TimeoutError:
        pytest.skip("tmux has not reaped the dead process, so its number is not free to be given again")
    return one


def test_12_a_stranger_with_a_dead_sessions_number_is_left_alone_by_every_verb(world: World) -> None:
    ask(world, "one", "two")
    dead = end_by_force(world, "one")
    with stranger_with_number(dead.pid) as stranger:
        assert stranger.pid == dead.pid and stranger != dead
        world.wait(lambda: world.state_of("one") == "exited", "the watcher's word")
        done = world.cli("sessions", "stop", "one", check=False)
        assert done.returncode == 3, "there is nothing to stop"
        assert world.cli("swap", "--to", other(world, "two"), "--session", "two", check=False).returncode == 0
        world.cli("down")
        world.cli("up", "--wait", "60")
        assert world.state_of("one") == "exited"
        world.launch("one")
        assert pids(world)["one"].pid != stranger.pid
        assert alive(stranger)
    ask(world, "one", "two")


def test_12_a_stranger_that_got_the_number_in_mid_move_is_not_signalled_and_the_session_comes_back(
    world: World,
) -> None:
    target = other(world, "one")
    up_stopping_at(world, "stopping:after")
    ordered = order(world, "swap", "--to", target, "--session", "one")
    switcher = stopped_switcher(world)
    try:
        dead = end_by_force(world, "one")
        with stranger_with_number(dead.pid) as stranger:
            go_on(switcher)
            code, said = result(ordered)
            assert code == 0, said
            assert alive(stranger)
    finally:
        process.send_signal(switcher, signal.SIGCONT)
    ask(world, "one")
    assert requests(world, "one")[-1]["account"] == target
