"""A session's number is reused, it never comes to a boundary, it waits for a person (faults 12, 34)."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from failover.host import process
from failover.host.process import ProcessId, alive, cmdline, identify, open_pidfd, send_signal
from failover.sim.world import World
from tests.faults import reused
from tests.faults.pool import (
    PATIENCE,
    ask,
    at_work,
    ends,
    fresh,
    go_on,
    other,
    pool,
    stopped_switcher,
    told,
    up_stopping_at,
)
from tests.swap.actors import ended, order, pids, requests, rest, result, started, swaps, work


@pytest.fixture(scope="module")
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
        assert open_pidfd(former) is None
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
    world.wait(lambda: not Path(f"/proc/{one.pid}").exists(), f"the end of {name}")
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


# -- 34: no boundary comes ----------------------------------------------------------------------------------


def test_34_a_session_that_is_busy_past_the_soft_deadline_stays_and_works_on(world: World) -> None:
    target = other(world, "two")
    (task,) = at_work(world, "two", seconds=(9, 1))
    before = pids(world)
    done = world.cli("swap", "--to", target, "--session", "two", check=False)
    assert done.returncode == 3, done.stderr
    assert "two stayed: no boundary before the deadline (a turn is open)" in done.stderr + done.stdout
    assert world.query("SELECT * FROM holds") == []
    assert ends(world, task) == [], "it was still at it"
    rest(world, "two")
    assert ends(world, task) == [(task, 1), (task, 2)]
    assert pids(world) == before
    assert world.cli("swap", "--to", target, "--session", "two", check=False).returncode == 0


def test_34_a_session_that_waits_for_permission_stays_and_nothing_is_answered_for_its_person(world: World) -> None:
    target, task = other(world, "asker"), fresh("asker")
    world.type("asker", work(world, task, 0.1))
    world.wait(lambda: world.state_of("asker") == "waiting", "the question")
    before, shown = pids(world), world.screen("asker")
    assert "Do you want to proceed?" in shown
    done = world.cli("swap", "--to", target, "--session", "asker", check=False)
    assert done.returncode == 3, done.stderr
    assert "asker stayed: no boundary before the deadline (it waits for a person's answer)" in done.stderr + done.stdout
    assert (world.screen("asker"), pids(world)) == (shown, before)
    assert not started(world, task, 1)
    world.tmux.keys(world.tmux.panes()["asker"].pane_id, "Enter")
    world.wait(lambda: ends(world, task) == [(task, 1)], "the tool's end")
    rest(world, "asker")
    assert world.cli("swap", "--to", target, "--session", "asker", check=False).returncode == 0


def test_34_in_a_hurry_a_busy_session_is_cut_off_and_told_what_and_that_its_outcome_is_unknown(world: World) -> None:
    """Last of this file: it loses what it says that it loses."""
    source = world.placement("one").account
    world.cli("swap", "--to", source, check=False)
    ask(world, "one", "two")
    assert {world.placement(name).account for name in ("one", "two")} == {source}
    (task,) = at_work(world, "two", seconds=(30, 1))
    before = len(swaps(world))
    world.api.account(source, mode="limit")
    world.type("one", "and now the quota is gone")
    world.wait(lambda: len(swaps(world)) > before and swaps(world)[-1][0] != "open", "the swap's end", PATIENCE)
    assert swaps(world)[before:] == [("done", "ab".replace(source, ""))]
    assert ended(world).count((task, 1)) == 0, "it was cut off"
    world.wait(lambda: told(world, "two", "Its outcome is unknown"), "its words", PATIENCE)
    assert told(world, "two", f"interrupted the tool call Bash: {world.step} {task} 1 30") == 1
    assert requests(world, "two")[-1]["account"] != source
