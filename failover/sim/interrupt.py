"""The end of a long run from outside: what it started ends with it."""

from __future__ import annotations

import contextlib
import signal
from typing import NoReturn


def by_signals() -> None:
    """Let SIGTERM and SIGHUP end this program as Ctrl-C does; outside the main thread nothing changes."""
    with contextlib.suppress(ValueError):
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, _interrupted)


def _interrupted(number: int, frame: object) -> NoReturn:
    raise KeyboardInterrupt
