"""What counters and histograms have come to. Written by the control-plane alone, at each scrape.

They are counted from the events, each once: how far that came is kept in the same transaction. So they outlive the
control plane and only grow, whatever the janitor deletes. What it deletes before anybody ever scraped is not counted.
"""

from __future__ import annotations

from typing import Any

import msgspec

from failover.config import Config
from failover.core.tally import FAMILIES, Key, Tally, blackout, crossed, waited
from failover.core.usage import Reading
from failover.errors import UsageError
from failover.store import swaps, tasks, usage
from failover.store.db import Store

_COUNTED = (
    "swap.finished", "usage.all-exhausted", "task.queued", "task.dispatched", "task.finished", "role.started",
)  # fmt: skip
#: The row that holds how far the events were counted.
_CURSOR = ("", "")
#: So many readings of a window tell when it crossed its threshold.
_READINGS = 400
_floats = msgspec.json.Decoder(list[float])
_strings = msgspec.json.Decoder(tuple[str, ...])


def count(config: Config, store: Store, pending: Tally) -> Tally:
    """Count what happened since the last time, add it and `pending` to what is kept, and return all.

    Raises StoreError; then nothing was added.
    """
    kept, came_to = _read(store)
    fresh, until = _since(config, store, came_to)
    fresh.add(pending)
    kept.add(fresh)
    grown = {key for key, _ in fresh.items()}
    with store.transaction() as tx:
        for (name, labels), value in kept.items():
            if (name, labels) in grown:
                _write(tx, name, msgspec.json.encode(labels).decode(), msgspec.json.encode(value).decode())
        _write(tx, *_CURSOR, str(until))
    kept.begin()
    return kept


def _write(tx: Any, name: str, labels: str, value: str) -> None:
    tx.put("totals", {"name": name, "labels": labels, "value": value}, key=2)


def _read(store: Store) -> tuple[Tally, int]:
    rows = {(row["name"], row["labels"]): row["value"] for row in store.query("SELECT * FROM totals")}
    came_to = int(rows.pop(_CURSOR, 0))
    series: dict[Key, list[float]] = {}
    for (name, labels), value in rows.items():
        values = _strings.decode(labels)
        if name in FAMILIES and len(values) == len(FAMILIES[name].labels):
            series[name, values] = _floats.decode(value)
    return Tally(series), came_to


def _since(config: Config, store: Store, came_to: int) -> tuple[Tally, int]:
    """Return what the events after `came_to` add up to, and the last of them."""
    until = store.one("SELECT coalesce(max(id), 0) FROM events")[0]
    marks = ", ".join("?" * len(_COUNTED))
    rows = store.query(
        f"SELECT at_ms, type, body FROM events WHERE id > ? AND id <= ? AND type IN ({marks}) ORDER BY id",
        (came_to, until, *_COUNTED),
    )
    found = Tally()
    for row in rows:
        told = msgspec.json.decode(row["body"])
        match row["type"]:
            case "swap.finished":
                _swap(config, store, found, told)
            case "usage.all-exhausted":
                found.count("exhausted")
            case "task.queued":
                found.count("tasks_queued")
            case "task.dispatched":
                task = tasks.get(store, told["task"])
                lay = waited(task, told["attempt"], row["at_ms"]) if task else None
                if lay is not None:
                    found.observe("task_dispatch_seconds", lay)
            case "task.finished":
                found.count("tasks_finished", told["outcome"])
            case "role.started":
                found.count("role_starts", told["role"])
    return found, max(until, came_to)


def _swap(config: Config, store: Store, found: Tally, told: dict[str, Any]) -> None:
    kind = told.get("kind", "swap")
    found.count("swaps", kind, told["outcome"], told.get("urgency", "soft"))
    found.observe("swap_duration_seconds", told["duration_ms"] / 1000, kind)
    for move in swaps.moves(store, told["swap"]):
        found.count("moves", kind, move.state)
        away = blackout(move)
        if away is not None:
            found.observe("move_blackout_seconds", away, kind)
    row = swaps.get(store, told["swap"])
    if row is None or kind != "swap" or not row.request_id or told["outcome"] == "refused":
        return
    try:
        account = config.account(row.source)
    except UsageError:
        return  # several, or one that the configuration has no more
    limits = account.limits(config.failover.models)
    at = crossed(_readings(store, account.name, limits, row.started_ms), limits, _arrived(store, row))
    if at is not None:
        found.observe("threshold_to_swap_seconds", (row.started_ms - at) / 1000)


def _readings(store: Store, account: str, limits: dict[str, float], until_ms: int) -> list[Reading]:
    return [
        reading
        for window in limits
        for reading in usage.newest_of(store, account, window, _READINGS)
        if reading.observed_ms <= until_ms
    ]


def _arrived(store: Store, row: swaps.SwapRow) -> int:
    """Return when sessions were last moved to the source of a swap (epoch milliseconds), 0 when they never were."""
    sql = "SELECT max(finished_ms) FROM swaps WHERE kind = 'swap' AND id < ? AND target = ?"
    return int(store.one(sql, (row.id, row.source))[0] or 0)
