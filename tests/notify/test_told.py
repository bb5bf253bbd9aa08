"""Which happenings become notices, for whom, in which words, and how often."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from failover.core.folding import REST_MS
from failover.core.task import Task
from failover.events import (
    AnyEvent,
    LoginExpires,
    RoleStarted,
    SessionDied,
    SessionStateChanged,
    SwapStarted,
    TaskBlocked,
    TaskFinished,
)
from failover.host.process import identify
from failover.store import tasks
from tests.notify.office import Office, lines, pause, settle, texts
from workers.notifier import Notifier


def changed(state: str, session: str = "s-0", was: str = "working") -> SessionStateChanged:
    return SessionStateChanged(session=session, state=state, was=was, account="a")


def failed(task: int, session: str = "s-0") -> TaskFinished:
    return TaskFinished(task=task, name=f"t{task}", session=session, outcome="failed", reason="x")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "f"


@pytest.fixture
def office(tmp_path: Path, file: Path) -> Office:
    return Office(tmp_path, f"{{kind: file, path: {file}}}")


def tell(office: Office, notifier: Notifier, *events: AnyEvent) -> None:
    office.emit(*events)
    settle(notifier)


def test_each_sink_is_told_what_its_rules_ask_for(tmp_path: Path) -> None:
    wanted = {
        "all": "",
        "swaps": ", rules: [{events: [swap.]}]",
        "bad": ", rules: [{severity: critical}, {events: [task.], severity: warning}]",
        "of_b": ", rules: [{accounts: [b]}]",
        "of_s1": ", rules: [{sessions: [s-1]}]",
        "of_app": ", rules: [{projects: [app]}]",
    }
    office = Office(
        tmp_path, *(f"{{kind: file, name: {name}, path: {tmp_path / name}{rules}}}" for name, rules in wanted.items())
    )
    notifier = office.start()
    with office.store.transaction() as tx:
        of_app = tasks.add(tx, Task(id=0, name="t", project=str(tmp_path / "app"), state="failed"))
        elsewhere = tasks.add(tx, Task(id=0, name="u", project="/elsewhere", state="failed"))
    events = (
        SwapStarted(swap=1, source="a", target="b", urgency="soft", sessions=("s-0", "s-1"), reason="x"),
        failed(of_app.id, ""),
        failed(elsewhere.id, ""),
        SessionDied(session="s-1", pid=1),
        SessionDied(session="gone", pid=1),
        LoginExpires(account="b", expires_at=1),
    )
    tell(office, notifier, *events)
    told = {name: [line["type"] for line in lines(tmp_path / name)] for name in wanted}
    assert len(told.pop("all")) == 6
    assert told == {
        "swaps": ["swap.started"],
        "bad": ["task.finished", "task.finished"],
        "of_b": ["swap.started", "account.login-expires"],
        "of_s1": ["swap.started", "session.died"],
        "of_app": ["swap.started", "task.finished", "session.died"],
    }
    (line,) = lines(tmp_path / "swaps")
    assert (line["accounts"], line["sessions"], line["swap"]) == (["a", "b"], ["s-0", "s-1"], 1)
    assert line["projects"] == [str(tmp_path / "app")]


def test_a_template_has_the_last_word(tmp_path: Path, file: Path) -> None:
    template = "templates: {swap.started: '{severity} {swap}: {sessions} {source}→{target} ({project}) at {at}'}"
    office = Office(tmp_path, f"{{kind: file, path: {file}, {template}}}")
    started = SwapStarted(swap=1, source="a", target="b", urgency="soft", sessions=("s-0", "s-1"), reason="x")
    tell(office, office.start(), started, pause("me"))
    assert texts(file)[0] == f"info 1: s-0, s-1 a→b ({tmp_path / 'app'}) at 2027-01-15 08:00 UTC"
    assert texts(file)[1].startswith("Paused by me")


def test_a_session_that_flaps_is_told_once_and_then_how_often(office: Office, file: Path) -> None:
    notifier = office.start()
    for _ in range(20):
        tell(office, notifier, changed("waiting"), changed("working", was="waiting"))
        office.clock.advance(10)
    assert texts(file) == ["Session s-0 waits for a person: look at its pane."]
    office.pass_time(notifier, REST_MS / 1000)
    assert texts(file)[1:] == ["Session s-0 waits for a person: look at its pane. (19 times within 10 minutes)"]
    office.pass_time(notifier, 2 * REST_MS / 1000)
    assert len(texts(file)) == 2 and office.store.one("SELECT count(*) FROM folds")[0] == 0
    tell(office, office.start(), changed("waiting"))
    assert len(texts(file)) == 3


def test_the_limit_of_an_account_is_one_happening_for_all_its_sessions(office: Office, file: Path) -> None:
    notifier = office.start()
    tell(office, notifier, *(changed("limited", f"s-{number}") for number in range(3)))
    assert texts(file) == ["Session s-0 reached the limit of a."]


def test_what_a_task_waits_for_is_told_of_the_task_alone(office: Office, file: Path) -> None:
    notifier = office.start()
    with office.store.transaction() as tx:
        task = Task(id=0, name="t", project=str(office.folder / "app"), state="running", session="s-0")
        tasks.add(tx, task)
    tell(office, notifier, changed("waiting"), TaskBlocked(task=1, name="t", session="s-0", waiting_for="permission"))
    assert texts(file) == ["Task 1 (t) waits for you in session s-0: permission."]
    tell(office, notifier, changed("waiting", "s-1"))
    assert len(texts(file)) == 2


def test_a_session_is_stuck_when_nothing_comes_of_it(office: Office, file: Path) -> None:
    notifier = office.start()
    tell(office, notifier, changed("starting"), changed("unknown", "s-1"), changed("starting", "s-2"))
    office.pass_time(notifier, 90)
    tell(office, notifier, changed("idle", was="starting"))
    assert texts(file) == []
    office.pass_time(office.start(), 60)
    assert sorted(texts(file)) == [
        "It cannot be told what session s-1 does: look at its pane.",
        "Session s-2 does not come to its prompt: look at its pane.",
    ]


def test_a_notice_that_is_told_late_needs_its_event(office: Office, file: Path) -> None:
    notifier = office.start()
    tell(office, notifier, changed("starting"))
    with office.store.transaction() as tx:
        tx.execute("DELETE FROM events WHERE type = 'session.changed'")
    office.pass_time(notifier, 180)
    assert texts(file) == []


def test_events_of_other_kinds_are_passed_by_without_writing_each_time(office: Office) -> None:
    notifier = office.start()
    before = office.sinks()["file"]["came_to"]
    started = RoleStarted(role="bus", pid=1)
    tell(office, notifier, *[started] * 10)
    assert office.sinks()["file"]["came_to"] == before
    tell(office, notifier, *[started] * 1000)
    assert office.sinks()["file"]["came_to"] == before + 1010


# -- roles ----------------------------------------------------------------------------------------------


def place(office: Office, role: str, pid: int) -> None:
    process = identify(pid)
    assert process is not None
    with office.store.transaction() as tx:
        tx.execute(
            "INSERT OR REPLACE INTO roles (role, boot, pid, start, at_ms) VALUES (?, 'b', ?, ?, 0)",
            (role, pid, process.start),
        )


def test_a_role_that_does_not_run_is_told_and_so_is_that_it_is_back(office: Office, file: Path) -> None:
    notifier = office.start()
    with subprocess.Popen(["sleep", "60"]) as child:
        place(office, "janitor", child.pid)
        place(office, "notifier", child.pid)
        office.pass_time(notifier, 60)
        assert texts(file) == []
        child.kill()
    office.pass_time(notifier, 60)
    expected = ["The role janitor does not run: see log/janitor.log in the state dir."]
    assert texts(file) == expected
    again = office.start()
    office.pass_time(again, 60)
    assert texts(file) == expected, "a notifier that was started anew knows that it was told"
    assert "not in order: janitor" in again.cycle(())
    place(office, "janitor", os.getpid())
    office.pass_time(again, 30)
    assert texts(file) == [*expected, "The role janitor runs again."]


def test_a_role_that_is_started_over_and_over_is_told_once(office: Office, file: Path) -> None:
    notifier = office.start()
    place(office, "bus", os.getpid())
    for _ in range(12):
        tell(office, notifier, RoleStarted(role="bus", pid=1))
    settle(notifier)
    assert texts(file) == [], "it has taken a changed configuration, as the same process"
    for number in range(12):
        tell(office, notifier, RoleStarted(role="bus", pid=number + 2))
        office.clock.advance(5)
    settle(notifier)
    assert texts(file) == ["The role bus was started 5 times in a short while: see log/bus.log in the state dir."]
    office.pass_time(notifier, 60)
    settle(notifier)
    assert texts(file)[1:] == [], "it has run for less than two minutes since"
    office.pass_time(notifier, 120)
    settle(notifier)
    assert texts(file)[1:] == ["The role bus runs again."]
