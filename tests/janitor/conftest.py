"""What the janitor stands on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.janitor.house import House
from tests.queue.conftest import floor, make_floor

__all__ = ["floor", "make_floor"]


@pytest.fixture
def house(tmp_path: Path) -> House:
    """Return a house where nothing has gone by yet; its first sweep has made its copy of the store."""
    made = House(tmp_path)
    made.sweep()
    return made
