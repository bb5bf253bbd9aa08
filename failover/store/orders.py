"""What the operator asks for (control-plane writes it) and what became of it (account-switcher writes that)."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from failover.events import OrderDone, OrderPlaced
from failover.store.db import Store, Transaction

Verb = Literal["swap", "launch", "stop", "restart", "unpin"]
Outcome = Literal["done", "refused", "failed"]


class Args(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an order is about.

    sessions: names, none for all that it can apply to; to: the account to swap to or to launch on, empty for the
    policy's choice; dry_run: say what would be done, do nothing (swap only); account, seconds: which one is disabled or
    enabled, and for how long it is disabled (0: until it is enabled).
    """

    sessions: tuple[str, ...] = ()
    to: str = ""
    dry_run: bool = False
    account: str = ""
    seconds: float = 0.0


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """An order as placed. by: who placed it, in words for people."""

    id: int
    at_ms: int
    verb: Verb
    args: Args
    by: str


class OrderResult(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an order. sentence: for people; detail: JSON for programs."""

    order_id: int
    at_ms: int
    outcome: Outcome
    sentence: str
    detail: str = "{}"


_args = msgspec.json.Decoder(Args)


def place(tx: Transaction, at_ms: int, verb: Verb, args: Args, by: str) -> int:
    """Write an order, report it, and return its id."""
    order = tx.insert(
        "INSERT INTO orders (at_ms, verb, args, by) VALUES (?, ?, ?, ?)",
        (at_ms, verb, msgspec.json.encode(args).decode(), by),
    )
    tx.emit(OrderPlaced(order=order, verb=verb))
    return order


def pending(store: Store) -> list[Order]:
    """Return the orders without a result, oldest first."""
    return [
        _order(row)
        for row in store.query(
            "SELECT * FROM orders WHERE NOT EXISTS (SELECT 1 FROM order_results WHERE order_id = orders.id) ORDER BY id"
        )
    ]


def get(store: Store, order: int) -> Order | None:
    """Return an order."""
    row = store.one("SELECT * FROM orders WHERE id = ?", (order,))
    return _order(row) if row else None


def result(store: Store, order: int) -> OrderResult | None:
    """Return what became of an order, None while that is open."""
    row = store.one("SELECT * FROM order_results WHERE order_id = ?", (order,))
    return msgspec.convert(dict(row), OrderResult) if row else None


def finish(tx: Transaction, order: int, at_ms: int, outcome: Outcome, sentence: str, detail: str = "{}") -> None:
    """Write what became of an order, and report it. An order has one result: a second one changes nothing."""
    added = tx.execute(
        "INSERT OR IGNORE INTO order_results (order_id, at_ms, outcome, sentence, detail) VALUES (?, ?, ?, ?, ?)",
        (order, at_ms, outcome, sentence, detail),
    ).rowcount
    if added:
        tx.emit(OrderDone(order=order, outcome=outcome, sentence=sentence))


def _order(row: Any) -> Order:
    return Order(id=row["id"], at_ms=row["at_ms"], verb=row["verb"], args=_args.decode(row["args"]), by=row["by"])
