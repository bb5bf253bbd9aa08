"""The switcher dies, stops or finds a target that would not do, in the middle of its work (faults 1, 2, 28, 38)."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from failover.host import daemon
from failover.sim import real_cli
from failover.sim.world import World
from failover.store import swaps as store_swaps
from failover.store.db import Store
from tests.faults.pool import (
    PATIENCE,
    ask,
    at_work,
    ends,
    fresh,
    frozen,
    go_on,
    other,
    pool,
    state,
    stopped_switcher,
    told,
    up_stopping_at,
)
from tests.swap.actors import (
    assert_nothing_lost,
    back,
    ended,
    held,
    hold_stands,
    journal,
    kill,
    moves,
    order,
    pids,
    requests,
    rest,
    result,
    roles,
    say,
    started,
    swaps,
    work,
)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with pool("mover", "worker", "idle") as made:
        yield made


@pytest.fixture
def alone() -> Iterator[World]:
    with pool("mover") as made:
        yield made


@pytest.fixture(params=["simulated", pytest.param("real", marks=pytest.mark.real)])
def pair(request: pytest.FixtureRequest) -> Iterator[World]:
    binary: Path | None = real_cli.real_claude() if request.param == "real" else None
    with pool("one", "two", real=binary) as made:
        yield made


# -- 1: killed ------------------------------------------------------------------------------------


@pytest.mark.parametrize("moment", ["stopping", "dead", "answering"])
def test_01_a_switcher_killed_in_the_middle_of_a_swap_goes_on_where_it_finds_things(world: World, moment: str) -> None:
    target, before = other(world, "mover"), len(swaps(world))
    tasks = at_work(world, "mover", "worker")
    ordered = order(world, "swap", "--to", target)
    world.wait(lambda: len(swaps(world)) > before, "the swap begun")
    working = {("mover", moment), ("worker", moment)}
    world.wait(lambda: working & {*journal(world)}, f"a move {moment}", PATIENCE)
    boot = kill(world, "account-switcher")
    world.wait(lambda: back(world, "account-switcher", boot), "the switcher back", PATIENCE)
    code, said = result(ordered)
    assert code == 0, said
    assert swaps(world)[before:] == [("done", target)]
    ask(world, *world.sessions)
    assert {requests(world, name)[-1]["account"] for name in world.sessions} == {target}
    assert ends(world, *tasks) == sorted((task, step) for task in tasks for step in (1, 2))
    assert_nothing_lost(world)


def test_01_a_switcher_killed_in_mid_swap_and_the_control_plane_with_it(pair: World) -> None:
    for name in pair.sessions:
        pair.type(name, work(pair, name, 4, 2))
    pair.wait(lambda: started(pair, "one", 1) and started(pair, "two", 1), "both at work")
    ordered = order(pair, "swap", "--to", "b")
    dead = {("one", "dead"), ("two", "dead")}
    pair.wait(lambda: dead & {*journal(pair)}, "a session proven dead", PATIENCE)
    boots = {role: kill(pair, role) for role in ("account-switcher", "control-plane")}
    for role, boot in boots.items():
        pair.wait(lambda role=role, boot=boot: back(pair, role, boot), f"{role} back", PATIENCE)  # type: ignore[misc]
    code, said = result(ordered)
    assert code == 0, said
    assert {state for state, _ in moves(pair).values()} == {"verified"}
    rest(pair, *pair.sessions)
    say(pair, *pair.sessions)
    assert {requests(pair, name)[-1]["account"] for name in pair.sessions} == {"b"}
    assert ended(pair) == [("one", 1), ("one", 2), ("two", 1), ("two", 2)]
    assert_nothing_lost(pair)


# -- 2: stopped with the lock held ------------------------------------------------------------------


def let_the_hold_run_out(world: World, name: str) -> None:
    """Let the hold on a session be over in a moment; its holder is stopped and would need a minute for that."""
    conversation = world.placement(name).conversation
    (row,) = world.query("SELECT * FROM holds WHERE conversation = ?", conversation)
    assert 0 < row["until_mono"] - time.monotonic() <= 60, "a hold has an end, whatever becomes of its holder"
    with contextlib.closing(Store.open(world.config.paths.store, "test")) as store, store.transaction() as tx:
        until = time.monotonic() + 0.5
        store_swaps.set_hold(tx, conversation, row["move"], row["pid"], row["start"], until)


def test_02_a_stopped_switcher_holds_nobody_for_long_and_a_restart_by_supervisorctl_gets_it_going(world: World) -> None:
    target = other(world, "mover")
    (task,) = at_work(world, "mover", seconds=(3, 3, 3, 1))
    before = pids(world)
    ordered = order(world, "swap", "--to", target, "--session", "mover")
    world.wait(lambda: hold_stands(world, "mover"), "a hold")
    with frozen(roles(world)["account-switcher"][1]):
        world.wait(lambda: held(world, "mover") == "PostToolBatch", "the session held")
        let_the_hold_run_out(world, "mover")
        world.wait(lambda: started(world, task, len(ends(world, task)) + 1), "the session let go")
        assert held(world, "mover") == ""
        assert pids(world) == before
        assert {world.state_of(name) for name in ("worker", "idle")} == {"idle"}
        # A second swap is refused by nobody but the stopped one: its order waits, and is answered afterwards.
        conf = str(daemon.conf_file(world.config.paths))
        words = [sys.executable, "-m", "supervisor.supervisorctl", "-c", conf, "restart", "account-switcher"]
        said = subprocess.run(words, capture_output=True, text=True, timeout=90).stdout
        assert "account-switcher: started" in said
    code, said = result(ordered)
    assert code == 0, said
    ask(world, *world.sessions)
    assert requests(world, "mover")[-1]["account"] == target
    assert ends(world, task) == [(task, step) for step in (1, 2, 3, 4)]
    assert_nothing_lost(world)


def test_02_a_switcher_stopped_just_before_the_signal_looks_again_before_it_ends_a_session(alone: World) -> None:
    """What it saw is old by then: its hold ran out, and the session works on."""
    world = alone
    target = other(world, "mover")
    up_stopping_at(world, "stopping:after")
    (task,) = at_work(world, "mover", seconds=(3, 5, 5, 1))
    ordered = order(world, "swap", "--to", target, "--session", "mover")
    switcher = stopped_switcher(world)
    try:
        assert held(world, "mover") == "PostToolBatch"
        let_the_hold_run_out(world, "mover")
        world.wait(lambda: started(world, task, len(ends(world, task)) + 1), "the session let go")
    finally:
        go_on(switcher)
    code, said = result(ordered)
    assert code == 0, said
    ask(world, "mover")
    assert requests(world, "mover")[-1]["account"] == target
    assert ends(world, task) == [(task, step) for step in (1, 2, 3, 4)]
    assert_nothing_lost(world)


# -- 28: a target that would not do ------------------------------------------------------------------


def test_28_a_target_that_is_not_logged_in_is_refused_before_anything_is_stopped(world: World) -> None:
    target = other(world, "mover")
    login = world.accounts[target] / ".sim-token"
    kept = login.read_text()
    login.unlink()
    try:
        (task,) = at_work(world, "mover")
        before = pids(world)
        done = world.cli("swap", "--to", target, check=False)
        assert done.returncode == 3, done.stderr
        assert f"{target} is not logged in" in done.stderr + done.stdout
        assert f"CLAUDE_CONFIG_DIR={world.accounts[target]}" in done.stderr + done.stdout, "the mend is named"
        assert world.query("SELECT * FROM holds") == []
        rest(world, "mover")
        assert ends(world, task) == [(task, 1), (task, 2)]
        ask(world, "mover")
        assert pids(world) == before
        assert_nothing_lost(world)
    finally:
        login.write_text(kept)


# -- 38: a person types in the session while it is being moved ------------------------------------------


@pytest.mark.parametrize(
    ("point", "busy"),
    [
        pytest.param("holding:after", True, id="before-its-boundary"),
        pytest.param("checkpointed:after", True, id="held-at-its-boundary"),
        pytest.param("stopping:after", False, id="idle-and-about-to-be-stopped"),
        pytest.param("relaunched:after", True, id="under-the-new-account"),
    ],
)
def test_38_what_a_person_types_while_the_session_is_being_moved_arrives_once(
    world: World, point: str, busy: bool
) -> None:
    target = other(world, "mover")
    up_stopping_at(world, point)
    tasks = at_work(world, "mover") if busy else []
    ordered = order(world, "swap", "--to", target, "--session", "mover")
    switcher = stopped_switcher(world)
    words = f"PINEAPPLE {fresh('words')}."
    try:
        if point == "relaunched:after":  # what is still starting reads no keys yet
            world.wait(lambda: requests(world, "mover")[-1]["account"] == target, "its first request", PATIENCE)
        world.type("mover", words)
        # Until its hook is written, nobody but the binary has it: what is entered in that moment is not promised.
        taken = "SELECT 1 FROM hook_calls WHERE hook = 'UserPromptSubmit' AND instr(body, ?)"
        world.wait(lambda: world.query(taken, words), "the words taken", PATIENCE)
        assert state(switcher) == "stopped"
    finally:
        go_on(switcher)
    code, said = result(ordered)
    assert code == 0, said
    world.wait(lambda: told(world, "mover", words), "the person's words asked", PATIENCE)
    ask(world, "mover")
    assert told(world, "mover", words) == 1
    assert requests(world, "mover")[-1]["account"] == target
    assert ends(world, *tasks) == [(task, step) for task in tasks for step in (1, 2)]
    assert_nothing_lost(world)
