"""The moves that wait, for their turn or for a boundary: who was looked at, and what of it still holds.

In a swap of a hundred sessions two are away and ninety wait, and something happens dozens of times a second. A boundary
rings; so of whom nothing is heard it is enough to look now and then.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import msgspec

from failover.clock import Clock
from failover.core.move import Move, Seen
from failover.switcher.look import Scene

#: How long a look is good at a session of which nothing is heard (seconds).
_GOOD_FOR = 5.0
_WAIT = ("queued", "holding")
#: So many are named of those that wait for the same.
_NAMED = 3


class Known(msgspec.Struct, frozen=True):
    """A look: when (monotonic seconds), at a move in which state, at which boundary its session was, and why it waits.
    slot: whether it has one, by the last word on it."""

    at: float
    session: str
    state: str
    boundary: str
    slot: bool
    why: str


class Waiting:
    """The last look at each. It only saves looks: without it everything is decided the same."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: dict[int, Known] = {}

    def known(self, move: Move, slot: bool, deadline: float = 0.0) -> Known | None:
        """Return what is known of a move that goes on waiting, None when it has to be looked at: with a slot it goes
        from a boundary, and from the queue; and once more after the deadline (monotonic seconds)."""
        now = self._clock.monotonic()
        known = self._of(move, now)
        if known is None or known.at < deadline <= now:
            return None
        return None if slot and (known.boundary or known.state == "queued") else known

    def note(self, move: Move, slot: bool, seen: Seen, why: str) -> None:
        """Keep a look at a move that waits."""
        if move.state in _WAIT:
            now, boundary = self._clock.monotonic(), seen.standing.at or ""
            self._known[move.id] = Known(now, move.session, move.state, boundary, slot, why)

    def turn(self, move: Move, slot: bool) -> Known:
        """Note that a move has a slot now, or has none any more."""
        known = self._known[move.id] = msgspec.structs.replace(self._known[move.id], slot=slot)
        return known

    def at_rest(self, moves: Sequence[Move], scene: Scene) -> frozenset[str]:
        """Return the sessions that wait to be moved and are at rest."""
        now, found = self._clock.monotonic(), []
        for move in moves:  # all of them, at each step that one takes
            if move.state in _WAIT:
                known = self._of(move, now)
                if (known.boundary if known is not None else scene.seen(move).standing.at) == "idle":
                    found.append(move.session)
        return frozenset(found)

    def forget(self, sessions: Collection[str] | None) -> None:
        """Forget the looks at some sessions, or at all (None)."""
        for one in [one for one, known in self._known.items() if sessions is None or known.session in sessions]:
            del self._known[one]

    def clear(self) -> None:
        """Forget all: the swap is over."""
        self._known.clear()

    def _of(self, move: Move, now: float) -> Known | None:
        known = self._known.get(move.id)
        if known is None or known.state != move.state or now - known.at >= _GOOD_FOR:
            return None
        return known


def told(waits: Mapping[str, str]) -> str:
    """Return what sessions wait for, by name. Of many that wait for the same only some are named: it is often said."""
    alike: dict[str, list[str]] = {}
    for name, why in waits.items():
        alike.setdefault(why, []).append(name)
    few = ((names[:_NAMED], len(names) - _NAMED, why) for why, names in alike.items())
    return "; ".join(f"{', '.join(names)}{f' and {more} more' if more > 0 else ''}: {why}" for names, more, why in few)
