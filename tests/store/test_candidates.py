"""The accounts as the policy sees them are put together from little, however much has been read by then."""

from __future__ import annotations

import os
import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from failover.candidates import candidates, foresee, running_placements, telling
from failover.clock import ManualClock
from failover.config import Config, load
from failover.core.cost import Cost
from failover.core.usage import Reading, newest
from failover.host import process
from failover.store import choices, sessions, usage
from failover.store.db import Store
from failover.store.sessions import Placement

CONFIG = """
version: 1
accounts:
  - {name: a, config_dir: a, reserve: 20, standby: true}
  - {name: b, config_dir: b}
failover: {models: [opus]}
thresholds: {models: {opus: 70}}
"""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "state.db", "tester", "boot", ManualClock())
    yield opened
    opened.close()


@pytest.fixture
def config(tmp_path: Path) -> Config:
    path = tmp_path / "config.yaml"
    path.write_text(CONFIG)
    path.chmod(0o600)
    return load(path)


def read_on(store: Store, periods: range, each: int = 40) -> list[Reading]:
    """Write readings of so many 5-hour periods of account a, and of its week."""
    chance, found = random.Random(1), []
    for period in periods:
        for step in range(each):
            for window, resets_at in (("five_hour", (period + 1) * 18_000), ("seven_day", 10**9)):
                at_ms = int((period + step / each) * 18_000_000)
                used = step + chance.random() if window == "five_hour" else (period + step / each) / 10
                found.append(Reading(account="a", window=window, used=used, resets_at=resets_at,
                                     observed_ms=at_ms, source="t"))  # fmt: skip
    with store.transaction() as tx:
        for one in found:
            usage.note(tx, one)
    return found


def steps(store: Store, config: Config, now: float) -> int:
    """Return how many instructions SQLite needs for one look, to within a hundred: what it reads costs some each."""
    counted = 0

    def count() -> int:
        nonlocal counted
        counted += 1
        return 0

    connection: sqlite3.Connection = store._connection
    connection.set_progress_handler(count, 100)
    for one in candidates(config, store, now):
        for window, _ in one.counting:
            foresee(store, one, window, now)
    connection.set_progress_handler(None, 0)
    return counted


def test_what_a_look_costs_does_not_grow_with_the_history(store: Store, config: Config) -> None:
    read_on(store, range(20))
    early = steps(store, config, 20 * 18_000 - 1.0)
    read_on(store, range(20, 400))
    late = steps(store, config, 400 * 18_000 - 1.0)
    assert store.query("SELECT count(*) FROM readings")[0][0] == 32_000
    assert late <= early * 1.1


def test_the_newest_readings_say_what_all_of_them_say(store: Store, config: Config) -> None:
    known = read_on(store, range(9))
    now = 9 * 18_000 - 1.0
    view = next(one for one in candidates(config, store, now) if one.name == "a")
    every = newest(known, now)
    assert view.readings == {window: one for (_, window), one in every.items()}


def test_an_account_is_seen_with_what_the_configuration_and_the_store_say_of_it(store: Store, config: Config) -> None:
    with store.transaction() as tx:
        choices.save_cost(tx, Cost(account="b", window="five_hour", tokens=500, points=5))
        choices.save_cost(tx, Cost(account="b", window="seven_day", tokens=500, points=2))
        for window in ("seven_day_opus", "seven_day_sonnet"):
            usage.note(tx, Reading(account="b", window=window, used=80, resets_at=None, observed_ms=1, source="t"))
    a, b = candidates(config, store, 100.0)
    assert (a.reserve, a.standby, b.reserve, b.standby) == (20, True, 0, False)
    assert a.leaves_at("five_hour") == 80
    assert dict(b.thresholds) == {"five_hour": 90, "seven_day": 95, "seven_day_opus": 70}
    assert list(b.readings) == ["seven_day_opus"], "the pool does not use the other model"
    assert dict(b.tokens_per_point) == {"five_hour": 100}


def test_only_a_session_with_our_hooks_tells_of_its_account(store: Store) -> None:
    here = process.identify(os.getpid())
    assert here is not None
    placed = Placement(session="one", account="a", conversation="c", cwd="/", wanted="running", launch="",
                       pid=here.pid, start=here.start)  # fmt: skip
    for launch, told in (("", set[str]()), ("0123456789ab", {"a"})):
        with store.transaction() as tx:
            sessions.place(tx, msgspec.structs.replace(placed, launch=launch))
        assert [one.account for one in running_placements(store)] == ["a"]
        assert telling(store) == told
