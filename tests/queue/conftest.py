from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.queue.floor import Floor


@pytest.fixture
def make_floor(tmp_path: Path) -> Iterator[Callable[..., Floor]]:
    """Return a maker of floors, which are cleared away afterwards."""
    made: list[Floor] = []

    def make(sessions: int = 1, **settings: Any) -> Floor:
        made.append(Floor(tmp_path, sessions, **settings))
        return made[-1]

    yield make
    for floor in made:
        floor.close()


@pytest.fixture
def floor(make_floor: Callable[..., Floor]) -> Floor:
    """Return a floor with one idle session."""
    return make_floor()
