"""Rows past their time go, and what somebody still needs stays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from failover.clock import ManualClock
from failover.config_daemon import Retention
from failover.core.choice import Stay
from failover.core.spend import Ledger
from failover.core.task import Task
from failover.core.usage import Reading
from failover.errors import HostError
from failover.events import JanitorTroubled, RolesPaused, StoreBackedUp, Swept
from failover.notify.spec import File, SinkSpec
from failover.queue.folder import Marker, Queue
from failover.store import checkpoints, choices, events, hooks, outbox, tasks, usage
from failover.store.checkpoints import Checkpoint
from tests.queue.floor import Floor
from tests.queue.test_keeping import host
from workers.janitor import Janitor


def janitor(floor: Floor, clock: ManualClock, **changes: Any) -> Janitor:
    keep = Retention(events=100.0, readings=100.0, checkpoints=100.0, hook_calls=100.0)
    return Janitor(host(floor, "janitor", clock, retention=keep, **changes))


def count(floor: Floor, table: str) -> int:
    return int(floor.store.one(f"SELECT count(*) FROM {table}")[0])


def test_history_past_its_time_goes_and_the_present_state_stays(floor: Floor) -> None:
    clock = ManualClock(epoch=floor.store.now_ms() / 1000)
    with floor.store.transaction() as tx:
        for used in (1, 2, 3):
            usage.note(
                tx, Reading(account="main", window="five_hour", used=used, resets_at=None, observed_ms=1, source="x")
            )
        for source in "abc":
            choices.keep(tx, None, Stay("because", source), 1)
        for number in range(30):
            checkpoints.add(
                tx, session="s-0", conversation="c", at_ms=clock_ms(clock), occasion=str(number),
                checkpoint=Checkpoint(state="idle", account="main", cwd="/"),
            )  # fmt: skip
        for _ in range(1200):
            tx.emit(RolesPaused(by="x"))
    clock.advance(200)
    role = janitor(floor, clock)
    said = role.sweep().sentence
    assert [round(row.used) for row in usage.recent(floor.store, 0)] == [3]
    assert count(floor, "checkpoints") == 1 and count(floor, "hook_calls") == 0
    assert "29 checkpoints" in said and "2 readings" in said and "2 decisions" in said
    standing = choices.latest(floor.store)
    assert standing is not None and standing.source == "c"
    left = events.latest(floor.store, 5000)
    assert left and all(isinstance(one.event, Swept | StoreBackedUp) for one in left)
    assert count(floor, "sessions") == count(floor, "placements") == count(floor, "activities") == 1


def clock_ms(clock: ManualClock) -> int:
    return int(clock.epoch() * 1000)


def test_what_was_spent_long_ago_goes_and_a_conversation_that_a_session_is_in_is_counted_on(floor: Floor) -> None:
    clock = ManualClock()
    now = int(clock.epoch() * 1000)
    old, today = now - 31 * 86_400_000, now // 86_400_000
    with floor.store.transaction() as tx:
        usage.note_costs(tx, Ledger(), Ledger({"here": 3.0, "gone": 4.0}, {("k", today - 31): 7.0}), old)
        usage.note_costs(tx, Ledger(), Ledger({"new": 5.0}, {("k", today): 8.0}), now)
        line = usage.StatuslineRow(
            session="s-0", account="main", launch="0" * 12, conversation="here", at_ms=old, body="{}"
        )
        hooks.record_statusline(tx, line)
    assert "2 costs" in janitor(floor, clock).sweep().sentence
    assert usage.ledger(floor.store, ["here", "gone", "new"], 0) == Ledger(
        {"here": 3.0, "new": 5.0}, {("k", today): 8.0}
    )


def test_the_janitor_comes_by_every_ten_minutes(floor: Floor) -> None:
    clock = ManualClock()
    role = janitor(floor, clock)
    assert role.cycle(()) == "" and role.wake_after() == 20
    clock.advance(20)
    role.cycle(())
    assert role.wake_after() == 600


def test_events_that_a_sink_was_not_told_of_stay(floor: Floor, tmp_path: Path) -> None:
    clock = ManualClock(epoch=floor.store.now_ms() / 1000)
    sink = SinkSpec(name="n", settings=File(tmp_path / "n"), give_up_after=1000.0)
    with floor.store.transaction() as tx:
        for _ in range(10):
            tx.emit(RolesPaused(by="x"))
    last = events.last_id(floor.store)
    with floor.store.transaction() as tx:
        outbox.keep_sink(tx, outbox.SinkRow(name="n", came_to=last - 4))
        outbox.keep_sink(tx, outbox.SinkRow(name="a sink that is gone", came_to=1))
    clock.advance(200)
    janitor(floor, clock, notify=(sink,)).sweep()
    assert floor.store.one("SELECT min(id) FROM events")[0] == last - 3
    clock.advance(1000)
    janitor(floor, clock, notify=(sink,)).sweep()
    assert floor.store.one("SELECT min(id) FROM events")[0] > last, "a notifier that is away for ever keeps nothing"


def test_what_the_janitor_cannot_remove_is_told_once(floor: Floor, monkeypatch: pytest.MonkeyPatch) -> None:
    def read_only(_: Queue, name: str) -> None:
        raise HostError(f"{name}: read-only")

    monkeypatch.setattr(Queue, "unmark", read_only)
    clock = ManualClock(epoch=floor.store.now_ms() / 1000)
    Queue(floor.project).mark("gone", Marker(99, "s", 1, 1))
    role = janitor(floor, clock)
    clock.advance(1e6)
    assert all("gone: read-only" in role.sweep().sentence for _ in range(3))
    (told,) = [one.event for one in events.latest(floor.store, 100, "janitor.troubled")]
    assert isinstance(told, JanitorTroubled) and "gone: read-only" in told.sentence


def test_hook_calls_that_an_open_task_is_followed_by_stay(floor: Floor) -> None:
    clock = ManualClock(epoch=floor.store.now_ms() / 1000)
    floor.hook("s-0", "Stop")
    floor.sight("s-0", "idle")
    floor.hand("t1")
    floor.hook("s-0", "Stop", background=0)
    clock.advance(1e6)
    janitor(floor, clock).sweep()
    since = tasks.handed_over(floor.store)[0].since_call
    assert floor.store.one("SELECT min(id) FROM hook_calls")[0] == since


def test_markers_without_an_open_task_go_and_the_others_stay(floor: Floor) -> None:
    clock = ManualClock(epoch=floor.store.now_ms() / 1000)
    queue = Queue(floor.project)
    floor.hand("running")
    queue.mark("gone", Marker(99, "s", 1, 1))
    floor.drop("others")
    (floor.inbox / "others.md.dispatched").write_text("by another program")
    with floor.store.transaction() as tx:
        ended = tasks.add(
            tx, Task(id=0, name="ended", project=str(floor.project), state="done", finished_ms=clock_ms(clock))
        )
    floor.drop("ended")
    queue.mark("ended", Marker(ended.id, "s", 1, 1))
    role = janitor(floor, clock)
    assert "markers" not in role.sweep().sentence, "too young: a step may be under way"
    clock.advance(120)
    assert "2 markers" in role.sweep().sentence
    assert {path.name for path in floor.inbox.glob("*.dispatched")} == {"running.md.dispatched", "others.md.dispatched"}
    clock.advance(7 * 3600)
    assert "1 markers" in role.sweep().sentence
