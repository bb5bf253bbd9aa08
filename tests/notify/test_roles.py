"""The watch over the roles hears of starts, and what it costs does not grow with what else happens."""

from __future__ import annotations

import pytest

from failover.clock import SystemClock
from failover.events import Envelope, RoleStarted, Swept
from failover.notify.roles import RoleWatch
from failover.paths import Paths
from failover.store import events
from failover.store.db import Store


def test_each_look_goes_through_what_is_new_and_nothing_else(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store.open(paths.store, "notifier", "boot")
    watch = RoleWatch(store, SystemClock(), "notifier")
    asked: list[int] = []
    of_types = events.of_types

    def noted(store: Store, last_id: int, types: tuple[str, ...], limit: int) -> list[Envelope]:
        asked.append(last_id)
        return of_types(store, last_id, types, limit)

    monkeypatch.setattr(events, "of_types", noted)
    for _ in range(3):
        with store.transaction() as tx:
            for _ in range(50):
                tx.emit(Swept(what="nothing", count=1))
        watch.look()
    watch.look()
    assert asked == [0, 50, 100, 150]
    store.close()


def test_a_role_that_is_started_over_and_over_is_told_of_whatever_happens_between(paths: Paths) -> None:
    store = Store.open(paths.store, "notifier", "boot")
    watch = RoleWatch(store, SystemClock(), "notifier")
    with store.transaction() as tx:
        tx.execute("INSERT INTO roles (role, boot, pid, start, at_ms) VALUES ('janitor', 'boot', 1, 1, 1)")
    for pid in range(1, 21):
        with store.transaction() as tx:
            tx.emit(RoleStarted(role="janitor", pid=pid))
            tx.emit(Swept(what="nothing", count=1))
        watch.look()
    assert [row["type"] for row in store.query("SELECT type FROM events WHERE type LIKE 'role.f%'")] == ["role.failing"]
    store.close()
