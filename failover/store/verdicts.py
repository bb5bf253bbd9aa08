"""What the last swaps tell of the accounts: limits that were met, accounts that could not serve, what they are owed."""

from __future__ import annotations

from collections.abc import Sequence
from weakref import WeakKeyDictionary

import msgspec

from failover.core.move import Reached
from failover.store.db import Store
from failover.store.swaps import SwapRow, latest, moves, refused, verified_at

#: So many of the last swaps are looked at for accounts that could not serve, and so many for all else.
LOOKED_BACK, _LAST = 20, 5


class _Told(msgspec.Struct, frozen=True):
    """What the moves of a swap tell of accounts: which could not serve, limits apart, which did, the limits, and see
    `bills`."""

    failed: frozenset[str]
    served: frozenset[str]
    limits: tuple[Reached, ...]
    bills: dict[str, list[tuple[int, int]]]


#: Of swaps that are over, whose moves change no more: the policy asks for those of half an hour at every decision.
kept: WeakKeyDictionary[Store, dict[int, _Told]] = WeakKeyDictionary()


def limits_met(store: Store) -> list[Reached]:
    """Return the used-up windows that the moves of the last swaps met on their way."""
    return [met for told in _tell(store, latest(store, _LAST)) for met in told.limits]


def troubled(store: Store, since_ms: int) -> dict[str, str]:
    """Return the accounts that turned out to be no targets since then (epoch milliseconds), each with the reason.

    A session that was moved there afterwards clears an account; one that had reached its limit is judged by its
    readings instead.
    """
    rows = [row for row in latest(store, LOOKED_BACK) if row.started_ms >= since_ms]
    found: dict[str, str] = {}
    for row, told in zip(rows, _tell(store, rows), strict=True):
        for account in told.failed:
            found.setdefault(account, f"{account} could not serve in swap {row.id}")
        for account in told.served:
            found.setdefault(account, "")
    return {account: why for account, why in found.items() if why}


def bills(store: Store) -> dict[str, list[tuple[int, int]]]:
    """Return of each account what the moves of the last swaps brought to it, as (epoch milliseconds, tokens of
    context): a bill that no reading before that time shows."""
    found: dict[str, list[tuple[int, int]]] = {}
    for told in _tell(store, [row for row in latest(store, _LAST, fresh=True) if row.kind == "swap"]):
        for account, some in told.bills.items():
            found.setdefault(account, []).extend(some)
    return found


def _tell(store: Store, rows: Sequence[SwapRow]) -> list[_Told]:
    known, found = kept.setdefault(store, {}), []
    for row in rows:
        if (told := known.get(row.id)) is None:
            told = _look(store, row)
            if row.state != "open":
                known[row.id] = told
        found.append(told)
    while len(known) > LOOKED_BACK:
        del known[min(known)]
    return found


def _look(store: Store, row: SwapRow) -> _Told:
    made = moves(store, row.id)
    limits = tuple(met for move in made for met in move.limits)
    brought: dict[str, list[tuple[int, int]]] = {}
    came = verified_at(store, row.id)
    for move in made:
        if move.bill and move.id in came:
            brought.setdefault(move.target, []).append((came[move.id], move.bill))
    return _Told(
        failed=refused(row, made) - {met.account for met in limits},
        served=frozenset(move.target for move in made if move.state == "verified"),
        limits=limits,
        bills=brought,
    )
