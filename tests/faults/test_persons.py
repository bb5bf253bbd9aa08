"""A person kills a session, closes its pane, or opens its conversation, while it is being moved (faults 15, 39)."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from failover.host import process
from failover.host.process import ProcessId
from failover.sim import real_cli
from failover.sim.world import World
from tests.faults.pool import (
    PATIENCE,
    ask,
    at_work,
    ends,
    go_on,
    other,
    pool,
    stopped_switcher,
    up_stopping_at,
)
from tests.swap.actors import hold_stands, moves, order, pids, requests, result


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with pool("one", "two") as made:
        ask(made, "one", "two")
        yield made


# -- 15: its process dies, its pane is closed ----------------------------------------------------------------


def test_15_a_session_that_a_person_killed_during_a_hold_stays_dead_and_is_reported(world: World) -> None:
    target = other(world, "one")
    at_work(world, "one", "two", seconds=(4, 1))
    victim, source = pids(world)["one"], world.placement("one").account
    ordered = order(world, "swap", "--to", target)
    world.wait(lambda: hold_stands(world, "one"), "a hold")
    os.kill(victim.pid, signal.SIGKILL)
    code, said = result(ordered)
    assert code == 1, said
    assert "moved 1 of 2 sessions" in said
    assert "one stayed: its process ended by itself" in said
    assert {name: state for name, (state, _) in moves(world).items()} == {"one": "stayed", "two": "verified"}
    world.wait(lambda: world.state_of("one") == "exited", "the watcher's word")
    # Whoever would bring it back does so within the time in which every role looks again.
    looked = max(row["id"] for row in world.query("SELECT id FROM events"))
    ask(world, "two")
    world.wait(lambda: world.query("SELECT 1 FROM events WHERE id > ?", looked), "more to have happened")
    assert process.with_argument(world.placement("one").conversation) == []
    assert world.tmux.panes()["one"].dead
    assert (world.placement("one").pid, world.placement("one").account) == (victim.pid, source)

    # It comes back when a person says so.
    world.launch("one", account=target)
    ask(world, "one")
    assert requests(world, "one")[-1]["account"] == target


@pytest.mark.parametrize(
    ("point", "ends_as", "words"),
    [
        ("holding:after", "stayed", "its process ended by itself"),
        ("dead:after", "yielded", "its tmux session was closed meanwhile; the person wins"),
        ("relaunched:after", "yielded", "its tmux session was closed meanwhile; the person wins"),
    ],
)
def test_15_a_session_that_a_person_closes_in_mid_move_stays_closed_and_the_record_says_so(
    world: World, point: str, ends_as: str, words: str
) -> None:
    target = other(world, "one")
    up_stopping_at(world, point)
    (task,) = at_work(world, "one")
    ordered = order(world, "swap", "--to", target, "--session", "one")
    switcher = stopped_switcher(world)
    try:
        was = world.tmux.panes()["one"]
        world.tmux.kill_session("one")
        world.wait(lambda: process.identify(was.pid) is None, "the pane's end")
    finally:
        go_on(switcher)
    code, said = result(ordered)
    assert moves(world)["one"] == (ends_as, words), said
    assert code == (3 if ends_as == "stayed" else 1), said
    world.wait(lambda: world.state_of("one") == "exited", "the watcher's word")
    assert "one" not in world.tmux.panes()
    # It comes back when a person says so.
    world.launch("one")
    ask(world, "one", "two")
    assert len(ends(world, task)) == len(set(ends(world, task))), "no tool ran twice"
    assert pids(world)["one"].pid == world.tmux.panes()["one"].pid


# -- 39: its conversation is open elsewhere --------------------------------------------------------------------


def open_by_hand(world: World, conversation: str) -> ProcessId:
    """Resume a conversation as a person would, in a terminal of their own."""
    environment = {
        **world.environment(),
        **real_cli.api_environment(world.api.url),
        "CLAUDE_CONFIG_DIR": str(world.accounts["a"]),
        "IS_SANDBOX": "1",
    }
    words = [f"{key}={value}" for key, value in environment.items()]
    command = ["env", *words, str(world.command), "--dangerously-skip-permissions", "--resume", conversation]
    world.tmux.kill_session("by-hand")
    pane = world.tmux.new_session("by-hand", world.projects["app"], command)
    registry = world.shared / "sessions" / f"{pane.pid}.json"
    world.wait(lambda: registry.exists(), "the second process in the registry", PATIENCE)
    found = process.identify(pane.pid)
    assert found is not None
    return found


def leave(world: World, person: ProcessId) -> None:
    assert process.send_signal(person, signal.SIGTERM), "the person's process was left alone"
    world.wait(lambda: not process.alive(person), "the person's leave")


def test_39_a_conversation_that_is_open_elsewhere_is_not_moved(world: World) -> None:
    target = other(world, "one")
    world.cli("swap", "--to", world.placement("one").account, check=False)
    before = pids(world)
    person = open_by_hand(world, world.placement("one").conversation)

    done = world.cli("swap", "--to", target, "--session", "one", check=False)
    assert done.returncode == 3, "all that was asked for was refused"
    assert f"one stayed: its conversation is open elsewhere too (pid {person.pid})" in done.stderr + done.stdout
    assert pids(world) == before

    done = world.cli("swap", "--to", target, check=False)
    assert done.returncode == 1, "a part of what was asked for was not done"
    assert "moved 1 of 2 sessions" in done.stderr + done.stdout
    assert f"one stayed: its conversation is open elsewhere too (pid {person.pid})" in done.stderr + done.stdout
    assert moves(world)["two"][0] == "verified"
    now = pids(world)
    assert now["one"] == before["one"] and now["two"] != before["two"]
    assert process.alive(person)
    assert "open elsewhere" in world.cli("swaps", "--moves").stdout

    # Once the person has left, it can be moved.
    leave(world, person)
    assert world.cli("swap", "--to", target, check=False).returncode == 0
    ask(world, "one", "two")
    assert {requests(world, name)[-1]["account"] for name in world.sessions} == {target}


@pytest.mark.parametrize(("point", "ends_as"), [("holding:after", "stayed"), ("dead:after", "yielded")])
def test_39_a_conversation_that_a_person_opens_in_mid_move_is_the_persons(
    world: World, point: str, ends_as: str
) -> None:
    up_stopping_at(world, point)
    target, conversation = other(world, "one"), world.placement("one").conversation
    ordered = order(world, "swap", "--to", target, "--session", "one")
    switcher = stopped_switcher(world)
    try:
        before = world.tmux.panes()["one"]
        person = open_by_hand(world, conversation)
    finally:
        go_on(switcher)
    code, said = result(ordered)
    assert code != 0, said
    state, why = moves(world)["one"]
    assert state == ends_as
    assert f"(pid {person.pid})" in why and "elsewhere" in why, why
    assert world.query("SELECT * FROM holds") == []
    if ends_as == "stayed":
        assert pids(world)["one"].pid == before.pid, "the session works on"
    else:
        # Neither does a person's order start a second process on it.
        done = world.cli("sessions", "launch", "one", check=False)
        assert done.returncode == 1
        assert f"pid {person.pid} is on its conversation" in done.stderr + done.stdout
    assert process.alive(person)
    leave(world, person)
    if ends_as == "yielded":
        world.launch("one")
    ask(world, "one", "two")
