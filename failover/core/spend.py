"""What our sessions cost under accounts that are paid by use, as readings of a window `spend`.

The binary's statusline tells `cost.total_cost_usd`, its own estimate at list prices. It counts up over the whole
conversation: a session that is resumed under another account starts with what it had cost before (measured on 2.1.330).
So what counts is how much it grew, and that falls to the account that the session ran on. The first total of a
conversation that was never seen is its start, and costs nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from failover.core.usage import Reading

_DAY = 86400


class Tick(msgspec.Struct, frozen=True, kw_only=True):
    """One push. total: US dollars of the whole conversation; at_ms: epoch milliseconds."""

    account: str
    conversation: str
    total: float
    at_ms: int


class Ledger(msgspec.Struct, frozen=True):
    """How far each conversation was counted (US dollars), and what each account cost on a day (days since 1970,
    UTC)."""

    totals: Mapping[str, float] = {}
    spent: Mapping[tuple[str, int], float] = {}


def fold(ledger: Ledger, ticks: Iterable[Tick]) -> Ledger:
    """Return the ledger after some pushes. A total that fell (its last part was lost with a process) costs nothing."""
    totals, spent = dict(ledger.totals), dict(ledger.spent)
    for tick in sorted(ticks, key=lambda t: (t.at_ms, t.total)):
        grown = tick.total - totals.get(tick.conversation, tick.total)
        totals[tick.conversation] = tick.total
        if grown > 0:
            key = (tick.account, day(tick.at_ms / 1000))
            spent[key] = spent.get(key, 0.0) + grown
    return Ledger(totals, spent)


def reading(account: str, usd: float, cap: float, now_ms: int) -> Reading:
    """Return what `usd` of the current day are of the cap; the window ends at the next midnight UTC."""
    return Reading(
        account=account,
        window="spend",
        used=round(100 * usd / cap, 2),
        resets_at=(day(now_ms / 1000) + 1) * _DAY,
        observed_ms=now_ms,
        source="cost",
    )


def day(epoch: float) -> int:
    """Return the day of a moment (epoch seconds): days since 1970, UTC."""
    return int(epoch // _DAY)
