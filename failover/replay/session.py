"""A session of the world: the turns that it has to do, where it is in them, and what keeps it from going on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from failover.replay.account import Account
from failover.replay.demand import Turn

#: How long the cache of a context lasts after its last use (seconds; the ttl in the binary's statusline, 2.1.330).
CACHE_LASTS = 3600.0

State = Literal["idle", "working", "limited", "moving"]


class Session:
    """A session. It is on one account at any time.

    ready: when the next turn's work comes (epoch seconds), infinite after the last; batch: the next one of that turn;
    paid: its tokens that were paid for already; context: tokens; before: the same when the turn began; cached: when the
    account's cache of it was last used, None when there is none; arrived: when it was moved to its account; leaving:
    the account that it moves to at its next boundary; limit, limit_resets: the window that stopped it; since: when it
    began to be blocked; blocked: seconds.
    """

    __slots__ = (
        "_next", "_start", "_turns", "account", "arrived", "batch", "before", "blocked", "cached", "context", "leaving",
        "limit", "limit_resets", "name", "paid", "ready", "since", "state",
    )  # fmt: skip

    def __init__(self, name: str, turns: Sequence[Turn], account: Account, start: int) -> None:
        self.name, self.account = name, account
        self.state: State = "idle"
        self.batch = self.paid = self.context = self.before = 0
        self.cached: float | None = None
        self.arrived = 0.0
        self.leaving: Account | None = None
        self.limit, self.limit_resets = "", 0
        self.since: float | None = None
        self.blocked = 0.0
        self._turns, self._next, self._start = turns, 0, start
        self.ready: float = start + turns[0].at

    @property
    def turn(self) -> Turn:
        """Return the turn that is open or comes next; there must be one."""
        return self._turns[self._next]

    def recache(self, now: float) -> int:
        """Return the tokens that its next request writes to the cache although they had been there before."""
        return self.context if self.cached is None or now - self.cached > CACHE_LASTS else 0

    def wanted(self) -> int:
        """Return the tokens that are left to pay for of the next batch."""
        turn = self.turn
        return turn.tokens * (self.batch + 1) // turn.batches - turn.tokens * self.batch // turn.batches - self.paid

    def left(self) -> int:
        """Return the tokens of all work that was not paid for."""
        if self._next >= len(self._turns):
            return 0
        ahead = sum(turn.tokens for turn in self._turns[self._next :])
        return ahead - self.turn.tokens * self.batch // self.turn.batches - self.paid

    def batch_done(self) -> None:
        """End the batch that ran, and with the last one the turn."""
        turn = self.turn
        self.paid = 0
        self.batch += 1
        self.context = self.before + (turn.context - self.before) * self.batch // turn.batches
        if self.batch == turn.batches:
            self.batch, self.before = 0, turn.context
            self._next += 1
            self.ready = self._start + self.turn.at if self._next < len(self._turns) else float("inf")

    def block(self, now: float) -> None:
        """Note that from now on it would work if it could."""
        if self.since is None:
            self.since = now

    def unblock(self, now: float) -> None:
        """Note that it works, or that the world ends."""
        if self.since is not None:
            self.blocked += now - self.since
            self.since = None
