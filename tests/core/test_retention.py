"""What the janitor may delete."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from failover.core.retention import (
    CHECKPOINTS_KEPT,
    Bearer,
    Log,
    PastSwap,
    Row,
    expired,
    is_due,
    is_orphan,
    lasting,
    past_logs,
    past_swaps,
    stale_marker,
    surplus,
)


def rows(*times: int) -> list[Row]:
    return [Row(number, at) for number, at in enumerate(times, start=1)]


def test_what_is_older_than_its_time_goes() -> None:
    assert expired(rows(1, 2, 3, 4), 3, None) == [1, 2]
    assert expired([], 3, None) == []


def test_what_somebody_has_yet_to_read_stays_however_old() -> None:
    assert expired(rows(1, 1, 1), 3, 2) == [1]


def test_a_row_from_a_clock_that_was_ahead_keeps_what_came_after_it() -> None:
    assert expired(rows(1, 99, 1), 3, None) == [1]


def test_the_newest_checkpoints_stay_and_of_old_ones_the_newest() -> None:
    many = [Row(number, 10) for number in range(50, 0, -1)]
    assert surplus(many, 5) == list(range(50 - CHECKPOINTS_KEPT, 0, -1))
    assert surplus(many[:3], 99) == [49, 48]
    assert surplus([], 99) == []


@pytest.mark.parametrize(
    ("open_task", "closed_task", "file_there", "age", "stale"),
    [
        (True, False, True, 9e9, False),
        (False, True, True, 30, False),
        (False, True, True, 90, True),
        (False, False, False, 90, True),
        (False, False, True, 90, False),
        (False, False, True, 9999, True),
    ],
)
def test_a_marker_goes_when_nobody_can_be_at_its_task(
    open_task: bool, closed_task: bool, file_there: bool, age: float, stale: bool
) -> None:
    found = stale_marker(open_task=open_task, closed_task=closed_task, file_there=file_there, age=age, longest=1000)
    assert found is stale


def test_a_swap_goes_when_it_is_over_past_its_time_and_nothing_is_told_by_it() -> None:
    rows = [
        PastSwap(1, "swap", 10), PastSwap(2, "fresh", 10), PastSwap(3, "fresh", 60), PastSwap(4, "swap", 60),
        PastSwap(5, "stop", 10), PastSwap(6, "swap", 0),
    ]  # fmt: skip
    assert past_swaps(rows, {5}, before_ms=50, fresh_before_ms=100) == [1, 2, 3]


def test_logs_go_by_age_then_by_size_and_one_that_is_written_into_stays() -> None:
    logs = [
        Log("bus.log", 50, 999, True), Log("bus.log.1", 10, 999, False), Log("a", 30, 50, False),
        Log("b", 30, 40, False), Log("c", 30, 30, False),
    ]  # fmt: skip
    assert past_logs(logs, longest=100, room=1000) == [("bus.log.1", "age")]
    assert past_logs(logs, longest=100, room=90) == [("bus.log.1", "age"), ("a", "size"), ("b", "size")]
    assert past_logs(logs, longest=100, room=0)[1:] == [("a", "size"), ("b", "size"), ("c", "size")]


@pytest.mark.parametrize(
    ("changed", "orphan"),
    [
        ({}, True),
        ({"owned": True}, False),
        ({"current": True}, False),
        ({"terminal": True}, False),
        ({"age": 9.0}, False),
    ],
)
def test_a_process_is_an_orphan_when_nobody_owns_it_nobody_can_be_at_it_and_it_is_not_just_starting(
    changed: dict[str, Any], orphan: bool
) -> None:
    lone = Bearer(owned=False, current=False, terminal=False, age=100.0)
    assert is_orphan(msgspec.structs.replace(lone, **changed)) is orphan


def test_a_backup_is_due_when_the_newest_is_too_old_or_there_is_none() -> None:
    assert is_due(None, 50_000, 10) and is_due(40_000, 50_000, 10)
    assert not is_due(45_000, 50_000, 10) and not is_due(None, 50_000, 0)


def test_a_duration_is_told_as_the_configuration_writes_it() -> None:
    assert [lasting(s) for s in (14 * 86400, 3600 * 36, 600, 90, 0.5)] == ["14d", "36h", "10m", "90s", "0.5s"]
