"""What the dispatcher asks of the store in every cycle is answered by an index, however many tasks there are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from failover.core.task import Task
from failover.store import fresh, swaps, tasks
from failover.store.db import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    found = Store.open(tmp_path / "state.db", "dispatcher", "boot")
    yield found
    found.close()


def put(store: Store, name: str, **fields: Any) -> None:
    with store.transaction() as tx:
        tasks.add(tx, Task(**{"id": 0, "name": name, "project": "p", **fields}))


def test_the_next_tasks_are_those_with_the_highest_priority_then_the_oldest(store: Store) -> None:
    put(store, "old", queued_ms=1)
    put(store, "new", queued_ms=2)
    put(store, "high", queued_ms=3, priority=1)
    put(store, "elsewhere", queued_ms=0, project="q")
    put(store, "of another", queued_ms=0, pin="s9")
    put(store, "mine", queued_ms=9, pin="s1")
    put(store, "running", state="running")
    for projects in (["p"], ["p", "r"]):
        found = [task.name for task in tasks.next_queued(store, projects, ["s1"])]
        assert found == ["high", "old", "new", "mine"], projects
    assert tasks.next_queued(store, [], ["s1"]) == []
    assert tasks.queued_by_project(store) == {"p": 5, "q": 1}
    assert [task.name for task in tasks.handed_over(store)] == ["running"]


def test_no_question_of_a_cycle_reads_all_tasks_or_all_swaps(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    plans: list[str] = []

    def explain(sql: str, args: Sequence[object] = ()) -> list[Any]:
        rows = store._connection.execute(f"EXPLAIN QUERY PLAN {sql}", tuple(args)).fetchall()
        plans.extend(f"{row[3]} in: {sql}" for row in rows)
        return store._connection.execute(sql, tuple(args)).fetchall()

    monkeypatch.setattr(store, "query", explain)
    monkeypatch.setattr(store, "one", lambda sql, args=(): next(iter(explain(sql, args)), None))
    tasks.any_queued(store)
    tasks.handed_over(store)
    tasks.next_queued(store, ["p"], ["s1"])
    tasks.next_queued(store, ["p", "q"], ["s1"])
    tasks.names_in(store, "p")
    tasks.moving_sessions(store)
    tasks.moves_since(store, "s1", 1)
    fresh.unserved(store)
    swaps.latest(store, 1)
    swaps.owed(store, "s1", "c")
    assert len(plans) > 10
    read_whole = [plan for plan in plans if plan.startswith("SCAN") and "USING" not in plan and "json_each" not in plan]
    assert read_whole == []
    sorted_whole = [plan for plan in plans if plan.startswith("USE TEMP B-TREE") and "queued'" in plan]
    assert sorted_whole == [], "the first of thousands is found without sorting them"
