"""The holds of moves: which conversations may not pass their next boundary."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from failover.clock import Clock
from failover.core.move import Move
from failover.events import HoldChanged
from failover.host import process
from failover.store import hooks, swaps
from failover.store.db import Store, among

#: A hold is renewed while its swap is open; it ends by itself this long after its holder stopped caring (seconds).
_HOLD_LASTS = 60.0


class Holds:
    """Sets, renews and lifts the holds of this process."""

    def __init__(self, store: Store, clock: Clock) -> None:
        own = process.identify(os.getpid())
        assert own is not None
        self._store, self._clock, self._own = store, clock, own

    def turn(self, moves: Sequence[Move], standing: bool) -> bool:
        """Let holds stand while a slot is free; else the sessions work on. Return whether any is new.

        In a swap of a hundred the last slot is taken and given back with each of them: ninety holds are one write.
        """
        where, named = among("conversation", [move.conversation for move in moves])
        rows = {row["conversation"]: row for row in self._store.query(f"SELECT * FROM holds WHERE {where}", named)}
        turned = [move for move in moves if standing != (move.conversation in rows)]
        kept = (move for move in moves if standing and move.conversation in rows)
        renewed = [move for move in kept if self._runs_out(rows[move.conversation])]
        if not turned and not renewed:
            return False
        until = self._clock.monotonic() + _HOLD_LASTS
        with self._store.transaction() as tx:
            for move in (*turned, *renewed):
                if standing:
                    swaps.set_hold(tx, move.conversation, move.id, self._own.pid, self._own.start, until)
                else:
                    swaps.lift_hold(tx, move.conversation)
            if turned:
                conversation = turned[0].conversation if len(turned) == 1 else ""
                tx.emit(HoldChanged(conversation=conversation, standing=standing))
        return bool(turned)

    def stands(self, move: Move) -> bool:
        """Say whether our hold on a move's session still stands."""
        hold = hooks.standing_hold(self._store, move.conversation)
        own = hold is not None and (hold.pid, hold.start) == (self._own.pid, self._own.start)
        return own and hold is not None and self._clock.monotonic() < hold.until_mono

    def _runs_out(self, row: Mapping[str, Any]) -> bool:
        """Say whether a hold is another holder's, or ends soon."""
        ours = (row["pid"], row["start"]) == (self._own.pid, self._own.start)
        return not ours or float(row["until_mono"]) - self._clock.monotonic() <= _HOLD_LASTS / 2
