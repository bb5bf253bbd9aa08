"""The floor of the queue's tests, for those of the janitor too."""

from __future__ import annotations

from tests.queue.conftest import floor, make_floor

__all__ = ["floor", "make_floor"]
