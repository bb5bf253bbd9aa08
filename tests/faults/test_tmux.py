"""The tmux server is killed, hangs, or is asked for what it cannot do (faults 13, 14, 15)."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from failover.errors import HostError
from failover.host import process
from failover.host.process import ProcessId, identify
from failover.host.tmux import Tmux
from failover.sim.world import World
from tests.faults.pool import (
    PATIENCE,
    ask,
    at_work,
    ends,
    frozen,
    go_on,
    other,
    pool,
    stopped_switcher,
    tmux_server,
    up_stopping_at,
)
from tests.places import short_dir
from tests.swap.actors import assert_nothing_lost, order, pids, requests, result, roles, texts
from tests.waiting import wait_for


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with pool("one", "two") as made:
        yield made


@pytest.fixture
def tmux() -> Iterator[Tmux]:
    with short_dir() as place:
        yield Tmux(place.name, conf="/dev/null")
        subprocess.run(["tmux", "-L", place.name, "kill-server"], capture_output=True, timeout=20)


# -- 14: it hangs ----------------------------------------------------------------------------------------


def test_14_a_hung_server_is_an_error_after_the_timeout(tmux: Tmux, tmp_path: Path) -> None:
    tmux.new_session("ccl-0", tmp_path, ["sleep", "60"])
    command = ["tmux", "-L", tmux.socket_name, "display-message", "-p", "#{pid}"]
    hung = int(subprocess.run(command, capture_output=True, text=True, timeout=5).stdout)
    impatient = Tmux(tmux.socket_name, timeout=0.3)
    os.kill(hung, signal.SIGSTOP)
    try:
        for action in (impatient.panes, impatient.server_alive, lambda: impatient.keys("%0", "Enter")):
            began = time.monotonic()
            with pytest.raises(HostError, match=r"no answer within 0\.3 s"):
                action()
            assert time.monotonic() - began < 20
    finally:
        os.kill(hung, signal.SIGCONT)
    assert list(tmux.panes()) == ["ccl-0"]


def test_14_a_server_that_hangs_in_mid_swap_delays_the_swap_and_nothing_else(world: World) -> None:
    target = other(world, "one")
    up_stopping_at(world, "dead:after")
    (task,) = at_work(world, "one", seconds=(2, 1))
    ordered = order(world, "swap", "--to", target, "--session", "one")
    switcher, before = stopped_switcher(world), roles(world)
    with frozen(tmux_server(world)):
        go_on(switcher)
        did = "SELECT did FROM roles WHERE role = 'account-switcher' AND did LIKE '%no answer within%'"
        (said,) = world.wait(lambda: world.query(did), "the switcher's word of it", PATIENCE)
        assert f"tmux -L {world.socket}" in said["did"] and "the server hangs" in said["did"]
        # Meanwhile the others work: the command line answers, orders are placed, the watcher watches.
        assert "two" in world.cli("sessions", "list").stdout
        world.cli("pause")
        world.cli("resume")
        assert ordered.poll() is None, "the swap waits"
        assert world.query("SELECT 1 FROM swaps WHERE state = 'open'")
    code, told = result(ordered)
    assert code == 0, told
    assert roles(world) == before, "no role died of it"
    ask(world, *world.sessions)
    assert requests(world, "one")[-1]["account"] == target
    assert ends(world, task) == [(task, 1), (task, 2)]
    assert_nothing_lost(world)


# -- 15: a pane whose process has ended ---------------------------------------------------------------------


def test_15_what_is_pasted_into_a_pane_whose_process_has_ended_harms_no_session(tmux: Tmux, tmp_path: Path) -> None:
    """tmux 3.3a crashes there when it is told to paste, and every session of the pool with it."""
    bystander = tmux.new_session("bystander", tmp_path, ["sleep", "60"])
    pane = tmux.new_session("ccl-0", tmp_path, ["false", "x"])
    wait_for(lambda: tmux.panes()["ccl-0"].dead, what="the dead pane")
    with pytest.raises(HostError, match=rf"pane {pane.pane_id}: its process has ended"):
        tmux.paste(pane.pane_id, "hello")
    tmux.keys(pane.pane_id, "Enter")
    assert identify(bystander.pid) is not None
    assert set(tmux.panes()) == {"bystander", "ccl-0"}
    left = ["tmux", "-L", tmux.socket_name, "list-buffers"]
    assert subprocess.run(left, capture_output=True, text=True, timeout=20).stdout == ""


# -- 13: it is killed (last, since it takes every session of the pool with it) -------------------------------


def test_13_after_the_servers_end_each_session_is_reported_and_comes_back_by_itself(world: World) -> None:
    ask(world, *world.sessions)
    before, processes = roles(world), pids(world)
    conversations = {name: world.placement(name).conversation for name in world.sessions}
    accounts = {name: world.placement(name).account for name in world.sessions}
    before_asked = {name: len(requests(world, name)) for name in world.sessions}
    server = tmux_server(world)
    process.send_signal(server, signal.SIGKILL)
    gone: list[ProcessId] = [server, *processes.values()]
    world.wait(lambda: not any(process.alive(one) for one in gone), "the end of all of them", PATIENCE)

    def back() -> dict[str, ProcessId]:
        return pids(world) if world.tmux.panes().keys() >= set(world.sessions) else {}

    world.wait(lambda: set(back()) == set(world.sessions), "the sessions brought back", PATIENCE)
    died = {row["body"] for row in world.query("SELECT body FROM events WHERE type = 'session.died'")}
    for name, one in processes.items():
        assert any(f'"session":"{name}"' in body and f'"pid":{one.pid}' in body for body in died)
    assert roles(world) == before, "no role died of it"
    world.wait(lambda: {world.state_of(name) for name in world.sessions} == {"idle"}, "the sessions idle", PATIENCE)
    assert tmux_server(world) != server
    assert {name: world.placement(name).conversation for name in world.sessions} == conversations
    assert {name: world.placement(name).account for name in world.sessions} == accounts
    asked = {name: len(requests(world, name)) for name in world.sessions}
    assert asked == before_asked, "those at rest were told nothing"
    words = {name: texts(requests(world, name)[-1]) for name in world.sessions}
    ask(world, *world.sessions)
    for name in world.sessions:
        assert len(requests(world, name)) > asked[name]
        assert texts(requests(world, name)[-1]).startswith(words[name]), f"{name} came without its history"
    assert_nothing_lost(world)
