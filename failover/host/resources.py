"""What a process costs, as the kernel counts it."""

from __future__ import annotations

import os
import time
from pathlib import Path

import msgspec

from failover.host.process import ProcessId, alive

_PAGE, _TICKS = os.sysconf("SC_PAGE_SIZE"), os.sysconf("SC_CLK_TCK")


class Resources(msgspec.Struct, frozen=True):
    """resident: bytes, pages that others share included; cpu: seconds; began: epoch seconds."""

    resident: int
    cpu: float
    began: float


def resources(process: ProcessId) -> Resources | None:
    """Return what a process costs, None when it is dead."""
    folder = Path("/proc", str(process.pid))
    try:
        pages = int((folder / "statm").read_text().split()[1])
        fields = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
    if not alive(process):  # compared afterwards: the figures are of nobody else
        return None
    # The kernel counts from the host's boot, time asleep included (proc(5), starttime).
    age = time.clock_gettime(time.CLOCK_BOOTTIME) - process.start / _TICKS
    return Resources(pages * _PAGE, (int(fields[11]) + int(fields[12])) / _TICKS, time.time() - age)


def proportional(process: ProcessId) -> int | None:
    """Return a process's share of memory (PSS, bytes), None when it cannot be had. The kernel walks every page for it:
    milliseconds."""
    try:
        lines = Path("/proc", str(process.pid), "smaps_rollup").read_text().splitlines()
    except OSError:
        return None
    found = next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), None)
    return found if alive(process) else None
