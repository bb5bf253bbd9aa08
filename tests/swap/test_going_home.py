"""Sessions at rest go back when there is room again, stay where a person put them, and move lazily if asked to."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from failover.sim.audit import tasks_done
from failover.sim.demo import drop_task
from failover.sim.world import World
from tests.swap.actors import assert_nothing_lost, pids, requests, rest, say, started, swaps, work

SESSIONS = dict.fromkeys(("one", "two"), "app")
SETTINGS = {"cooldown": "1s", "wait_if_reset_within": "0s"}


@contextmanager
def pool(*more: str, **failover: Any) -> Iterator[World]:
    with World(
        accounts=("a", "b"), sessions={**SESSIONS, **dict.fromkeys(more, "app")}, failover={**SETTINGS, **failover}
    ) as made:
        made.api.control(chunk_delay=0.01, accounts={"a": {"u5": 0.2}, "b": {"u5": 0.1}})
        made.up()
        made.launch()
        yield made


def accounts(world: World) -> dict[str, str]:
    return {name: world.placement(name).account for name in SESSIONS}


def fill(world: World, account: str, resets_in: float) -> None:
    """Let an account reach its threshold, and everybody see it; the window opens again after so many seconds.

    Nothing may have been asked before: a window's reset does not change within its period.
    """
    world.api.account(account, u5=0.95, reset5_in=resets_in)
    say(world, "one")


def test_at_rest_they_go_home_when_the_window_opens_and_not_while_they_work() -> None:
    with pool() as world:
        resets = time.time() + 14
        fill(world, "a", resets_in=14)
        world.wait(lambda: set(accounts(world).values()) == {"b"}, "both on b")
        rest(world, "one", "two")
        world.type("two", work(world, "long", 16))
        world.wait(lambda: started(world, "long", 1), "work in two")
        world.wait(lambda: accounts(world)["one"] == "a", "one at home", 60)
        assert time.time() > resets, "its window had not opened"
        assert accounts(world)["two"] == "b", "it is at work"
        world.wait(lambda: accounts(world)["two"] == "a", "two at home once it is at rest", 60)
        world.wait(lambda: {state for state, _ in swaps(world)[-1:]} == {"done"}, "the end of the swap")
        rest(world, "one", "two")
        say(world, "one", "two")
        assert {requests(world, name)[-1]["account"] for name in SESSIONS} == {"a"}
        assert_nothing_lost(world)


def test_where_a_person_put_them_they_stay_until_they_are_let_go() -> None:
    with pool() as world:
        say(world, "one", "two")
        world.cli("swap", "--to", "b")
        rest(world, "one", "two")
        say(world, "one", "two")
        before, count = pids(world), len(swaps(world))
        # The monitor has looked, with every reason to go home but the person's wish.
        world.wait(lambda: "below its thresholds" in monitor(world), "the monitor's look")
        assert (pids(world), len(swaps(world))) == (before, count)
        assert "left the choice" in world.cli("sessions", "unpin", "one").stdout
        world.wait(lambda: accounts(world)["one"] == "a", "one at home", 60)
        assert accounts(world)["two"] == "b"
        assert_nothing_lost(world)


def monitor(world: World) -> str:
    return str(world.query("SELECT did FROM roles WHERE role = 'quota-monitor'")[0]["did"])


def test_lazily_a_session_at_rest_moves_when_there_is_work_for_it() -> None:
    """The session that shows that the account is low is at work, so it moves; the others wait for work of their own."""
    with pool("three", idle_sessions="lazy") as world:
        world.api.account("a", u5=0.95)
        world.type("one", work(world, "busy", 3, 0.1))
        world.wait(lambda: swaps(world) == [("done", "b")] and world.placement("one").account == "b", "one on b", 60)
        rest(world, "one", "two", "three")
        world.wait(lambda: "below its thresholds" in monitor(world), "the monitor's look")
        assert accounts(world) == {"one": "b", "two": "a"}
        assert world.placement("three").account == "a"
        jobs = {f"job{number}" for number in range(3)}
        for job in sorted(jobs):
            drop_task(world, "app", job, 1, 2)
        world.wait(lambda: tasks_done(world.api.records()) == jobs, "the end of the tasks", 90)
        rest(world, "one", "two", "three")
        worked = {r["account"] for r in world.api.requests() if any(job in str(r["messages"]) for job in jobs)}
        assert worked == {"b"}, "a task was worked on under the account that is low"
        assert "b" in {world.placement(name).account for name in ("two", "three")}
        assert_nothing_lost(world)
