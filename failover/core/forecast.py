"""When a window will reach its threshold, from the history of its readings."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from failover.core.usage import Reading


class Forecast(msgspec.Struct, frozen=True, kw_only=True):
    """What the history of a window says of its future.

    rate: percent points per hour; crosses: when the threshold is expected to be reached (epoch seconds; None: not in
    this period); earliest, latest: between these it lies four times out of five (epoch seconds; None: not in this
    period).
    """

    account: str
    window: str
    rate: float
    crosses: float | None
    earliest: float | None
    latest: float | None


def forecast(history: Sequence[Reading], threshold: float, now: float) -> Forecast | None:
    """Return when a window will reach `threshold` (percent), None where its history does not suffice to say.

    history: readings of one account and window, in any order; now: epoch seconds.
    """
    return None
