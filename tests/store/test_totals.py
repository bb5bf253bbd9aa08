"""What was counted stays counted, whatever is deleted and whoever is started anew."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from failover.clock import ManualClock
from failover.config import Config, load
from failover.core.tally import Tally
from failover.sim import history
from failover.store import totals
from failover.store.db import Store
from tests.http.plane import Plane


@pytest.fixture
def config(tmp_path: Path) -> Config:
    found = load(Plane(tmp_path).file)
    found.paths.ensure()
    return found


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def store(config: Config, clock: ManualClock) -> Iterator[Store]:
    found = Store.open(config.paths.store, "tester", "boot", clock)
    yield found
    found.close()


def counted(config: Config, store: Store, pending: Tally | None = None) -> dict[str, list[float]]:
    """Count, and return what there is of each series that is not at its beginning."""
    found = totals.count(config, store, pending or Tally()).items()
    return {"/".join((name, *labels)): values for (name, labels), values in found if any(values)}


def test_each_thing_is_counted_once_with_its_durations(config: Config, store: Store) -> None:
    history.remember(config, store)
    first = counted(config, store)
    assert first["swaps/swap/done/soft"] == first["exhausted"] == first["role_starts/bus"] == [1]
    assert first["tasks_finished/done"] == [1] and first["tasks_queued"] == [2]
    assert first["moves/swap/verified"] == [2]
    sums = {name: values[-2:] for name, values in first.items() if len(values) > 1}
    assert sums["swap_duration_seconds/swap"] == [1, 4.0]
    assert sums["move_blackout_seconds/swap"] == [2, 4.0]
    assert sums["task_dispatch_seconds"] == [1, 1.5]
    # 92 % in 40 steps over an hour: the last but one is at 89.7, the last was 90 s before the swap.
    assert sums["threshold_to_swap_seconds"] == [1, 90.0]
    assert counted(config, store) == first, "a second look counts nothing twice"


def test_what_is_deleted_after_it_was_counted_stays_counted(config: Config, store: Store) -> None:
    history.remember(config, store)
    before = counted(config, store)
    with store.transaction() as tx:
        for table in ("events", "moves", "swaps", "swap_requests", "tasks", "readings"):
            tx.execute(f"DELETE FROM {table}")
    assert counted(config, store) == before
    history.swap(store, "a", "b", ["s-0"])
    after = counted(config, store)
    assert after["swaps/swap/done/soft"] == [2] and after["moves/swap/verified"] == [3]
    assert set(before) <= set(after) and all(
        new >= old for name in before for old, new in zip(before[name], after[name], strict=True)
    )


def test_what_was_deleted_meanwhile_is_passed_over(config: Config, store: Store) -> None:
    history.remember(config, store)
    with store.transaction() as tx:
        for table in ("moves", "swaps", "tasks"):
            tx.execute(f"DELETE FROM {table}")
    found = counted(config, store)
    assert found["swaps/swap/done/soft"] == [1] and found["tasks_finished/done"] == [1]
    assert not [name for name in found if name.startswith(("moves", "move_", "threshold_", "task_dispatch"))]


def test_a_person_s_swap_and_one_from_an_account_that_is_gone_tell_of_no_threshold(
    config: Config, store: Store
) -> None:
    history.remember(config, store)
    with store.transaction() as tx:
        tx.execute("UPDATE swaps SET request_id = 0")
    history.swap(store, "gone", "b", ["s-0"])
    found = counted(config, store)
    assert found["swaps/swap/done/soft"] == [2]
    assert "threshold_to_swap_seconds" not in found


def test_sessions_that_came_back_to_an_account_count_from_their_arrival(
    config: Config, store: Store, clock: ManualClock
) -> None:
    history.remember(config, store)
    clock.advance(600)
    history.swap(store, "b", "a", ["s-0"])
    history.swap(store, "a", "b", ["s-0"])
    assert counted(config, store)["threshold_to_swap_seconds"][-2:] == [1, 90.0]


def test_what_the_control_plane_itself_counted_is_kept_with_it(config: Config, store: Store) -> None:
    pending = Tally()
    pending.observe("hook_duration_seconds", 0.002, "false")
    assert counted(config, store, pending)["hook_duration_seconds/false"][-2:] == [1, 0.002]
    assert counted(config, store)["hook_duration_seconds/false"][-2:] == [1, 0.002]


def test_where_it_cannot_be_written_nothing_was_counted(config: Config, store: Store) -> None:
    history.remember(config, store)
    reader = Store.read_only(config.paths.store)
    with pytest.raises(sqlite3.OperationalError):
        totals.count(config, reader, Tally())
    reader.close()
    assert counted(config, store)["exhausted"] == [1]


def test_a_series_of_another_release_is_left_out(config: Config, store: Store) -> None:
    with store.transaction() as tx:
        tx.execute("INSERT INTO totals VALUES ('exhausted', '[\"surplus\"]', '[7]'), ('unheard', '[]', '[7]')")
    assert counted(config, store) == {}
