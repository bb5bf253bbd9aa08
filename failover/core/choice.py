"""What the choice of an account is made of: the accounts as the policy sees them, its rules, and what it decides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from failover.core.forecast import Forecast
from failover.core.move import Urgency
from failover.core.usage import Reading

IdleSessions = Literal["move", "lazy", "leave"]

#: Among accounts with room: the preferred one; the one with most left; the one whose week, then 5 hours, end first.
Strategy = Literal["priority", "most_headroom", "soonest_reset"]

#: When an account that is paid by use is a target: not at all, or when nothing else has room.
Use = Literal["never", "last_resort"]

#: What was made of an account: its sessions leave it or stay; they go to it (all of them or a part); it could have
#: been gone to; something speaks against it.
Word = Literal["left", "kept", "taken", "possible", "refused"]

#: The window of what a paid account spends: percent of its cap.
SPEND = "spend"


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """A session that would have to move. tokens: of context that its new account writes to its cache anew (0: not
    known); pinned: a person put it on the account that it is on."""

    session: str
    tokens: int = 0
    pinned: bool = False


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """An account as the policy sees it.

    priority: lower is preferred; thresholds: percent by window, of the windows that count; readings: what counts now,
    by window; opened: windows whose last reading ended with its period; sessions: how many of ours run on it; in_use:
    how many of them would have to move (those at rest may stay, see `needs`); loads: the same, one by one (may be
    empty: then no bill is known); trouble: why it turned out lately to be no target, empty if it did not; forecasts:
    when each window is expected to reach its threshold; limits: the same for the limit itself (100 %);
    tokens_per_point: measured tokens of context, written to the cache anew, that take one percent point of a window
    (a window that is not there: not learned yet); reserve: percent of each window that is kept for a person's own use;
    standby: used only when no other has room; paid: each request costs money, so that it comes after all others;
    use: whether a paid one comes at all; owed: tokens that sessions which moved here write to the cache and that no
    reading shows yet.
    """

    name: str
    priority: int
    thresholds: Mapping[str, float]
    readings: Mapping[str, Reading]
    sessions: int
    in_use: int
    loads: tuple[Load, ...] = ()
    opened: tuple[str, ...] = ()
    trouble: str = ""
    enabled: bool = True
    forecasts: Mapping[str, Forecast] = {}
    limits: Mapping[str, Forecast] = {}
    tokens_per_point: Mapping[str, float] = {}
    reserve: float = 0.0
    standby: bool = False
    paid: bool = False
    use: Use = "never"
    owed: int = 0

    def leaves_at(self, window: str) -> float:
        """Return from which use on (percent) the account is left: its threshold, or where the reserve begins."""
        return min(self.thresholds[window], self.ends_at(window))

    def ends_at(self, window: str) -> float:
        """Return up to which use (percent) the account may be used when there is no other. Money has no reserve."""
        return 100.0 if window == SPEND else 100.0 - self.reserve

    @property
    def counting(self) -> list[tuple[str, Reading]]:
        """Return the readings of the windows that count, by window."""
        return [(window, reading) for window, reading in sorted(self.readings.items()) if window in self.thresholds]


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """What bears on every decision.

    strategy: which of the accounts with room; margin: percent points; cooldown, wait_if_reset_within: seconds; now:
    epoch seconds; since_swap, since_continued: seconds since the last swap began, and since sessions were last
    continued, None when never; fail_back: sessions go home when they are at rest; forecast: leave early enough for the
    boundaries of the sessions that run; boundary: seconds in which nine of ten working sessions reach one (0: not
    known); parallel: how many sessions are away at once.
    """

    margin: float
    cooldown: float
    strategy: Strategy = "priority"
    wait_if_reset_within: float = 0.0
    now: float = 0.0
    since_swap: float | None = None
    since_continued: float | None = None
    fail_back: bool = True
    forecast: bool = True
    boundary: float = 0.0
    parallel: int = 1
    paused: bool = False
    swapping: bool = False


class Verdict(msgspec.Struct, frozen=True):
    """What was made of one account, and why (one sentence)."""

    account: str
    verdict: Word
    why: str


class Stay(msgspec.Struct, frozen=True, tag=True):
    """Nothing is moved.

    reason: one sentence; source: the account that should be left, empty when none; exhausted: sessions should leave it
    and there is nowhere to go; until: when the first window opens again (epoch seconds); verdicts: one an account.
    """

    reason: str
    source: str = ""
    exhausted: bool = False
    until: int | None = None
    verdicts: tuple[Verdict, ...] = ()


class Swap(msgspec.Struct, frozen=True, tag=True):
    """The sessions of `source` should move to `target`, or be started again where the two are one.

    sessions: which ones, empty for all that need it; shares: where one target cannot carry all, the account of each
    session that goes elsewhere than to `target`; verdicts: one for each account.
    """

    source: str
    target: str
    urgency: Urgency
    reason: str
    sessions: tuple[str, ...] = ()
    shares: Mapping[str, str] = {}
    verdicts: tuple[Verdict, ...] = ()


Decision = Stay | Swap
