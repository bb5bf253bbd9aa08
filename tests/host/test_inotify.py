"""What of a folder wakes a role: all of it, or only that a file comes whose name ends as it wants."""

from __future__ import annotations

import select
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from failover.host.inotify import Watch
from tests.waiting import wait_for


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Watch]:
    (tmp_path / "gone.md").touch()
    made = Watch([tmp_path], files=True, comes=".md", debounce_ms=20)
    # The library begins in a thread of its own: what comes before it listens is not told.
    number = count()

    def begun() -> set[str]:
        (tmp_path / f"begun-{next(number)}.md").touch()
        return _rang(made)

    wait_for(begun, what="the watch")
    yield made
    made.close()


def _rang(watch: Watch) -> set[str]:
    if select.select([watch.descriptor], [], [], 0.1)[0]:
        watch.drain()
    return watch.changed()


def test_a_marker_beside_a_file_and_its_end_are_not_told(tmp_path: Path, watch: Watch) -> None:
    (tmp_path / "one.md.dispatched").touch()
    (tmp_path / "gone.md").unlink()
    (tmp_path / "two").touch()
    (tmp_path / "two").rename(tmp_path / "two.md")
    told: set[str] = set()

    def came() -> bool:
        told.update(_rang(watch))
        return str(tmp_path / "two.md") in told

    wait_for(came, what="what came")
    assert {path for path in told if "begun" not in path} == {str(tmp_path / "two.md")}
