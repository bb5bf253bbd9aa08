"""What each sink is still to be told, and how far it came. Written by the notifier alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from failover.core.folding import Fold
from failover.core.notice import Severity
from failover.core.posting import Waiting
from failover.core.routing import Subject
from failover.store.db import Store, Transaction


class SinkRow(msgspec.Struct, frozen=True, kw_only=True):
    """How far a sink came. The fields are explained in schema.sql; recent: epoch milliseconds."""

    name: str
    came_to: int
    told: int = 0
    told_ms: int = 0
    failures: int = 0
    failing_ms: int = 0
    reported: bool = False
    error: str = ""
    due_mono: float = 0.0
    host_boot: str = ""
    recent: tuple[int, ...] = ()
    dropped: int = 0
    dropped_ms: int = 0


class Post(msgspec.Struct, frozen=True, kw_only=True):
    """A notice that waits for one sink. parcel: the last id of those that it is sent together with, 0 while that is not
    decided."""

    id: int
    event: int
    at_ms: int
    since_ms: int
    type: str
    severity: Severity
    text: str
    about: Subject
    held: bool = False
    parcel: int = 0

    @property
    def waiting(self) -> Waiting:
        """Return it as the core wants it."""
        return Waiting(id=self.id, at_ms=self.since_ms, severity=self.severity, text=self.text, held=self.held)


def sinks(store: Store) -> dict[str, SinkRow]:
    """Return each sink that was ever told something or is to be, by name."""
    found = {}
    for row in store.query("SELECT * FROM sinks"):
        fields = {**dict(row), "recent": msgspec.json.decode(row["recent"]), "reported": bool(row["reported"])}
        found[row["name"]] = msgspec.convert(fields, SinkRow)
    return found


def keep_sink(tx: Transaction, row: SinkRow) -> None:
    """Keep how far a sink came."""
    fields = {**msgspec.structs.asdict(row), "recent": msgspec.json.encode(row.recent).decode()}
    tx.put("sinks", fields)


def forget_others(tx: Transaction, names: Sequence[str]) -> None:
    """Delete what is kept of sinks that are not among these."""
    marks = ", ".join("?" * len(names))
    for table, column in (("sinks", "name"), ("outbox", "sink")):
        tx.execute(f"DELETE FROM {table} WHERE {column} NOT IN ({marks})", names)


def add(tx: Transaction, sink: str, post: Post) -> None:
    """Let a notice wait for a sink; its id is given here."""
    tx.execute(
        "INSERT INTO outbox (sink, event, at_ms, since_ms, type, severity, text, about)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (sink, post.event, post.at_ms, post.since_ms, post.type, post.severity, post.text,
         msgspec.json.encode(post.about).decode()),
    )  # fmt: skip


def waiting(store: Store, sink: str, limit: int) -> list[Post]:
    """Return the oldest notices that wait for a sink, and the oldest of those that quiet hours do not hold back."""
    rows = store.query("SELECT * FROM outbox WHERE sink = ? ORDER BY id LIMIT ?", (sink, limit))
    if len(rows) == limit:
        last = rows[-1]["id"]
        rows += store.query(
            "SELECT * FROM outbox WHERE sink = ? AND id > ? AND held = 0 ORDER BY id LIMIT ?", (sink, last, limit)
        )
    return [_post(row) for row in rows]


def _post(row: Any) -> Post:
    fields = {**dict(row), "about": msgspec.json.decode(row["about"]), "held": bool(row["held"])}
    return msgspec.convert(fields, Post)


def backlog(store: Store) -> dict[str, int]:
    """Return how many notices wait for each sink."""
    return {row[0]: row[1] for row in store.query("SELECT sink, count(*) FROM outbox GROUP BY sink")}


def oldest(store: Store) -> dict[str, tuple[int, int]]:
    """Return how many notices wait for each sink for which any do, and since when the oldest does (epoch ms)."""
    return {row[0]: (row[1], row[2]) for row in store.query("SELECT sink, count(*), min(since_ms) FROM outbox"
                                                            " GROUP BY sink")}  # fmt: skip


def hold(tx: Transaction, ids: Iterable[int]) -> None:
    """Note that notices came into quiet hours."""
    for one in ids:
        tx.execute("UPDATE outbox SET held = 1 WHERE id = ?", (one,))


def put_together(tx: Transaction, ids: Sequence[int]) -> None:
    """Note what is sent as one message, before it is sent: a second try sends the same under the same key."""
    for one in ids:
        tx.execute("UPDATE outbox SET parcel = ? WHERE id = ?", (ids[-1], one))


def remove(tx: Transaction, ids: Iterable[int]) -> None:
    """Delete notices that need not wait any more."""
    for one in ids:
        tx.execute("DELETE FROM outbox WHERE id = ?", (one,))


def overdue(store: Store, sink: str, before_ms: int, most: int) -> tuple[int, int, int] | None:
    """Return the last id, the count and the first time of those that wait too long (since before `before_ms`) or are
    too many (more than `most`); None when there are none."""
    last = store.one(
        "SELECT max(id) FROM outbox WHERE sink = ? AND (since_ms < ? OR id <= coalesce("
        "(SELECT id FROM outbox WHERE sink = ? ORDER BY id DESC LIMIT 1 OFFSET ?), 0))",
        (sink, before_ms, sink, most),
    )[0]
    if last is None:
        return None
    row = store.one("SELECT count(*), min(at_ms) FROM outbox WHERE sink = ? AND id <= ?", (sink, last))
    return last, row[0], row[1]


def drop_to(tx: Transaction, sink: str, last: int) -> None:
    """Give up the notices of a sink up to an id."""
    tx.execute("DELETE FROM outbox WHERE sink = ? AND id <= ?", (sink, last))


def folds(store: Store) -> dict[str, Fold]:
    """Return what happened lately and is not told again for a while, by name."""
    rows = store.query("SELECT * FROM folds")
    return {row["name"]: msgspec.convert({**dict(row), "settling": bool(row["settling"])}, Fold) for row in rows}


def keep_fold(tx: Transaction, fold: Fold) -> None:
    """Keep a fold."""
    tx.put("folds", msgspec.structs.asdict(fold))


def drop_fold(tx: Transaction, name: str) -> None:
    """Delete a fold."""
    tx.execute("DELETE FROM folds WHERE name = ?", (name,))
