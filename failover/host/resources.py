"""What a process costs, as the kernel counts it."""

from __future__ import annotations

import time

import msgspec

from failover.host.kernel import kernel
from failover.host.process import ProcessId, age, alive


class Resources(msgspec.Struct, frozen=True):
    """resident: bytes, pages that others share included; cpu: seconds; began: epoch seconds."""

    resident: int
    cpu: float
    began: float


def resources(process: ProcessId) -> Resources | None:
    """Return what a process costs, None when it is dead."""
    found = kernel.cost(process.pid)
    if found is None or not alive(process):  # compared afterwards: the figures are of nobody else
        return None
    return Resources(*found, time.time() - age(process))


def proportional(process: ProcessId) -> int | None:
    """Return a process's share of memory (PSS, bytes), None when it cannot be had, as on macOS."""
    found = kernel.proportional(process.pid)
    return found if alive(process) else None
