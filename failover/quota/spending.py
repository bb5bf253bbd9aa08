"""What our sessions cost under accounts that are paid by use: from their statuslines to the ledger, and as readings."""

from __future__ import annotations

import msgspec

from failover.config import Config
from failover.core import spend
from failover.core.spend import Ledger, Tick
from failover.core.usage import Reading
from failover.store import usage
from failover.store.db import Store


class _Cost(msgspec.Struct, frozen=True):
    total_cost_usd: float | None = None


class _Body(msgspec.Struct, frozen=True):
    cost: _Cost | None = None


_body = msgspec.json.Decoder(_Body, strict=False)


def readings(config: Config, store: Store) -> list[Reading]:
    """Count what the newest statuslines tell, and return what each capped account has used of its cap today.

    Saying it twice changes nothing: what was counted is in the store.
    """
    capped = [(account.name, account.cap_usd_per_day) for account in config.accounts if account.cap_usd_per_day]
    if not capped:
        return []
    now_ms = store.now_ms()
    today = spend.day(now_ms / 1000)
    ticks = _ticks(store)
    before = _ledger(store, ticks, today)
    after = spend.fold(before, ticks)
    found = [
        spend.reading(name, after.spent.get((name, today), 0.0), cap, now_ms) for name, cap in capped if cap is not None
    ]
    falls = [one for one in found if _is_lower(store, one)]
    if after != before or falls:
        with store.transaction() as tx:
            usage.note_costs(tx, before, after, now_ms)
            for one in falls:  # the cap was raised: today's percentages are those of another cap
                usage.forget_above(tx, one)
    return found


def _ticks(store: Store) -> list[Tick]:
    found = []
    for row in usage.statuslines(store):
        try:
            cost = _body.decode(row.body).cost
        except msgspec.MsgspecError:
            continue
        if cost and cost.total_cost_usd is not None and 0 <= cost.total_cost_usd < 1e9:
            found.append(
                Tick(account=row.account, conversation=row.conversation, total=cost.total_cost_usd, at_ms=row.at_ms)
            )
    return found


def _ledger(store: Store, ticks: list[Tick], today: int) -> Ledger:
    days = {today, *(spend.day(tick.at_ms / 1000) for tick in ticks)}
    return usage.ledger(store, [tick.conversation for tick in ticks], min(days))


def _is_lower(store: Store, reading: Reading) -> bool:
    highest = usage.highest(store, reading)
    return highest is not None and reading.used < highest
