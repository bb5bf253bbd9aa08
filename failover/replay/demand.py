"""What is asked of a pool: turns of sessions, and the accounts that could serve them.

Tokens are all of one kind: as dear as one token that is written to the cache. So the quota of a window, the cost of a
turn and the cost of a context that moves can be added up (docs/policy.md says how they are found).
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

FIVE_HOURS = 5 * 3600
WEEK = 7 * 86400

#: Tokens written to the cache that take one percent of an ordinary 5-hour window: 30 contexts of some 160,000 tokens
#: took a third of one (told by users of another tool).
TOKENS_PER_PERCENT = 145_000

#: The quota of an ordinary account: of 5 hours, and of a week (tokens). That a week has ten such windows is assumed.
ORDINARY = (100 * TOKENS_PER_PERCENT, 1000 * TOKENS_PER_PERCENT)


Name = Annotated[str, Meta(pattern=r"^[^\x00-\x1f\x7f]{1,64}\Z")]
Tokens = Annotated[int, Meta(ge=1, le=10**12)]


class Quota(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An account of the world. five_hour, seven_day: tokens a window; week_ends: seconds after the start at which the
    week that runs then ends (0: none runs; it begins with the first use, as every later one does)."""

    name: Name
    five_hour: Tokens = ORDINARY[0]
    seven_day: Tokens = ORDINARY[1]
    week_ends: Annotated[int, Meta(ge=0, le=WEEK)] = 0


class Turn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One turn of a session.

    at: when the work came (seconds after the start); seconds: how long it takes undisturbed; tokens: of quota that it
    takes; context: tokens of context when it ends (fewer than before: it was compacted); batches: the turn's equal
    parts, each of which ends at a boundary.
    """

    session: Name
    at: Annotated[float, Meta(ge=0, le=1e9)]
    seconds: Annotated[float, Meta(gt=0, le=1e6)]
    tokens: Tokens
    context: Annotated[int, Meta(ge=0, le=10**8)]
    batches: Annotated[int, Meta(ge=1, le=10_000)] = 1


class Demand(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is asked. start: epoch seconds; seconds: how long it is looked at; turns: those of a session in
    the order in which it takes them."""

    about: str
    start: int
    seconds: int
    accounts: tuple[Quota, ...]
    turns: tuple[Turn, ...]

    def sessions(self) -> dict[str, list[Turn]]:
        """Return the turns of each session, sessions in the order of their first turn."""
        found: dict[str, list[Turn]] = {}
        for turn in self.turns:
            found.setdefault(turn.session, []).append(turn)
        return found
