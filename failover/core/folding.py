"""What happens over and over is told once, and then how often: a session that flaps is no flood of notices.

A fold is a name with a time until which it rests. The first notice of a name is told and begins a rest; those that come
while it rests are counted, and when the rest ends the last of them is told with the count, which begins the next rest.
A rest that ends with nothing counted is over. A notice that must settle begins with a rest, so that it is told only if
nothing has ended it by then.
"""

from __future__ import annotations

import msgspec

#: How long a name rests after it was told (milliseconds).
REST_MS = 600_000


class Fold(msgspec.Struct, frozen=True):
    """since_ms, until_ms: of the rest, epoch milliseconds; count: notices in it; event: the last one's event (0: none);
    settling: nothing was told before this rest."""

    name: str
    since_ms: int
    until_ms: int
    count: int = 0
    event: int = 0
    settling: bool = False


def take(fold: Fold | None, name: str, event: int, at_ms: int, settles_ms: int) -> tuple[bool, Fold]:
    """Return whether a notice is told at once, and the fold after it."""
    if fold is not None and not is_over(fold, at_ms):
        return False, msgspec.structs.replace(fold, count=fold.count + 1, event=event)
    if settles_ms:
        return False, Fold(name, at_ms, at_ms + settles_ms, 1, event, settling=True)
    return True, Fold(name, at_ms, at_ms + REST_MS)


def is_over(fold: Fold, now_ms: int) -> bool:
    """Say whether the rest has ended. A clock that was set back ends it: better told twice than not."""
    return not fold.since_ms <= now_ms < fold.until_ms


def ended(fold: Fold, now_ms: int) -> tuple[str | None, Fold | None]:
    """Return what a rest that is over leaves to be told: words to add to the last notice (None: nothing is told), and
    the fold after it (None: it is gone)."""
    if not fold.count:
        return None, None
    words = "" if fold.count == 1 else f" ({fold.count} times within {_span(now_ms - fold.since_ms)})"
    return words, Fold(fold.name, now_ms, now_ms + REST_MS)


def settled_by(session: str, state: str) -> tuple[str, ...]:
    """Return the names that a session's new state puts an end to, where they are still settling."""
    return tuple(f"{session}/{other}" for other in ("unknown", "starting") if other != state)


def _span(ms: int) -> str:
    minutes = max(1, round(ms / 60_000))
    return f"{minutes} minute{'' if minutes == 1 else 's'}"
