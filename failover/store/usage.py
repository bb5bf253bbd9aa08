"""Usage readings and the requests that follow from them. Written by the quota-monitor alone."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import msgspec

from failover.core.policy import Swap
from failover.core.spend import Ledger
from failover.core.usage import Reading
from failover.store.db import Store, Transaction, among


class StatuslineRow(msgspec.Struct, frozen=True, kw_only=True):
    """The newest statusline push of a session; body is its JSON as the binary sent it, reduced to what is read."""

    session: str
    account: str
    launch: str
    conversation: str
    at_ms: int
    body: str


def recent(store: Store, since_ms: int) -> list[Reading]:
    """Return the readings observed since `since_ms` (epoch milliseconds)."""
    rows = store.query(
        "SELECT account, window, used, resets_at, observed_ms, source, origin FROM readings WHERE observed_ms >= ?",
        (since_ms,),
    )
    return [_reading(row) for row in rows]


def newest_of(store: Store, account: str, window: str, limit: int) -> list[Reading]:
    """Return the readings of an account's window that came last. What it costs does not grow with the history."""
    rows = store.query(
        "SELECT * FROM readings WHERE account = ? AND window = ? ORDER BY id DESC LIMIT ?", (account, window, limit)
    )
    return [_reading(row) for row in rows]


def has_noted(store: Store, reading: Reading) -> bool:
    """Say whether this figure of the account's window stands in the store, whoever told it."""
    return (
        store.one(
            "SELECT 1 FROM readings WHERE account = ? AND window = ? AND used = ? AND resets_at IS ? LIMIT 1",
            (reading.account, reading.window, reading.used, reading.resets_at),
        )
        is not None
    )


def _reading(row: Any) -> Reading:
    return msgspec.convert(dict(row), Reading)


def note(tx: Transaction, reading: Reading) -> None:
    """Keep a reading."""
    tx.execute(
        "INSERT INTO readings (account, window, used, resets_at, observed_ms, source, origin)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        msgspec.structs.astuple(reading),
    )


def statuslines(store: Store, of: Collection[str] | None = None) -> list[StatuslineRow]:
    """Return the newest statusline push of each session, or of those that are named."""
    where, names = among("session", of)
    rows = store.query(f"SELECT * FROM statuslines WHERE {where}", names)
    return [msgspec.convert(dict(row), StatuslineRow) for row in rows]


def recache_tokens(store: Store) -> dict[str, int]:
    """Return what each session's context costs on an account that has not cached it (tokens; the binary's own estimate,
    `prompt_cache.recache_tokens_if_cold` of its statusline)."""
    rows = store.query(
        "SELECT session, json_extract(body, '$.prompt_cache.recache_tokens_if_cold') AS tokens FROM statuslines"
    )
    return {row["session"]: int(row["tokens"]) for row in rows if isinstance(row["tokens"], int | float)}


def contexts(store: Store) -> dict[tuple[str, str], int]:
    """Return how many tokens each session's context holds, by session and conversation, where its statusline told."""
    rows = store.query(
        "SELECT session, conversation, json_extract(body, '$.context_window.total_input_tokens') AS tokens"
        " FROM statuslines"
    )
    return {
        (row["session"], row["conversation"]): int(row["tokens"])
        for row in rows
        if isinstance(row["tokens"], int | float)
    }


class Poll(msgspec.Struct, frozen=True, kw_only=True):
    """The last question to one who can be asked for readings.

    name: account/NAME, or command; failures: in a row; said: what came of it; pid, start: who was asked, while it runs.
    """

    name: str
    asked_ms: int
    failures: int
    said: str
    pid: int = 0
    start: int = 0


def polls(store: Store) -> dict[str, Poll]:
    """Return the last question to each, by name."""
    return {row["name"]: msgspec.convert(dict(row), Poll) for row in store.query("SELECT * FROM polls")}


def keep_poll(tx: Transaction, poll: Poll) -> None:
    """Keep a question, or what came of it."""
    tx.put("polls", msgspec.structs.asdict(poll))


def request_swap(tx: Transaction, at_ms: int, wanted: Swap) -> int:
    """Ask the account-switcher for a swap; return the request's id."""
    return tx.insert(
        "INSERT INTO swap_requests (at_ms, source, target, urgency, reason, sessions, shares)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            at_ms, wanted.source, wanted.target, wanted.urgency, wanted.reason,
            msgspec.json.encode(wanted.sessions).decode(), msgspec.json.encode(wanted.shares).decode(),
        ),
    )  # fmt: skip


def last_request_ms(store: Store) -> int:
    """Return when a swap was last asked for (epoch milliseconds), 0 when never."""
    row = store.one("SELECT max(at_ms) FROM swap_requests")
    return row[0] or 0


def ledger(store: Store, conversations: Sequence[str], since_day: int) -> Ledger:
    """Return what was counted of these conversations, and what was spent since a day (days since 1970, UTC)."""
    where, named = among("conversation", conversations)
    totals = store.query(f"SELECT conversation, total FROM charged WHERE {where}", named)
    spent = store.query("SELECT account, day, usd FROM spent WHERE day >= ?", (since_day,))
    return Ledger(
        {row["conversation"]: row["total"] for row in totals},
        {(row["account"], row["day"]): row["usd"] for row in spent},
    )


def note_costs(tx: Transaction, before: Ledger, after: Ledger, at_ms: int) -> None:
    """Keep what a ledger has more than an earlier one."""
    for conversation, total in after.totals.items():
        if before.totals.get(conversation) != total:
            tx.put("charged", {"conversation": conversation, "total": total, "at_ms": at_ms})
    for (account, day), usd in after.spent.items():
        if before.spent.get((account, day)) != usd:
            tx.put("spent", {"account": account, "day": day, "usd": usd}, key=2)


def highest(store: Store, reading: Reading) -> float | None:
    """Return the highest use that was noted in the period of a reading, None when none was."""
    row = store.one(
        "SELECT max(used) FROM readings WHERE account = ? AND window = ? AND resets_at = ?",
        (reading.account, reading.window, reading.resets_at),
    )
    return None if row is None or row[0] is None else float(row[0])


def forget_above(tx: Transaction, reading: Reading) -> None:
    """Remove the readings of a reading's period that are higher than it."""
    tx.execute(
        "DELETE FROM readings WHERE account = ? AND window = ? AND resets_at = ? AND used > ?",
        (reading.account, reading.window, reading.resets_at, reading.used),
    )
