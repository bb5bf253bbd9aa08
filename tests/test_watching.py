"""The session-watcher learns of deaths from descriptors that it holds, and misses none that comes while it looks. It
looks at whom something is heard of, or who changes in the registry, and at everybody now and then."""

from __future__ import annotations

import select
from collections.abc import Iterator
from typing import Any

import pytest

from failover.bench.growth import Hall
from failover.clock import ManualClock
from failover.events import AnyEvent, Envelope, HookReceived, TaskQueued
from failover.host.deaths import Deaths
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
    for descriptor in watcher._deaths.descriptors:
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
    assert len(watcher._deaths.descriptors) == 2 and watcher.cycle(()) == ""  # type: ignore[attr-defined]
    watcher.close()


def test_a_death_that_comes_while_another_session_is_looked_at_is_not_forgotten(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    watcher = hall.role("session-watcher", SessionWatcher)
    watcher.cycle(())
    dead, looks = Deaths.dead, []

    def kill_meanwhile(self: Deaths) -> set[ProcessId]:
        looks.append(1)
        if len(looks) == 2:
            hall.sleepers[1].kill()
            hall.sleepers[1].wait()
        return dead(self)

    monkeypatch.setattr(Deaths, "dead", kill_meanwhile)
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


def test_the_status_files_are_written_at_once_and_then_rest_two_seconds(
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
    assert written == [True] and 1 < watcher.wake_after() <= 2
    clock.advance(2)
    assert watcher.cycle(()) == "" and written == [True, True]
    assert watcher.wake_after() == 3, "five after the last look at everybody"
    watcher.close()


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[frozenset[str] | None]:
    """Whom each look was at; None: everybody."""
    concerned, found = SessionWatcher._concerned, []

    def noted(self: SessionWatcher, *arguments: Any) -> frozenset[str] | None:
        of = concerned(self, *arguments)
        found.append(of)
        return of

    monkeypatch.setattr(SessionWatcher, "_concerned", noted)
    return found


def told(session: str) -> list[Envelope]:
    return [envelope(HookReceived(call=1, session=session, conversation="c", hook="Stop"))]


def envelope(event: AnyEvent) -> Envelope:
    return Envelope(id=1, source="x", boot="b", seq=1, at_ms=0, event=event)


def test_a_change_of_the_registry_has_that_session_looked_at(hall: Hall, looks: list[frozenset[str] | None]) -> None:
    watcher: Any = hall.role("session-watcher", SessionWatcher)
    watcher.cycle(())
    assert looks.pop() is None

    def changes(pid: int, status: str) -> str:
        path = watcher._registry.folder / f"{pid}.json"
        path.write_text(path.read_text().replace("busy", status) if path.exists() else "{}")
        assert select.select([watcher._watch.descriptor], [], [], 5)[0]
        return str(watcher.cycle(()))

    assert changes(hall.sleepers[1].pid, "idle") == "s1 is idle"
    assert looks.pop() == frozenset({"s1"})
    assert changes(1, "x") == "" and looks.pop() == frozenset(), "that is none of ours"
    watcher.close()


def test_everybody_is_looked_at_now_and_then_and_when_nothing_is_known_of_what_woke_it(
    hall: Hall, looks: list[frozenset[str] | None]
) -> None:
    watcher: Any = hall.role("session-watcher", SessionWatcher)
    watcher._clock = clock = ManualClock()
    watcher.cycle(())
    watcher.cycle(told("s2"))
    clock.advance(5)
    watcher.cycle(told("s2"))
    watcher.cycle(())
    assert looks == [None, {"s2"}, None, None]
    watcher.close()


def test_what_becomes_of_tasks_goes_into_the_status_files_and_has_no_session_looked_at(
    hall: Hall, looks: list[frozenset[str] | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    watcher: Any = hall.role("session-watcher", SessionWatcher)
    watcher._clock = clock = ManualClock()
    watcher.cycle(())
    clock.advance(2)
    written: list[bool] = []

    def update(self: StatusFiles, store: object, news: bool) -> list[str]:
        written.append(news)
        return []

    monkeypatch.setattr(StatusFiles, "update", update)
    watcher.cycle([envelope(TaskQueued(task=1, name="t1", project="app"))])
    watcher.cycle([envelope(TaskQueued(task=2, name="t2", project="app")), *told("s1")])
    assert looks == [None, set(), {"s1"}]
    assert written == [True], "the second within two seconds"
    assert watcher.wake_after() == 2
    watcher.close()


def test_after_deaths_everybody_is_looked_at_only_where_that_was_due(
    hall: Hall, looks: list[frozenset[str] | None]
) -> None:
    watcher: Any = hall.role("session-watcher", SessionWatcher)
    watcher.cycle(())
    for session, heard in (("s0", told("s2")), ("s1", told(""))):
        sleeper = hall.sleepers[int(session[1])]
        sleeper.kill()
        sleeper.wait()
        assert f"{session} is exited" in watcher.cycle(heard)
    assert looks == [None, {"s0", "s2"}, {"s1"}] and watcher.wake_after() == 0
    watcher.cycle(())
    assert looks[-1] is None and watcher.wake_after() > 0
    watcher.close()
