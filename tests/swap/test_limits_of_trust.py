"""Where the daemon keeps its hands off: conversations that a person has open, targets that would not do, a pause."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from failover.host import process
from failover.host.process import ProcessId
from failover.sim import real_cli
from failover.sim.world import World
from tests.swap.actors import (
    assert_nothing_lost,
    ended,
    hold_stands,
    moves,
    order,
    pids,
    requests,
    rest,
    result,
    say,
    started,
    swaps,
    work,
)


@pytest.fixture
def world() -> Iterator[World]:
    sessions = dict.fromkeys(("one", "two"), "app")
    with World(accounts=("a", "b"), sessions=sessions, failover={"deadline": {"soft": "2m", "hard": "60s"}}) as made:
        made.api.control(chunk_delay=0.01, accounts={"a": {"u5": 0.2}, "b": {"u5": 0.1}})
        made.up()
        made.launch(account="a")
        say(made, "one", "two")
        yield made


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
    pane = world.tmux.new_session("by-hand", world.projects["app"], command)
    registry = world.shared / "sessions" / f"{pane.pid}.json"
    world.wait(lambda: registry.exists(), "the second process in the registry")
    found = process.identify(pane.pid)
    assert found is not None
    return found


def swap(world: World, *arguments: str) -> tuple[int, str]:
    done = world.cli("swap", *arguments, check=False)
    return done.returncode, done.stderr + done.stdout


def test_a_conversation_that_is_open_elsewhere_is_not_moved(world: World) -> None:
    before = pids(world)
    person = open_by_hand(world, world.placement("one").conversation)

    code, said = swap(world, "--to", "b", "--session", "one")
    assert code == 3, "all that was asked for was refused"
    assert f"one stayed: its conversation is open elsewhere too (pid {person.pid})" in said
    assert pids(world) == before

    code, said = swap(world, "--to", "b")
    assert code == 1, "a part of what was asked for was not done"
    assert "moved 1 of 2 sessions" in said
    assert f"one stayed: its conversation is open elsewhere too (pid {person.pid})" in said
    assert moves(world)["two"][0] == "verified"
    now = pids(world)
    assert now["one"] == before["one"] and now["two"] != before["two"]
    assert process.alive(person)
    assert swaps(world) == [("refused", "b"), ("partial", "b")]
    assert "open elsewhere" in world.cli("swaps", "--moves").stdout

    # Once the person has left, it can be moved.
    process.send_signal(person, signal.SIGTERM)
    world.wait(lambda: not process.alive(person), "the person's leave")
    assert swap(world, "--to", "b")[0] == 0
    say(world, "one", "two")
    assert {requests(world, name)[-1]["account"] for name in world.sessions} == {"b"}


def test_a_target_that_is_not_logged_in_is_refused_before_anything_is_stopped(world: World) -> None:
    (world.accounts["b"] / ".sim-token").unlink()
    world.type("one", work(world, "one", 3, 1))
    world.wait(lambda: started(world, "one", 1), "a tool at work")
    before = pids(world)
    code, said = swap(world, "--to", "b")
    assert code == 3, said
    assert "b is not logged in" in said
    assert f"CLAUDE_CONFIG_DIR={world.accounts['b']}" in said, "the mend is named"
    assert swaps(world) in ([], [("refused", "b")])
    assert world.query("SELECT * FROM holds") == []
    rest(world, "one")
    assert ended(world) == [("one", 1), ("one", 2)]
    say(world, "one", "two")
    assert pids(world) == before
    assert {world.placement(name).account for name in world.sessions} == {"a"}
    assert_nothing_lost(world)


def test_a_pause_refuses_swaps_and_outlives_the_daemon(world: World) -> None:
    before = pids(world)
    world.cli("pause")
    code, said = swap(world, "--to", "b")
    assert (code, "claude-failover resume" in said) == (3, True), said

    # Neither does the policy move anything, before and after the daemon is started anew.
    world.api.account("a", u5=0.93)
    say(world, "one")
    world.wait(lambda: world.query("SELECT 1 FROM readings WHERE account = 'a' AND used >= 93"), "the reading")
    world.cli("down")
    world.cli("up", "--wait", "60")
    code, said = swap(world, "--to", "b")
    assert (code, "claude-failover resume" in said) == (3, True), said
    say(world, "two")
    assert swaps(world) == []
    assert pids(world) == before

    world.cli("resume")
    world.wait(lambda: swaps(world) == [("done", "b")], "the swap that was due", 60)
    say(world, "one", "two")
    assert_nothing_lost(world)


def test_a_session_that_a_person_killed_during_a_hold_stays_dead_and_is_reported(world: World) -> None:
    for name in ("one", "two"):
        world.type(name, work(world, name, 5, 1))
    world.wait(lambda: started(world, "one", 1) and started(world, "two", 1), "tools at work")
    victim = pids(world)["one"]
    conversation = world.placement("one").conversation
    ordered = order(world, "swap", "--to", "b")
    world.wait(lambda: hold_stands(world, "one"), "a hold")
    os.kill(victim.pid, signal.SIGKILL)
    code, said = result(ordered)
    assert code == 1, said
    assert "moved 1 of 2 sessions" in said
    assert "one stayed: its process ended by itself" in said
    assert {name: state for name, (state, _) in moves(world).items()} == {"one": "stayed", "two": "verified"}
    world.wait(lambda: world.state_of("one") == "exited", "the watcher's word")
    rest(world, "two")
    # Whoever would bring it back does so within the time in which every role looks again.
    looked = max(row["id"] for row in world.query("SELECT id FROM events"))
    say(world, "two")
    world.wait(lambda: world.query("SELECT 1 FROM events WHERE id > ?", looked), "more to have happened")
    assert process.with_argument(conversation) == []
    assert world.tmux.panes()["one"].dead
    assert (world.placement("one").pid, world.placement("one").account) == (victim.pid, "a")

    # It comes back when a person says so.
    world.launch("one", account="b")
    say(world, "one")
    assert requests(world, "one")[-1]["account"] == "b"
