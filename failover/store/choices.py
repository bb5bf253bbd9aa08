"""What was decided and why, and what it rests on beyond readings. Written by the quota-monitor alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from failover.core.boundary import HOOKS, Mark
from failover.core.choice import Decision, Stay, Verdict
from failover.core.cost import Cost
from failover.store.db import Store, Transaction

#: So many of the newest hook calls tell how long boundaries take.
_CALLS = 2000


class DecisionRow(msgspec.Struct, frozen=True, kw_only=True):
    """A decision that stands since `since_ms`; its sentences are of `at_ms` (epoch milliseconds)."""

    id: int
    since_ms: int
    at_ms: int
    kind: Literal["stay", "swap"]
    source: str
    target: str
    reason: str
    verdicts: tuple[Verdict, ...]


def latest(store: Store) -> DecisionRow | None:
    """Return the decision that stands, None before the first."""
    row = store.one("SELECT * FROM decisions ORDER BY id DESC LIMIT 1")
    return _decision(row) if row else None


def keep(tx: Transaction, standing: DecisionRow | None, decision: Decision, at_ms: int) -> DecisionRow:
    """Keep a decision: as a new row when it is another than the one that stands, else with its sentences renewed."""
    made = DecisionRow(
        id=0,
        since_ms=at_ms,
        at_ms=at_ms,
        kind=_kind(decision),
        source=decision.source,
        target="" if isinstance(decision, Stay) else decision.target,
        reason=decision.reason,
        verdicts=decision.verdicts,
    )
    if standing is not None and same(standing, decision):
        made = msgspec.structs.replace(made, id=standing.id, since_ms=standing.since_ms)
        verdicts = msgspec.json.encode(_rows(made.verdicts)).decode()
        tx.execute(
            "UPDATE decisions SET at_ms = ?, reason = ?, verdicts = ? WHERE id = ?",
            (at_ms, made.reason, verdicts, made.id),
        )
        return made
    number = tx.insert(
        "INSERT INTO decisions (since_ms, at_ms, kind, source, target, reason, verdicts) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            at_ms, at_ms, made.kind, made.source, made.target, made.reason,
            msgspec.json.encode(_rows(made.verdicts)).decode(),
        ),
    )  # fmt: skip
    return msgspec.structs.replace(made, id=number)


def same(standing: DecisionRow, decision: Decision) -> bool:
    """Say whether a decision is the one that stands, whatever figures its sentences have."""
    where = (standing.kind, standing.source, standing.target)
    if where != (_kind(decision), decision.source, "" if isinstance(decision, Stay) else decision.target):
        return False
    return [(v.account, v.verdict) for v in standing.verdicts] == [(v.account, v.verdict) for v in decision.verdicts]


def costs(store: Store) -> dict[tuple[str, str], Cost]:
    """Return what was counted of each (account, window)."""
    found = [msgspec.convert(dict(row), Cost) for row in store.query("SELECT * FROM costs")]
    return {(one.account, one.window): one for one in found}


def save_cost(tx: Transaction, cost: Cost) -> None:
    """Keep what was counted of a window."""
    tx.put("costs", msgspec.structs.asdict(cost), key=2)


def marks(store: Store) -> list[Mark]:
    """Return those of the newest hook calls that tell how long boundaries take, oldest first."""
    rows = store.query(
        "SELECT conversation, hook, at_ms, coalesce(json_extract(body, '$.agent'), '') AS agent FROM hook_calls"
        f" WHERE id > (SELECT max(id) FROM hook_calls) - ? AND hook IN ({', '.join('?' * len(HOOKS))}) ORDER BY id",
        (_CALLS, *HOOKS),
    )
    return [msgspec.convert(dict(row), Mark) for row in rows]


def _kind(decision: Decision) -> Literal["stay", "swap"]:
    return "stay" if isinstance(decision, Stay) else "swap"


def _rows(verdicts: Sequence[Verdict]) -> list[tuple[str, str, str]]:
    return [(one.account, one.verdict, one.why) for one in verdicts]


def _decision(row: Any) -> DecisionRow:
    told = [dict(zip(("account", "verdict", "why"), one, strict=True)) for one in msgspec.json.decode(row["verdicts"])]
    return msgspec.convert({**dict(row), "verdicts": told}, DecisionRow)
