"""Rows that are read again and again are decoded once, as long as they stay as they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Kept(Generic[T]):
    """What the rows of the last reading were decoded to, by their first column, which is their key.

    Only that much is kept: a pool's placements, the tasks at work, the moves of a swap. `decode` sees the row alone,
    and what it returns is never changed by anybody.
    """

    def __init__(self, decode: Callable[[Any], T]) -> None:
        self._decode = decode
        self._last: dict[object, tuple[tuple[object, ...], T]] = {}

    def of(self, rows: Sequence[Any], whole: bool = True) -> list[T]:
        """Return what the rows say, in their order. whole: what is not among them is forgotten."""
        last, now = self._last, {}
        for row in rows:  # hundreds, many times a second
            values = tuple(row)
            was = last.get(values[0])
            now[values[0]] = was if was is not None and was[0] == values else (values, self._decode(row))
        if whole:
            self._last = now
        else:
            last.update(now)
        return [said for _, said in now.values()]
