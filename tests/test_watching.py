"""The session-watcher learns of deaths from descriptors that it holds, and misses none that comes while it looks."""

from __future__ import annotations

import select
from collections.abc import Iterator
from typing import Any

import pytest

from failover.bench.growth import Hall
from failover.clock import ManualClock
from failover.events import Envelope, HookReceived
from failover.host.process import ProcessId
from failover.queue.status import StatusFiles
from tests.places import short_dir
from workers.session_watcher import SessionWatcher


@pytest.fixture
def hall() -> Iterator[Hall]:
    with short_dir() as place:
        made = Hall(place, 3, 1)
        yield made
        made.close()


def wakes(watcher: Any) -> bool:
    """Say whether one of the processes' descriptors would wake the role."""
    poll = select.poll()
    for descriptor in watcher._deaths.values():
        poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(5000))


def test_a_death_that_comes_during_a_look_wakes_the_next_one(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    watcher = hall.role("session-watcher", SessionWatcher)
    watcher.cycle(())
    note = SessionWatcher._note

    def kill_meanwhile(self: SessionWatcher, *arguments: Any) -> None:
        hall.sleepers[1].kill()
        hall.sleepers[1].wait()
        note(self, *arguments)

    monkeypatch.setattr(SessionWatcher, "_note", kill_meanwhile)
    assert "exited" not in watcher.cycle(())
    monkeypatch.setattr(SessionWatcher, "_note", note)
    assert wakes(watcher)
    assert watcher.cycle(()) == "s1 is exited"
    assert len(watcher._deaths) == 2 and watcher.cycle(()) == ""  # type: ignore[attr-defined]
    watcher.close()


def test_a_death_that_comes_while_another_session_is_looked_at_is_not_forgotten(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    watcher = hall.role("session-watcher", SessionWatcher)
    watcher.cycle(())
    dead, looks = SessionWatcher._dead, []

    def kill_meanwhile(self: SessionWatcher) -> set[ProcessId]:
        looks.append(1)
        if len(looks) == 2:
            hall.sleepers[1].kill()
            hall.sleepers[1].wait()
        return dead(self)

    monkeypatch.setattr(SessionWatcher, "_dead", kill_meanwhile)
    hook = HookReceived(call=1, session="s0", conversation="c", hook="Stop")
    said = watcher.cycle([Envelope(id=1, source="control-plane", boot="b", seq=1, at_ms=0, event=hook)])
    assert "s1" not in said and len(looks) == 2
    monkeypatch.undo()
    assert wakes(watcher)
    assert watcher.cycle(()) == "s1 is exited"
    watcher.close()


def test_of_a_process_that_it_holds_nothing_is_read_in_proc(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    watcher = hall.role("session-watcher", SessionWatcher)
    watcher.cycle(())

    def refused(*_: object) -> bool:
        raise AssertionError("looked into /proc")

    monkeypatch.setattr("failover.host.process.alive", refused)
    watcher.cycle(())
    watcher.close()


def test_the_status_files_are_written_at_once_and_then_rest_a_quarter_of_a_second(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[bool] = []

    def update(self: StatusFiles, store: object, news: bool) -> list[str]:
        written.append(news)
        return []

    monkeypatch.setattr(StatusFiles, "update", update)
    watcher: Any = hall.role("session-watcher", SessionWatcher)
    watcher._clock = clock = ManualClock()
    watcher.cycle(())
    assert written == [True]
    hall.sleepers[1].kill()
    hall.sleepers[1].wait()
    assert watcher.cycle(()) == "s1 is exited", "a death is told at once"
    assert written == [True] and 0 < watcher.wake_after() <= 0.25
    clock.advance(0.25)
    assert watcher.cycle(()) == "" and written == [True, True]
    assert watcher.wake_after() == 5
    watcher.close()
