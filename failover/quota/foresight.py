"""What is to be expected of each window, and how long boundaries take, looked up no more often than it changes much."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from failover.candidates import foresee
from failover.clock import Clock
from failover.core.boundary import reach, stretches
from failover.core.choice import Candidate
from failover.core.forecast import Forecast
from failover.store import choices
from failover.store.db import Store

#: A forecast is good for so long while nothing new is read, and is not made anew sooner than that (seconds).
_GOOD_FOR, _LEAST = 20.0, 1.0
#: How often the lengths of boundaries are looked up (seconds).
_BOUNDARIES_EACH = 60.0

_Pair = tuple[Forecast | None, Forecast | None]


class Foresight:
    """Keeps forecasts for seconds and the reach of a boundary for a minute, since each push asks for them."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._made: dict[tuple[str, str], tuple[float, int | None, float, _Pair]] = {}
        self._boundary: tuple[float, float] | None = None

    def boundary(self, longest: float) -> float:
        """Return within how many seconds nine of ten working sessions reach a boundary, at most `longest`; 0 where too
        little is known."""
        now = self._clock.monotonic()
        if self._boundary is None or now - self._boundary[0] >= _BOUNDARIES_EACH:
            self._boundary = (now, reach(stretches(choices.marks(self._store))))
        return min(self._boundary[1], longest)

    def of(self, accounts: Sequence[Candidate]) -> list[Candidate]:
        """Return the accounts with their forecasts."""
        return [self._of(account) for account in accounts]

    def _of(self, account: Candidate) -> Candidate:
        here: dict[str, Forecast] = {}
        ends: dict[str, Forecast] = {}
        for window, reading in account.counting:
            key, now = (account.name, window), self._clock.monotonic()
            at, resets_at, used, pair = self._made.get(key, (now - _GOOD_FOR, None, 0.0, (None, None)))
            # The forecast of a period says nothing of the next one.
            changed = (resets_at, used) != (reading.resets_at, reading.used)
            if now - at >= _GOOD_FOR or resets_at != reading.resets_at or (changed and now - at >= _LEAST):
                pair = foresee(self._store, account, window, self._clock.epoch())
                self._made[key] = (now, reading.resets_at, reading.used, pair)
            for told, into in zip(pair, (here, ends), strict=True):
                if told is not None:
                    into[window] = told
        return msgspec.structs.replace(account, forecasts=here, limits=ends)
