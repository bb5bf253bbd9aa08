"""What the operator asks for (control-plane writes it) and what became of it: the account-switcher writes that, of
orders about a task the dispatcher does, of a sweep the janitor, each in a table of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec

from failover.events import OrderDone, OrderPlaced
from failover.store.db import Store, Transaction

Verb = Literal["swap", "launch", "stop", "restart", "restore", "adopt", "unpin", "cancel", "retry", "sweep"]
#: Those that are about a task.
TASK_VERBS = ("cancel", "retry")
#: The tables of results: of the account-switcher, the dispatcher and the janitor.
RESULTS = ("order_results", "task_order_results", "sweep_order_results")
_NOT_THE_SWITCHERS = (*TASK_VERBS, "sweep")
Outcome = Literal["done", "refused", "failed"]


class Args(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an order is about.

    sessions: names, none for all that it can apply to; to: the account to swap to or to launch on, empty for the
    policy's choice; dry_run: say what would be done, do nothing (swap, restore and adopt only); account, seconds: which
    one is disabled or enabled, and for how long it is disabled (0: until it is enabled); task: its number (cancel and
    retry only).
    """

    sessions: tuple[str, ...] = ()
    to: str = ""
    dry_run: bool = False
    account: str = ""
    seconds: float = 0.0
    task: Annotated[int, msgspec.Meta(ge=0, le=2**53)] = 0


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


class KeptAnswer(msgspec.Struct, frozen=True):
    """What was answered to a request with a key. request: its digest."""

    request: str
    answer: str


#: How long a key is known (milliseconds).
_KEY_LASTS_MS = 24 * 3600 * 1000


def kept_answer(store: Store, key: str) -> KeptAnswer | None:
    """Return what was answered to the order of that key, None when there was none within a day."""
    row = store.one(
        "SELECT request, answer FROM order_keys WHERE key = ? AND at_ms > ?", (key, store.now_ms() - _KEY_LASTS_MS)
    )
    return KeptAnswer(row["request"], row["answer"]) if row else None


def keep_answer(tx: Transaction, key: str, at_ms: int, kept: KeptAnswer) -> None:
    """Keep an answer under its key, and forget those that are over a day old."""
    tx.execute("DELETE FROM order_keys WHERE at_ms <= ?", (at_ms - _KEY_LASTS_MS,))
    tx.execute(
        "INSERT INTO order_keys (key, at_ms, request, answer) VALUES (?, ?, ?, ?)",
        (key, at_ms, kept.request, kept.answer),
    )


def pending(store: Store) -> list[Order]:
    """Return the account-switcher's orders without a result, oldest first: those about sessions."""
    return _pending(store, "NOT IN", _NOT_THE_SWITCHERS, "order_results")


def pending_of_tasks(store: Store) -> list[Order]:
    """Return the orders about tasks that have no result, oldest first."""
    return _pending(store, "IN", TASK_VERBS, "task_order_results")


def pending_sweeps(store: Store) -> list[Order]:
    """Return the orders to sweep that have no result, oldest first."""
    return _pending(store, "IN", ("sweep",), "sweep_order_results")


def _pending(store: Store, among: str, verbs: Sequence[str], results: str) -> list[Order]:
    marks = ", ".join("?" * len(verbs))
    rows = store.query(
        f"SELECT * FROM orders WHERE verb {among} ({marks})"
        f" AND NOT EXISTS (SELECT 1 FROM {results} WHERE order_id = orders.id) ORDER BY id",
        verbs,
    )
    return [_order(row) for row in rows]


def get(store: Store, order: int) -> Order | None:
    """Return an order."""
    row = store.one("SELECT * FROM orders WHERE id = ?", (order,))
    return _order(row) if row else None


def result(store: Store, order: int) -> OrderResult | None:
    """Return what became of an order, None while that is open."""
    sql = " UNION ALL ".join(f"SELECT * FROM {table} WHERE order_id = ?" for table in RESULTS)
    row = store.one(sql, (order,) * len(RESULTS))
    return msgspec.convert(dict(row), OrderResult) if row else None


def finish(tx: Transaction, order: int, at_ms: int, outcome: Outcome, sentence: str, detail: str = "{}") -> None:
    """Write what became of an order, and report it. An order has one result: a second one changes nothing."""
    _finish(tx, "order_results", order, at_ms, outcome, sentence, detail)


def finish_of_task(tx: Transaction, order: int, at_ms: int, outcome: Outcome, sentence: str) -> None:
    """Write what became of an order about a task, and report it."""
    _finish(tx, "task_order_results", order, at_ms, outcome, sentence, "{}")


def finish_sweep(tx: Transaction, order: int, at_ms: int, outcome: Outcome, sentence: str, detail: str) -> None:
    """Write what became of an order to sweep, and report it. detail: what was done, one entry a finding."""
    _finish(tx, "sweep_order_results", order, at_ms, outcome, sentence, detail)


def _finish(tx: Transaction, table: str, order: int, at_ms: int, outcome: Outcome, sentence: str, detail: str) -> None:
    added = tx.execute(
        f"INSERT OR IGNORE INTO {table} (order_id, at_ms, outcome, sentence, detail) VALUES (?, ?, ?, ?, ?)",
        (order, at_ms, outcome, sentence, detail),
    ).rowcount
    if added:
        tx.emit(OrderDone(order=order, outcome=outcome, sentence=sentence))


def _order(row: Any) -> Order:
    return Order(id=row["id"], at_ms=row["at_ms"], verb=row["verb"], args=_args.decode(row["args"]), by=row["by"])
