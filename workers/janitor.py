"""janitor: does away with what is past its time or belongs to nobody, and copies the store; each sweep is an event."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from failover.events import Envelope, JanitorTroubled
from failover.janitor.ground import Ground
from failover.janitor.orphans import GRACE
from failover.janitor.sweeping import Done, Sweeper
from failover.runtime import Host, run
from failover.store import orders

#: The first sweep comes soon after the start (seconds).
_FIRST = 20.0


class Janitor:
    """Sweeps, and rests; sweeps at once when a person orders it."""

    name = "janitor"
    topics: tuple[str, ...] = ("operator.order-placed",)

    def __init__(self, host: Host) -> None:
        self._store, self._clock, self._every = host.store, host.clock, host.config.janitor.every
        self._sweeper = Sweeper(Ground(host.config, host.store, host.clock))
        self._due = host.clock.monotonic() + _FIRST
        self._trouble = ""

    def cycle(self, heard: Sequence[Envelope]) -> str:
        """Sweep, if it is time or somebody ordered it."""
        ordered = orders.pending_sweeps(self._store)
        if not ordered and self._clock.monotonic() < self._due:
            return ""
        done = self.sweep()
        if ordered:
            self._answer(ordered, done)
        return done.sentence

    def sweep(self) -> Done:
        """Sweep once."""
        done = self._sweeper.sweep()
        self._tell(done.troubles)
        rest = 1.0 if done.more else GRACE + 1 if self._sweeper.waits else self._every
        self._due = self._clock.monotonic() + min(rest, self._every)
        return done

    def _tell(self, troubles: Sequence[str]) -> None:
        """Report what could not be removed, when it is something else than last time."""
        sentence = "; ".join(troubles)
        if sentence and sentence != self._trouble:
            with self._store.transaction() as tx:
                tx.emit(JanitorTroubled(sentence=sentence))
        self._trouble = sentence

    def _answer(self, ordered: Sequence[orders.Order], done: Done) -> None:
        sentence, detail = done.sentence or "nothing to sweep", msgspec.json.encode(done.findings).decode()
        with self._store.transaction() as tx:
            for order in ordered:
                orders.finish_sweep(tx, order.id, self._store.now_ms(), "done", sentence, detail)

    def wake_after(self) -> float:
        """Return the seconds until the next sweep."""
        return max(self._due - self._clock.monotonic(), 0.0)

    def descriptors(self) -> Sequence[int]:
        """Return nothing: it goes by the clock."""
        return ()

    def close(self) -> None:
        """Hold nothing."""


def main() -> None:
    """Run the role."""
    run("janitor", Janitor)


if __name__ == "__main__":
    main()
