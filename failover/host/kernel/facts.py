"""What the modules of all kernels speak of."""

from __future__ import annotations

from typing import NamedTuple


class Look(NamedTuple):
    """A process that runs; one that has ended and was not waited for does not. parent: a number; start: see ProcessId;
    terminal: whether it has a controlling terminal."""

    parent: int
    start: int
    terminal: bool
