"""What sessions cost under a paid account is counted once, whatever restarts, and a raised cap counts at once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from failover.clock import ManualClock
from failover.config import Config, load
from failover.core.usage import Reading
from failover.quota import spending
from failover.store import hooks, usage
from failover.store.db import Store

NOON = 20_000 * 86400 + 43200.0


def config(folder: Path, cap: float) -> Config:
    file = folder / "config.yaml"
    file.write_text(
        "version: 1\nstate_dir: s\nshared_dir: shared\naccounts:\n  - {name: a, config_dir: a}\n"
        f"  - {{name: k, config_dir: k, kind: api_key, env_file: e, paid: last_resort, cap_usd_per_day: {cap}}}\n"
    )
    return load(file, {"HOME": str(folder)})


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(epoch=NOON)


@pytest.fixture
def store(tmp_path: Path, clock: ManualClock) -> Iterator[Store]:
    paths = config(tmp_path, 10).paths
    paths.ensure()
    made = Store.open(paths.store, "quota-monitor", "boot", clock)
    yield made
    made.close()


def push(store: Store, account: str, total: object, session: str = "one", conversation: str = "c") -> None:
    with store.transaction() as tx:
        line = usage.StatuslineRow(
            session=session, account=account, launch="0" * 12, conversation=conversation, at_ms=store.now_ms(),
            body=json.dumps({"cost": {"total_cost_usd": total}}),
        )  # fmt: skip
        hooks.record_statusline(tx, line)


def read(folder: Path, store: Store, cap: float = 10) -> Reading:
    (found,) = spending.readings(config(folder, cap), store)
    with store.transaction() as tx:
        usage.note(tx, found)
    return found


def test_only_what_was_spent_under_it_counts_and_only_once(tmp_path: Path, clock: ManualClock, store: Store) -> None:
    push(store, "a", 3.0)
    first = read(tmp_path, store)
    assert (first.account, first.window, first.used, first.source) == ("k", "spend", 0.0, "cost")
    assert first.resets_at == 20_001 * 86400
    push(store, "k", 3.0)
    push(store, "k", 4.0)
    assert read(tmp_path, store).used == 10.0
    assert read(tmp_path, store).used == 10.0, "the same push again"
    clock.advance(1)
    push(store, "a", 9.0)
    assert read(tmp_path, store).used == 10.0, "spent elsewhere"
    push(store, "k", 9.5)
    push(store, "k", 0.5, session="two", conversation="d")
    assert read(tmp_path, store).used == 15.0
    clock.advance(43200)
    push(store, "k", 10.5)
    following = read(tmp_path, store)
    assert (following.used, following.resets_at) == (10.0, 20_002 * 86400)


def test_a_cap_that_is_raised_counts_at_once(tmp_path: Path, store: Store) -> None:
    push(store, "k", 0.0)
    read(tmp_path, store)
    push(store, "k", 9.5)
    assert read(tmp_path, store).used == 95.0
    assert read(tmp_path, store, cap=20).used == 47.5
    rows = store.query("SELECT used FROM readings WHERE account = 'k'")
    assert max(row["used"] for row in rows) == 47.5


@pytest.mark.parametrize("total", [None, -1, "much", [1], {"a": 1}, 1e300])
def test_a_cost_that_is_none_counts_as_none(tmp_path: Path, store: Store, total: object) -> None:
    push(store, "k", total)
    assert read(tmp_path, store).used == 0.0


def test_without_a_paid_account_nothing_is_counted(tmp_path: Path, store: Store) -> None:
    push(store, "a", 3.0)
    file = tmp_path / "config.yaml"
    file.write_text("version: 1\nstate_dir: s\nshared_dir: shared\naccounts: [{name: a, config_dir: a}]\n")
    assert spending.readings(load(file, {"HOME": str(tmp_path)}), store) == []
    assert store.query("SELECT * FROM charged") == []
