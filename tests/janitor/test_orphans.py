"""Processes of ours that belong to nobody are ended; those that a person may be at, and all others, are not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from failover.host import process
from failover.host.process import ProcessId
from failover.host.tmux import Tmux
from failover.janitor import orphans
from failover.store import flags, sessions
from failover.store.sessions import Placement
from tests.janitor.house import House
from tests.places import short_dir
from tests.waiting import wait_for

LAUNCH = "0123456789ab"
#: Like the binary, which has a life of its own: it says when it is told to end.
_PROGRAM = """
import signal, sys, time
signal.signal(signal.SIGHUP, signal.SIG_IGN)
signal.signal(signal.SIGTERM, signal.SIG_IGN if 'deaf' in sys.argv else lambda *_: sys.exit(0))
open(sys.argv[1], 'w').close()
time.sleep(300)
"""


@pytest.fixture(autouse=True)
def aged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each process be a minute older than it is."""
    age = process.age
    monkeypatch.setattr(process, "age", lambda one: age(one) + 60)


def program(house: House, *more: str, session: str = "s", launch: str = LAUNCH) -> list[str]:
    mark = house.config.paths.launch_dir / f"{session}.{launch}.settings.json"
    ready = house.folder / f"ready-{uuid.uuid4().hex}"
    return [sys.executable, "-S", "-c", _PROGRAM, str(ready), "--settings", str(mark), *more]


@pytest.fixture
def started(house: House) -> Iterator[list[subprocess.Popen[bytes]]]:
    made: list[subprocess.Popen[bytes]] = []
    yield made
    for one in made:
        one.kill()
        one.wait()


def start(made: list[subprocess.Popen[bytes]], command: list[str]) -> ProcessId:
    """Start a process that has no terminal, and wait until it is what it will be."""
    made.append(subprocess.Popen(command, start_new_session=True))
    wait_for(Path(command[4]).exists, what="the process")
    found = process.identify(made[-1].pid)
    assert found is not None
    return found


def place(house: House, one: ProcessId, launch: str) -> None:
    with house.store.transaction() as tx:
        sessions.place(
            tx,
            Placement(session="s", account="main", conversation="c", cwd="/", wanted="running", launch=launch,
                      pid=one.pid, start=one.start),
        )  # fmt: skip


def test_a_process_of_a_launch_that_nobody_owns_is_told_to_end(
    house: House, started: list[subprocess.Popen[bytes]]
) -> None:
    one = start(started, program(house))
    (found,) = [one for one in house.dry() if one.kind == "orphaned processes"]
    assert found.subject == f"process {one.pid} of session s, launch {LAUNCH}"
    assert "1 orphaned processes" in house.sweep()
    assert started[0].wait(10) == 0
    house.sweep()
    assert house.janitor.wake_after() == 600


def test_one_that_does_not_end_is_ended_later_and_not_while_a_login_may_be_written(
    house: House, started: list[subprocess.Popen[bytes]]
) -> None:
    one = start(started, program(house, "deaf"))
    house.sweep()
    assert house.janitor.wake_after() == orphans.GRACE + 1
    house.later(orphans.GRACE / 2)
    house.sweep()
    assert process.alive(one), "not at once"
    lock = house.config.accounts[1].config_dir / ".oauth_refresh.lock"
    lock.parent.mkdir()
    lock.touch()
    house.later(orphans.GRACE)
    house.sweep()
    assert process.alive(one)
    lock.unlink()
    house.sweep()
    assert started[0].wait(10) == -signal.SIGKILL


def test_one_that_a_placement_has_and_its_children_are_nobody_s_orphans(
    house: House, started: list[subprocess.Popen[bytes]]
) -> None:
    owned = start(started, program(house, launch="f" * 12))
    place(house, owned, LAUNCH)
    current = start(started, program(house))
    assert "orphaned" not in house.sweep()
    assert process.alive(owned) and process.alive(current)


def test_one_in_a_pane_of_any_tmux_server_is_left_to_the_person_who_may_be_at_it(house: House) -> None:
    """And when that server is killed, the terminal is gone, and nobody can be at it any more."""
    socket = f"failover-test-{uuid.uuid4().hex[:10]}"
    tmux = Tmux(socket, conf="/dev/null")
    command = program(house)
    pane = tmux.new_session("elsewhere", house.folder, command)
    one = process.identify(pane.pid)
    assert one is not None
    try:
        wait_for(Path(command[4]).exists, what="the process")
        assert "orphaned" not in house.sweep() and process.alive(one)
        assert tmux.server_alive(), "it has kept the arguments of the command that started it, our mark among them"
        server = process.identify(pane.server)
        assert server is not None
        process.send_signal(server, signal.SIGKILL)
        wait_for(lambda: not process.has_terminal(one), what="the terminal to go")
        assert process.alive(one), "it does not heed SIGHUP"
        assert "1 orphaned processes" in house.sweep()
        wait_for(lambda: not process.alive(one), what="its end")
    finally:
        process.send_signal(one, signal.SIGKILL)
        Path(f"/tmp/tmux-{os.geteuid()}/{socket}").unlink(missing_ok=True)


def test_what_bears_no_mark_of_ours_is_never_touched(house: House, started: list[subprocess.Popen[bytes]]) -> None:
    """A tool of a killed session bears none; nor does the binary of another state dir."""
    foreign = program(house)
    foreign[-1] = str(house.folder / "elsewhere" / f"s.{LAUNCH}.settings.json")
    others = [start(started, foreign), start(started, [*program(house)[:5], "make", "test"])]
    assert "orphaned" not in house.sweep()
    assert all(process.alive(one) for one in others)


def test_nobody_is_ended_while_paused_or_where_the_setting_says_so(
    started: list[subprocess.Popen[bytes]], house: House
) -> None:
    one = start(started, program(house))
    with house.store.transaction() as tx:
        flags.pause(tx, 1, "a person")
    assert "orphaned" not in house.sweep()
    with house.store.transaction() as tx:
        flags.resume(tx, "a person")
    with short_dir() as second:
        leaves = House(second, janitor={"orphans": "leave"})
        two = start(started, program(leaves))
        assert "orphaned" not in leaves.sweep()
    assert process.alive(one) and process.alive(two)


def test_one_that_was_started_a_moment_ago_may_be_on_its_way_into_the_store(
    house: House, started: list[subprocess.Popen[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    age = process.age
    monkeypatch.setattr(process, "age", lambda one: age(one) - 60)
    one = start(started, program(house))
    assert process.age(one) < 30
    assert "orphaned" not in house.sweep() and process.alive(one)
