"""The end of a long run from outside: what it started ends with it."""

from __future__ import annotations

import contextlib
import signal
from typing import NoReturn

_SIGNALS = (signal.SIGTERM, signal.SIGHUP)


def by_signals() -> None:
    """Let SIGTERM and SIGHUP end this program as Ctrl-C does; outside the main thread nothing changes.

    The first alone: timeout(1) signals its child and then the whole group, and the second would cut short the end of
    what was started.
    """
    with contextlib.suppress(ValueError):
        for number in _SIGNALS:
            signal.signal(number, _interrupted)


def _interrupted(number: int, frame: object) -> NoReturn:
    for each in _SIGNALS:
        signal.signal(each, _heard)  # not ignored: that would be handed on to whatever helps to clear up
    raise KeyboardInterrupt


def _heard(number: int, frame: object) -> None:
    """Do nothing: the end is under way."""
