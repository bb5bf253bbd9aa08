"""A pool that one account cannot carry is spread over two; an account is left before its threshold where need be."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from failover.core.cost import Cost
from failover.core.usage import Reading
from failover.sim.world import World
from failover.store import choices, usage
from failover.store.db import Store
from tests.swap.actors import assert_nothing_lost, requests, rest, say, started, swaps, work

SESSIONS = ("one", "two", "three", "four")


@contextmanager
def host() -> Iterator[World]:
    """Give a host that has not been started: what it remembers is written into its store by the test."""
    settings = {"cooldown": "1s", "wait_if_reset_within": "0s", "fail_back": False}
    with World(accounts=("a", "b", "c"), sessions=dict.fromkeys(SESSIONS, "app"), failover=settings) as made:
        made.api.control(chunk_delay=0.01, accounts={"a": {"u5": 0.2}, "b": {"u5": 0.1}, "c": {"u5": 0.1}})
        made.config.paths.ensure()
        yield made


def remember(world: World, *readings: Reading, costs: tuple[Cost, ...] = ()) -> None:
    with closing(Store.open(world.config.paths.store, "tester")) as store, store.transaction() as tx:
        for one in readings:
            usage.note(tx, one)
        for cost in costs:
            choices.save_cost(tx, cost)


def reading(account: str, used: float, ago: float = 0.0, resets_at: int | None = None) -> Reading:
    now = time.time()
    end = resets_at if resets_at is not None else int(now) + 9000
    return Reading(account=account, window="five_hour", used=used, resets_at=end,
                   observed_ms=int((now - ago) * 1000), source="statusline")  # fmt: skip


def decisions(world: World) -> list[dict[str, Any]]:
    return [dict(row) for row in world.query("SELECT * FROM decisions ORDER BY id")]


def test_a_pool_that_one_account_cannot_carry_is_spread_over_two() -> None:
    """Each context takes 20 points (2,100 tokens at 105 a point), and half of 80 points of room is 40."""
    with host() as world:
        costs = tuple(Cost(account=name, window="five_hour", tokens=1050, points=10) for name in "bc")
        remember(world, reading("b", 10), reading("c", 10), costs=costs)
        world.up()
        world.launch(account="a")
        say(world, *SESSIONS)
        world.api.account("a", u5=0.95)
        world.type("two", work(world, "build", 2, 0.1))
        world.wait(lambda: started(world, "build", 1), "work in two")
        say(world, "one")
        world.wait(lambda: {state for state, _ in swaps(world)} == {"done"}, "the end of the swap", 90)
        rest(world, *SESSIONS)
        on = [world.placement(name).account for name in SESSIONS]
        assert sorted(on) == ["b", "b", "c", "c"]

        asked = json.loads(world.query("SELECT shares FROM swap_requests")[0][0])
        assert asked == {name: "c" for name in SESSIONS if world.placement(name).account == "c"}
        event = json.loads(world.query("SELECT body FROM events WHERE type = 'swap.started'")[0][0])
        assert (event["target"], event["shares"]) == ("b", asked)
        listed = json.loads(world.cli("swaps", "--json").stdout)[0]
        assert listed["targets"] == ["b", "c"]
        assert {move["session"]: move["target"] for move in listed["moves"]} == dict(zip(SESSIONS, on, strict=True))
        assert "2 to b and 2 to c" in listed["sentence"]
        assert "a → b, c" in world.cli("swaps").stdout
        made = next(row for row in decisions(world) if row["kind"] == "swap")
        assert {name: word for name, word, _ in json.loads(made["verdicts"])} == {
            "a": "left",
            "b": "taken",
            "c": "taken",
        }

        say(world, *SESSIONS)
        assert [requests(world, name)[-1]["account"] for name in SESSIONS] == on
        assert_nothing_lost(world)


def test_an_account_is_left_before_its_threshold_when_that_is_nearer_than_the_next_boundary() -> None:
    """A point a minute for twenty minutes; the turns took a minute each, and the threshold is a minute away."""
    with host() as world:
        now_ms = int(time.time() * 1000)
        with closing(Store.open(world.config.paths.store, "tester")) as store, store.transaction() as tx:
            for turn in range(20):
                for hook, at_ms in (("UserPromptSubmit", 0), ("Stop", 60_000)):
                    tx.execute(
                        "INSERT INTO hook_calls (at_ms, session, account, launch, conversation, hook, body)"
                        " VALUES (?, 'old', 'a', 'old', 'old', ?, '{}')",
                        (now_ms - 1_800_000 + turn * 60_000 + at_ms, hook),
                    )
        world.api.account("a", u5=0.8)
        world.up()
        world.launch(account="a")
        say(world, "one")
        told = "SELECT resets_at FROM readings WHERE account = 'a' AND window = 'five_hour'"
        resets_at = world.wait(lambda: world.query(told), "a reading of a")[0][0]
        climb = [reading("a", 80 - ago / 60, ago, resets_at) for ago in range(1200, 0, -30)]
        remember(world, reading("b", 10), *climb)
        assert swaps(world) == [], "the threshold is ten minutes away"

        world.api.account("a", u5=0.89)
        say(world, "two")
        world.wait(lambda: swaps(world) == [("done", "b")], "the swap", 90)
        rest(world, *SESSIONS)
        assert {world.placement(name).account for name in SESSIONS} == {"b"}
        used = [row["used"] for row in world.query("SELECT used FROM readings WHERE account = 'a'")]
        assert max(used) < 90
        (reason,) = [row["reason"] for row in decisions(world) if row["kind"] == "swap"]
        assert "an hour there in" in reason
        standing = json.loads(world.cli("status", "--json").stdout)["decision"]
        assert standing["kind"] == "stay"
        assert [one["account"] for one in standing["verdicts"]] == ["a", "b", "c"]
        assert f"policy: {standing['reason']}" in world.cli("status").stdout
        said = world.cli("swap", "--dry-run").stdout
        assert "the accounts as the policy sees them: a " in said
        say(world, *SESSIONS)
        assert_nothing_lost(world)
