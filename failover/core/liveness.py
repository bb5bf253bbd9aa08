"""Whether a role of the daemon is in trouble: it does not run, or it is started over and over."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

#: A role that is gone for this long is told of; supervisord has it back within 2.5 s when all is well (seconds).
GONE_FOR = 20.0
#: So many starts within so long (milliseconds) are a loop.
LOOP, LOOP_MS = 5, 120_000
#: It is well again once it has run for this long (milliseconds).
WELL_MS = 60_000


class Failing(msgspec.Struct, frozen=True):
    """starts: how often it was started in the last while; 0: it does not run."""

    starts: int


def verdict(starts_ms: Sequence[int], now_ms: int, gone_for: float | None, was_failing: bool) -> Failing | None:
    """Return what is wrong with a role, None for nothing. starts_ms: when it was started lately; gone_for: seconds that
    its process has been seen dead, None while it lives."""
    if gone_for is not None and gone_for >= GONE_FOR:
        return Failing(0)
    lately = [at for at in starts_ms if 0 <= now_ms - at < LOOP_MS]
    if len(lately) >= LOOP:
        return Failing(len(lately))
    young = bool(lately) and now_ms - max(lately) < WELL_MS
    if was_failing and (gone_for is not None or young):
        return Failing(len(lately))
    return None
