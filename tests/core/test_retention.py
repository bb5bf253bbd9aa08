"""What the janitor may delete."""

from __future__ import annotations

import pytest

from failover.core.retention import CHECKPOINTS_KEPT, Row, expired, stale_marker, surplus


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
