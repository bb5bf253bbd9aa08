"""The running daemon asks for the windows of accounts that no session uses, and of no others."""

from __future__ import annotations

import time

from failover.sim.world import World


def test_an_account_without_a_session_is_asked_and_one_with_a_session_is_not() -> None:
    with World(accounts=("main", "backup"), extra={"usage": {"poll": True}}) as world:
        world.api.account("backup", u5=0.426, models={"opus": 0.34})
        world.up()
        world.launch(account="main")
        launched = time.time()
        found = world.wait(lambda: world.query("SELECT * FROM readings WHERE account = 'backup'"), "a reading", 90)
        assert {(row["window"], row["used"]) for row in found} == {
            ("five_hour", 42.6), ("seven_day", 5.0), ("seven_day_opus", 34.0)
        }  # fmt: skip
        (poll,) = world.query("SELECT * FROM polls WHERE name = 'account/backup'")
        assert (poll["failures"], poll["pid"]) == (0, 0)
        asked = [(row["account"], row["t"]) for row in world.api.records() if row.get("path") == "/api/oauth/usage"]
        assert asked[0][0] == "backup"
        assert [who for who, at in asked if who == "main" and at > launched] == []
        assert not list(world.shared.glob("projects/*/*.jsonl")), "no transcript is left"
