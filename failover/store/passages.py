"""Where swaps took sessions, read from their moves (the account-switcher writes them)."""

from __future__ import annotations

import msgspec

from failover.store.db import Store


class Passage(msgspec.Struct, frozen=True, kw_only=True):
    """That a swap took sessions from one account to another. at_ms: when it began (epoch milliseconds)."""

    swap: int
    at_ms: int
    source: str
    target: str
    sessions: int


def passages(store: Store, since_ms: int) -> list[Passage]:
    """Return where sessions went in the swaps since a moment (epoch milliseconds), oldest first.

    A swap may have several sources and several targets.
    """
    rows = store.query(
        "SELECT swaps.id AS swap, started_ms AS at_ms, json_extract(body, '$.source') AS source,"
        " json_extract(body, '$.target') AS target, count(*) AS sessions FROM moves JOIN swaps ON swaps.id = moves.swap"
        " WHERE started_ms >= ? AND swaps.kind = 'swap' AND moves.state = 'verified'"
        " GROUP BY 1, 2, 3, 4 ORDER BY 1, 3, 4",
        (since_ms,),
    )
    return [msgspec.convert(dict(row), Passage) for row in rows]
