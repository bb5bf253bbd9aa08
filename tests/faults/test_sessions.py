"""A session never comes to a boundary, or waits for a person (fault 34)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from failover.sim.world import World
from tests.faults.pool import (
    PATIENCE,
    ask,
    at_work,
    ends,
    fresh,
    other,
    pool,
    told,
)
from tests.swap.actors import ended, pids, requests, rest, started, swaps, work


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with pool("one", "two", soft="4s", asking="asker") as made:
        yield made


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
    before = pids(world)
    world.wait(lambda: "Do you want to proceed?" in world.screen("asker"), "the question on the screen", PATIENCE)
    done = world.cli("swap", "--to", target, "--session", "asker", check=False)
    assert done.returncode == 3, done.stderr
    assert "asker stayed: no boundary before the deadline (it waits for a person's answer)" in done.stderr + done.stdout
    assert "Do you want to proceed?" in world.screen("asker")
    assert pids(world) == before
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
