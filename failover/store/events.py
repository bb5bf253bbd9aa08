"""Reading the history of events."""

from __future__ import annotations

from typing import Any

import msgspec

from failover.events import AnyEvent, Envelope, encode_event, topic
from failover.store.db import Store

_decoder = msgspec.json.Decoder(AnyEvent)


def after(store: Store, last_id: int, limit: int = 1000, prefix: str = "") -> list[Envelope]:
    """Return up to `limit` events with an id above `last_id`, oldest first; `prefix` narrows by type."""
    rows = store.query(
        "SELECT * FROM events WHERE id > ? AND substr(type, 1, ?) = ? ORDER BY id LIMIT ?",
        (last_id, len(prefix), prefix, limit),
    )
    return [_envelope(row) for row in rows]


def latest(store: Store, limit: int, prefix: str = "") -> list[Envelope]:
    """Return the newest `limit` events, oldest first; `prefix` narrows by type."""
    rows = store.query(
        "SELECT * FROM events WHERE substr(type, 1, ?) = ? ORDER BY id DESC LIMIT ?", (len(prefix), prefix, limit)
    )
    return [_envelope(row) for row in reversed(rows)]


def before(store: Store, first_id: int, limit: int, prefix: str = "") -> list[Envelope]:
    """Return the newest `limit` events with an id below `first_id`, oldest first; `prefix` narrows by type."""
    rows = store.query(
        "SELECT * FROM events WHERE id < ? AND substr(type, 1, ?) = ? ORDER BY id DESC LIMIT ?",
        (first_id, len(prefix), prefix, limit),
    )
    return [_envelope(row) for row in reversed(rows)]


def last_id(store: Store) -> int:
    """Return the id of the newest event, 0 when there is none."""
    row = store.one("SELECT max(id) FROM events")
    return row[0] or 0


def _envelope(row: Any) -> Envelope:
    return Envelope(
        id=row["id"],
        source=row["source"],
        boot=row["boot"],
        seq=row["seq"],
        at_ms=row["at_ms"],
        event=_decoder.decode(row["body"]),
    )


def was_told(store: Store, event: AnyEvent) -> bool:
    """Say whether an event with the very same fields stands in the history."""
    body = encode_event(event).decode()
    return store.one("SELECT 1 FROM events WHERE type = ? AND body = ? LIMIT 1", (topic(event), body)) is not None
