"""Rows past their time. Each table stays its role's: what the role still reads is kept, however old it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from failover.core.retention import CHECKPOINTS_KEPT, PastSwap, Row, expired, lasting, past_swaps, surplus
from failover.events import Swept
from failover.janitor.ground import MOST, ROWS, Finding, Ground, Sweep
from failover.store import orders, outbox, tasks
from failover.store import swaps as stored_swaps
from failover.store.db import AMONG, listed

#: So many of the newest swaps of accounts stay whatever their age: the policy reads them (failover/store/swaps.py).
_SWAPS_KEPT = 20


class History:
    """Rows of one kind. choose: the ids that may go, oldest first, MOST at most; places: each table with the condition
    by which its rows go with these ids."""

    rows = True

    def __init__(
        self, ground: Ground, kind: str, why: str, choose: Callable[[], list[int]], places: Sequence[tuple[str, str]]
    ) -> None:
        self.kind = kind
        self._ground, self._why, self._choose, self._places = ground, why, choose, places

    def find(self) -> list[Finding]:
        """Return how many rows may go."""
        count = len(self._choose())
        return [Finding(self.kind, self._places[-1][0], self._why, count)] if count else []

    def clear(self, finding: Finding) -> int:
        """Delete them, some hundred in a transaction."""
        chosen = self._choose()[: finding.count]
        for place in range(0, len(chosen), ROWS):
            some = chosen[place : place + ROWS]
            with self._ground.store.transaction() as tx:
                for table, condition in self._places:
                    tx.execute(f"DELETE FROM {table} WHERE {condition}", (listed(some),))
                tx.emit(Swept(what=self.kind, count=len(some)))
        return len(chosen)


def histories(ground: Ground) -> list[Sweep]:
    """Return the sweeps of all tables that grow."""
    keep = ground.config.retention

    def simple(kind: str, key: str, choose: Callable[[], list[int]], *places: tuple[str, str]) -> History:
        return History(ground, kind, f"older than {lasting(getattr(keep, key))} (retention.{key})", choose, places)

    def old(table: str, at: str, longest: float, kept: str = "TRUE") -> Callable[[], list[int]]:
        return lambda: _old(ground, table, at, longest, kept)

    newest = "id NOT IN (SELECT max(id) FROM readings GROUP BY account, window)"
    answered = " OR ".join(f"id IN (SELECT order_id FROM {table})" for table in orders.RESULTS)
    swaps = f"ended {lasting(keep.swaps)} ago, new conversations {lasting(keep.fresh)} (retention.swaps, .fresh)"
    return [
        simple("events", "events", lambda: _events(ground), ("events", _IDS)),
        simple("readings", "readings", old("readings", "observed_ms", keep.readings, newest), ("readings", _IDS)),
        simple("decisions", "events", old("decisions", "at_ms", keep.events, _NOT_LAST), ("decisions", _IDS)),
        simple("hook calls", "hook_calls", lambda: _hook_calls(ground), ("hook_calls", _IDS)),
        simple("checkpoints", "checkpoints", lambda: _checkpoints(ground), ("checkpoints", _IDS)),
        simple("tasks", "tasks", lambda: _tasks(ground), ("tasks", _IDS)),
        History(ground, "swaps", swaps, lambda: _swaps(ground), _OF_SWAPS),
        simple("swap requests", "swaps", old("swap_requests", "at_ms", keep.swaps), ("swap_requests", _IDS)),
        simple("orders", "orders", old("orders", "at_ms", keep.orders, answered), *_OF_ORDERS),
        Costs(ground),
    ]


_IDS = f"id {AMONG}"
_NOT_LAST = "id NOT IN (SELECT max(id) FROM decisions)"
_OF_ORDERS = (*((table, f"order_id {AMONG}") for table in orders.RESULTS), ("orders", _IDS))
_OF_SWAPS = (
    ("journal", f"move IN (SELECT id FROM moves WHERE swap {AMONG})"),
    ("moves", f"swap {AMONG}"),
    ("swaps", _IDS),
)


class Costs:
    """What was spent on days long past, and how far conversations were counted that no session is in."""

    kind = "costs"
    rows = True

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def find(self) -> list[Finding]:
        """Return how many rows may go."""
        before, longest = self._before(), lasting(self._ground.config.retention.readings)
        row = self._ground.store.one(
            f"SELECT (SELECT count(*) FROM spent WHERE {_SPENT}) + (SELECT count(*) FROM charged WHERE {_CHARGED})",
            (before // 86_400_000, before),
        )
        return [Finding("costs", "spent", f"older than {longest} (retention.readings)", row[0])] if row[0] else []

    def clear(self, finding: Finding) -> int:
        """Delete them: a row a day and account, and one a conversation."""
        before = self._before()
        with self._ground.store.transaction() as tx:
            count = tx.execute(f"DELETE FROM spent WHERE {_SPENT}", (before // 86_400_000,)).rowcount
            count += tx.execute(f"DELETE FROM charged WHERE {_CHARGED}", (before,)).rowcount
            tx.emit(Swept(what=self.kind, count=count))
        return count

    def _before(self) -> int:
        return self._ground.before(self._ground.config.retention.readings)


_SPENT = "day < ?"
_CHARGED = "at_ms < ? AND conversation NOT IN (SELECT conversation FROM statuslines)"


def _needed_event(ground: Ground) -> int | None:
    """Return the first event that the notifier has not looked at, None when nobody waits for one."""
    rows, names = outbox.sinks(ground.store), {spec.name for spec in ground.config.notify}
    return min((row.came_to + 1 for row in rows.values() if row.name in names), default=None)


def _old(ground: Ground, table: str, at: str, longest: float, kept: str, needed: int | None = None) -> list[int]:
    rows = ground.store.each(f"SELECT id, {at} AS at_ms FROM {table} WHERE {kept} ORDER BY id LIMIT {MOST}")
    return expired((Row(row["id"], row["at_ms"]) for row in rows), ground.before(longest), needed)


def _events(ground: Ground) -> list[int]:
    keep, sinks = ground.config.retention.events, ground.config.notify
    # A notifier that has not come by for as long as a sink is waited for keeps nothing any more.
    longest = max([keep, *(spec.give_up_after for spec in sinks)])
    return _old(ground, "events", "at_ms", keep, "TRUE", _needed_event(ground)) or _old(
        ground, "events", "at_ms", longest, "TRUE"
    )


def _hook_calls(ground: Ground) -> list[int]:
    """Return the hook calls that may go: none that an open task is followed by."""
    since = [task.since_call for task in tasks.open_tasks(ground.store) if task.since_call]
    needed = min(since, default=None)
    return _old(ground, "hook_calls", "at_ms", ground.config.retention.hook_calls, "TRUE", needed)


def _checkpoints(ground: Ground) -> list[int]:
    before_ms, found = ground.before(ground.config.retention.checkpoints), list[int]()
    for (name,) in ground.store.query("SELECT DISTINCT session FROM checkpoints"):
        rows = ground.store.each(
            "SELECT id, at_ms FROM checkpoints WHERE session = ? ORDER BY id DESC LIMIT ?",
            (name, CHECKPOINTS_KEPT + MOST),
        )
        found += surplus((Row(row["id"], row["at_ms"]) for row in rows), before_ms)
        if len(found) >= MOST:
            break
    return found[:MOST]


def _tasks(ground: Ground) -> list[int]:
    rows = ground.store.query(
        "SELECT id FROM tasks WHERE state IN ('done', 'failed') AND finished_ms BETWEEN 1 AND ? ORDER BY id LIMIT ?",
        (ground.before(ground.config.retention.tasks), MOST),
    )
    return [row["id"] for row in rows]


def _swaps(ground: Ground) -> list[int]:
    """Return the swaps that may go with their moves and steps.

    Kept are the newest of each kind (requests are told by them as taken up), the last ones between accounts, the last
    one of each session (it may still be owed a prompt), those that an open task's accounts are read from, and whatever
    an order waits for or a sink has yet to be told of.
    """
    keep, store = ground.config.retention, ground.store
    needed = {
        row[0]
        for row in store.query(
            "SELECT max(id) FROM swaps GROUP BY kind, request_id > 0"
            " UNION SELECT swap FROM moves WHERE id IN (SELECT max(id) FROM moves GROUP BY session)"
            " UNION SELECT id FROM swaps WHERE order_id > 0 AND order_id IN"
            " (SELECT id FROM orders WHERE id NOT IN (SELECT order_id FROM order_results))"
        )
    }
    needed |= {row.id for row in stored_swaps.latest(store, _SWAPS_KEPT)}
    since = [task.started_ms for task in tasks.open_tasks(store) if task.started_ms]
    if (event := _needed_event(ground)) is not None:
        row = store.one("SELECT at_ms FROM events WHERE id >= ? ORDER BY id LIMIT 1", (event,))
        since += [row[0]] if row else []
    latest = min(since, default=ground.now_ms)
    rows = store.each("SELECT id, kind, finished_ms FROM swaps ORDER BY id LIMIT ?", (MOST,))
    past = (PastSwap(row["id"], row["kind"], row["finished_ms"]) for row in rows)
    return past_swaps(past, needed, min(latest, ground.before(keep.swaps)), min(latest, ground.before(keep.fresh)))
