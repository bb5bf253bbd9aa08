"""What happened in a simulated process, for the checks of others: one JSON line per event in FAILOVER_SIM_LOG."""

from __future__ import annotations

import json
import os
import time
from typing import Any


def note(event: str, **fields: Any) -> None:
    """Append an event with its epoch time and this pid; without FAILOVER_SIM_LOG nothing is written."""
    path = os.environ.get("FAILOVER_SIM_LOG")
    if not path:
        return
    line = json.dumps({"t": round(time.time(), 4), "event": event, "pid": os.getpid(), **fields}) + "\n"
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, line.encode())
    finally:
        os.close(descriptor)
