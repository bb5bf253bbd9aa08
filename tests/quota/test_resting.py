"""What tells nothing new may wait a second; what a limit or a reading tells may not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from failover.events import Envelope, SessionStateChanged
from tests.faults.test_clock import DAY, Desk
from workers.quota_monitor import QuotaMonitor


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.store.close()


def changed(state: str) -> list[Envelope]:
    event = SessionStateChanged(session="one", state=state, was="working")
    return [Envelope(id=1, source="session-watcher", boot="b", seq=1, at_ms=0, event=event)]


def test_a_turn_that_ends_is_looked_into_within_a_second(desk: Desk) -> None:
    monitor = QuotaMonitor(desk.host("quota-monitor"))
    monitor.cycle(())
    desk.push(95, resets_in=3 * DAY)
    assert monitor.cycle(changed("idle")) == "" and desk.requests() == 0
    assert monitor.wake_after() <= 1
    desk.clock.advance(1)
    monitor.cycle(changed("idle"))
    assert desk.requests() == 1


def test_a_session_that_a_limit_stopped_is_looked_into_at_once(desk: Desk) -> None:
    monitor = QuotaMonitor(desk.host("quota-monitor"))
    monitor.cycle(())
    desk.push(95, resets_in=3 * DAY)
    monitor.cycle(changed("limited"))
    assert desk.requests() == 1
