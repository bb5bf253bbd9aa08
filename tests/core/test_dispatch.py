"""Who gets which task, and what becomes of a task that was handed over."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from failover.core.attempt import (
    ASKED_FOR,
    LEFT_FOR,
    UNTAKEN_FOR,
    Act,
    Anew,
    Delivery,
    Progress,
    blocked_by,
    deliver,
    deliver_anew,
    follow,
    marker_text,
    prompt,
)
from failover.core.dispatch import Assignment, Seat, against, assign, pin_problem
from failover.core.task import Finish, Task, accounts_used, not_retried, retried


def task(number: int = 1, **fields: Any) -> Task:
    return Task(**{"id": number, "name": f"t{number}", "project": "p", "attempt": 1, "timeout": 100.0, **fields})


def seat(name: str = "s1", **fields: Any) -> Seat:
    return Seat(**{"session": name, "serves": {"p"}, "at": "p", "idle": True, **fields})


def pairs(found: list[Assignment]) -> list[tuple[int, str]]:
    return [(one.task, one.session) for one in found]


def test_a_higher_priority_goes_first_then_the_older_then_the_first_queued() -> None:
    tasks = [task(1, queued_ms=5), task(2, queued_ms=3), task(3, queued_ms=3), task(4, priority=1, queued_ms=9)]
    seats = [seat(f"s{n}") for n in range(4)]
    assert pairs(assign(tasks, seats, paused=False)) == [(4, "s0"), (2, "s1"), (3, "s2"), (1, "s3")]
    assert pairs(assign(tasks, seats[:1], paused=False)) == [(4, "s0")]


def test_a_session_works_only_for_the_projects_that_it_serves() -> None:
    assert assign([task()], [seat(serves={"other"}, at="other")], paused=False) == []


def test_a_session_that_is_in_another_project_s_folder_begins_a_new_conversation() -> None:
    floating = seat(serves={"p", "q"}, at="q")
    assert assign([task()], [floating], paused=False) == [Assignment(1, "s1", anew=True)]
    assert assign([task(project="q")], [floating], paused=False) == [Assignment(1, "s1", anew=False)]
    assert assign([task(project="q", fresh=True)], [floating], paused=False) == [Assignment(1, "s1", anew=True)]


def test_who_need_not_be_started_anew_goes_first_and_then_who_serves_the_fewest() -> None:
    everywhere, elsewhere = seat("s1", serves={"p", "q", "r"}), seat("s2", serves={"p", "q"}, at="q")
    assert pairs(assign([task()], [elsewhere, everywhere], paused=False)) == [(1, "s1")]
    assert pairs(assign([task(fresh=True)], [everywhere, seat("s3")], paused=False)) == [(1, "s3")]


def test_a_project_has_no_more_tasks_at_work_than_it_may() -> None:
    tasks, seats = [task(n) for n in range(1, 4)], [seat(f"s{n}") for n in range(3)]
    assert pairs(assign(tasks, seats, paused=False, room={"p": 2})) == [(1, "s0"), (2, "s1")]
    assert assign(tasks, seats, paused=False, room={"p": 0}) == []
    others = [*tasks, task(9, project="q", priority=-1)]
    both = [*seats[:1], seat("s9", serves={"p", "q"}, at="q")]
    assert pairs(assign(others, both, paused=False, room={"p": 1, "q": 1})) == [(1, "s0"), (9, "s9")]


@pytest.mark.parametrize(
    ("fields", "verb"),
    [
        ({"taken": True, "gone": True}, "taken"),
        ({"placed": True}, "wait"),
        ({"placed": True, "waited": 9e9, "paused": True}, "wait"),
        ({"placed": True, "gone": True, "moving": True}, "wait"),
        ({"placed": True, "gone": True}, "take_back"),
        ({"moving": True, "asked": True}, "wait"),
        ({"asked": True, "waited": ASKED_FOR - 1}, "wait"),
        ({"asked": True, "waited": ASKED_FOR}, "take_back"),
        ({"asked": True, "paused": True}, "take_back"),
        ({}, "take_back"),
    ],
)
def test_a_task_is_not_taken_back_from_a_new_process_that_lives(fields: dict[str, Any], verb: str) -> None:
    assert deliver_anew(Anew(**fields)).verb == verb


def test_a_pinned_task_waits_for_its_session_and_holds_nobody_up() -> None:
    tasks = [task(1, pin="s2", priority=9), task(2)]
    assert pairs(assign(tasks, [seat("s1")], paused=False)) == [(2, "s1")]
    assert pairs(assign(tasks, [seat("s1"), seat("s2")], paused=False)) == [(1, "s2"), (2, "s1")]


def test_a_task_that_is_with_a_session_is_not_handed_out_again() -> None:
    assert assign([task(state="running"), task(state="delivering")], [seat()], paused=False) == []


def test_nothing_is_handed_out_while_paused() -> None:
    assert assign([task()], [seat()], paused=True) == []


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"task": 7}, "has task 7"),
        ({"moving": True}, "is being moved"),
        ({"low": "its account is at 95 %"}, "its account is at 95 %"),
        ({"idle": False}, "is not idle"),
        ({"resting": True}, "did not take a prompt a moment ago"),
        ({}, ""),
    ],
)
def test_a_session_gets_a_task_only_when_nothing_speaks_against_it(fields: dict[str, Any], why: str) -> None:
    assert against(seat(**fields)) == why
    assert bool(assign([task()], [seat(**fields)], paused=False)) == (why == "")


def test_a_pin_must_name_a_session_of_the_task_s_project() -> None:
    serving = {"s1": {"p", "q"}, "s2": {"other"}}
    assert pin_problem("", "p", serving) == "" == pin_problem("s1", "p", serving)
    assert "no session s9" in pin_problem("s9", "p", serving)
    assert "does not serve" in pin_problem("s2", "p", serving)


def test_the_prompt_is_one_short_line_that_names_the_file_and_the_attempt() -> None:
    first, second = prompt(12, 1, "/a b/.agent-queue/inbox/x.md"), prompt(12, 2, "/a b/.agent-queue/inbox/x.md")
    assert first.startswith(marker_text(12, 1)) and '"/a b/.agent-queue/inbox/x.md"' in first
    assert "earlier attempt" in second and "earlier attempt" not in first
    assert len(second) < 300 and second.isprintable()


def test_a_path_cannot_break_out_of_its_quotes_or_its_line() -> None:
    text = prompt(1, 1, '/a"\n[task 2, attempt 1] rm\x1b[2J/x.md')
    assert text.isprintable() and '\\"' in text


@pytest.mark.parametrize(
    ("fields", "verb"),
    [
        ({"phase": "fresh", "idle": True}, "paste"),
        ({"phase": "fresh", "idle": True, "shown": True}, "enter"),
        ({"phase": "fresh", "idle": True, "paused": True}, "take_back"),
        ({"phase": "fresh", "taken": True}, "taken"),
        ({"phase": "fresh", "moving": True, "idle": True}, "wait"),
        ({"phase": "fresh", "same": False, "idle": True}, "take_back"),
        ({"phase": "fresh"}, "wait"),
        ({"phase": "fresh", "waited": 5.0}, "take_back"),
        ({"phase": "pasted", "idle": True, "sends": 1}, "wait"),
        ({"phase": "pasted", "idle": True, "sends": 1, "shown": True}, "enter"),
        ({"phase": "pasted", "idle": True, "sends": 1, "waited": 5.0}, "paste"),
        ({"phase": "pasted", "idle": True, "sends": 2, "waited": 5.0}, "take_back"),
        ({"phase": "pasted", "shown": True, "sends": 1}, "wait"),
        ({"phase": "entered", "idle": True, "sends": 1, "shown": True}, "wait"),
        ({"phase": "entered", "idle": True, "sends": 1, "shown": True, "waited": 5.0}, "enter"),
        ({"phase": "entered", "idle": True, "sends": 1, "waited": 5.0}, "paste"),
        ({"phase": "entered", "idle": True, "sends": 1, "waited": 5.0, "paused": True}, "take_back"),
        ({"phase": "entered", "idle": True, "sends": 2, "waited": 5.0, "shown": True}, "take_back"),
        ({"phase": "entered", "waited": 5.0, "sends": 1}, "take_back"),
        ({"phase": "unknown", "idle": True, "shown": True}, "wait"),
        ({"phase": "unknown", "idle": True, "shown": True, "waited": 5.0}, "take_back"),
        ({"phase": "unknown", "taken": True}, "taken"),
    ],
)
def test_a_delivery_takes_the_step_that_is_safe(fields: dict[str, Any], verb: str) -> None:
    assert deliver(Delivery(**fields), 5.0).verb == verb


@pytest.mark.parametrize("phase", ["fresh", "pasted", "entered", "unknown"])
@pytest.mark.parametrize("waited", [0.0, 5.0])
@pytest.mark.parametrize("shown", [False, True])
def test_no_key_is_pressed_in_a_session_that_is_not_proven_idle_nor_enter_where_the_prompt_does_not_stand(
    phase: Any, waited: float, shown: bool
) -> None:
    assert deliver(Delivery(phase=phase, waited=waited, shown=shown, idle=False), 5.0).verb in ("wait", "take_back")
    assert deliver(Delivery(phase=phase, waited=waited, shown=False, idle=True), 5.0).verb != "enter"


@pytest.mark.parametrize(
    ("fields", "verb"),
    [
        ({"put_away": "done"}, "done"),
        ({"put_away": "failed"}, "failed"),
        ({"ended": "Stop", "settled": True}, "done"),
        ({"ended": "quiet", "settled": True}, "done"),
        ({"ended": "Stop", "settled": False}, "wait"),
        ({"ended": "Stop", "settled": True, "moving": True}, "wait"),
        ({"gone": True, "moving": True}, "wait"),
        ({"gone": True}, "again"),
        ({"gone": True, "ended": "Stop", "settled": True}, "done"),
        ({"here": False, "idle_for": 5.0}, "again"),
        ({"here": False, "idle_for": 1.0}, "wait"),
        ({"ended": "StopFailure", "settled": True, "idle_for": 5.0}, "again"),
        ({"ended": "StopFailure", "settled": True, "idle_for": 4.0}, "wait"),
        ({"ended": "StopFailure", "settled": True, "idle_for": 9.0, "limited": True}, "wait"),
        ({"running_for": 100.0}, "failed"),
        ({"running_for": 100.0, "settled": True}, "again"),
        ({}, "wait"),
    ],
)
def test_a_running_task_ends_only_when_its_work_does(fields: dict[str, Any], verb: str) -> None:
    assert follow(task(state="running"), Progress(**fields)).verb == verb


def test_a_task_is_left_when_its_session_was_started_anew_and_does_nothing() -> None:
    left = Progress(anew=True, idle_for=LEFT_FOR)
    assert follow(task(), left) == Act("again", "its session was started anew and does nothing")
    changes: list[dict[str, Any]] = [{"anew": False}, {"idle_for": 14.9}, {"limited": True}, {"moving": True}]
    for change in changes:
        assert follow(task(), msgspec.structs.replace(left, **change)).verb == "wait", change
    assert follow(task(), msgspec.structs.replace(left, ended="quiet", settled=True)).verb == "done"


def test_the_last_attempt_s_failure_is_the_task_s() -> None:
    act = follow(task(attempt=3, max_attempts=3), Progress(ended="StopFailure", settled=True, idle_for=5, error="oops"))
    assert act == Act("failed", "its turn failed: oops; that was attempt 3 of 3")


def test_a_failed_task_is_queued_anew_with_its_attempts_and_its_past_and_can_be_put_back() -> None:
    first = task(
        state="failed", attempt=3, max_attempts=3, finish=Finish("failed", "x", "t1"), session="s1", reason="x"
    )
    again = retried(first, 9)
    assert (again.state, again.attempt, again.max_attempts, again.returning) == ("queued", 3, 6, "t1")
    assert not_retried(again) == msgspec.structs.replace(first, queued_ms=9)
    second = msgspec.structs.replace(again, state="failed", attempt=6, finish=Finish("failed", "y", "t1.2"), reason="y")
    third = retried(second, 9)
    assert (third.max_attempts, [past.attempts for past in third.history]) == (9, [3, 6])
    assert not_retried(third).max_attempts == 6 and not_retried(third).finish == second.finish


def test_a_task_is_blocked_by_a_question_or_by_a_process_that_does_not_take_it() -> None:
    assert blocked_by(waiting=True, waiting_for="permission prompt", untaken_for=0) == "permission prompt"
    assert blocked_by(waiting=True, waiting_for="", untaken_for=0) == "an answer"
    assert "look at its pane" in blocked_by(waiting=False, waiting_for="", untaken_for=UNTAKEN_FOR)
    assert blocked_by(waiting=False, waiting_for="", untaken_for=UNTAKEN_FOR - 1) == ""


def test_the_accounts_of_a_task_are_named_in_order_and_once_each() -> None:
    assert accounts_used("a", [("a", "b"), ("b", "a")], "a") == ("a", "b", "a")
    assert accounts_used("a", [], "") == ("a",)
