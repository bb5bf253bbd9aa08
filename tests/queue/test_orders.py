"""A person cancels a task, or has a failed one tried again; and sees which one waits for an answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from failover.clock import SystemClock
from failover.core import notice
from failover.events import topic
from failover.http import views
from failover.queue.folder import Queue
from failover.queue.status import StatusFiles
from failover.store import fresh, hooks, orders, usage
from tests.queue.floor import Floor
from tests.queue.test_killed import Fate

Make = Callable[..., Floor]


# -- cancel ---------------------------------------------------------------------------------------------


def test_a_queued_task_that_is_cancelled_is_never_handed_out(floor: Floor) -> None:
    floor.sight("s-0", "working")
    floor.drop("t1")
    floor.until("t1", "queued")
    assert floor.order("cancel", "t1") == ("done", "task 1 (t1) is cancelled")
    assert floor.state("t1") == "failed" and floor.result("t1", "failed")["reason"] == "cancelled by me"
    assert (floor.failed / "t1.md").exists() and not list(floor.inbox.iterdir())
    floor.sight("s-0", "idle")
    for _ in range(3):
        floor.dispatcher.cycle(())
    assert floor.submitted("s-0") == []


def test_a_running_task_that_is_cancelled_ends_and_its_session_is_left_alone(floor: Floor) -> None:
    floor.hand("t1")
    outcome, said = floor.order("cancel", "t1")
    assert outcome == "done" and "s-0 may still be at it and was left alone" in said and "sessions stop s-0" in said
    assert floor.state("t1") == "failed"
    floor.drop("t2")
    for _ in range(5):
        floor.dispatcher.cycle(())
    assert len(floor.submitted("s-0")) == 1, "whoever is still at it gets no other task"
    floor.end_turn("s-0")
    floor.turn(lambda: len(floor.submitted("s-0")) == 2)
    assert floor.state("t1") == "failed"


def test_a_task_that_is_cancelled_while_it_is_handed_over_is_not_handed_out_again(floor: Floor) -> None:
    (floor.at("s-0") / "deaf").touch()
    floor.drop("t1")
    floor.turn(lambda: floor.state("t1") == "delivering")
    outcome, said = floor.order("cancel", "t1")
    assert outcome == "done" and "s-0 may yet take it" in said
    floor.hook("s-0", "UserPromptSubmit", prompt="[task 1, attempt 1] Read the file")
    for _ in range(3):
        floor.dispatcher.cycle(())
    assert floor.state("t1") == "failed" and not list(floor.inbox.iterdir())


def test_no_session_is_started_anew_for_a_task_that_is_cancelled(floor: Floor) -> None:
    floor.drop("t1", "---\nconversation: fresh\n---\ndo it\n")
    floor.turn(lambda: fresh.unserved(floor.store))
    assert floor.order("cancel", "t1")[0] == "done"
    assert fresh.unserved(floor.store) == []


def test_what_has_ended_cannot_be_cancelled(floor: Floor) -> None:
    floor.hand("t1")
    floor.end_turn("s-0")
    floor.until("t1", "done")
    assert floor.order("cancel", "t1") == ("refused", "task 1 is done already")


# -- retry ----------------------------------------------------------------------------------------------


def fail(floor: Floor, name: str = "t1") -> None:
    """Let a task fail."""
    floor.hand(name)
    floor.sight("s-0", "exited")
    floor.until(name, "failed")
    floor.hook("s-0", "Stop", background=0)


def test_a_failed_task_is_tried_again_with_as_many_attempts_and_its_history(make_floor: Make) -> None:
    floor = make_floor(max_attempts=1)
    fail(floor)
    assert floor.order("retry", "t1") == ("done", "task 1 (t1) is queued again")
    assert sorted(path.name for path in floor.failed.iterdir()) == [] and (floor.inbox / "t1.md").exists()
    row = floor.rows()["t1"]
    assert (row["state"], row["attempt"], row["max_attempts"]) == ("queued", 1, 2)
    floor.sight("s-0", "idle")
    floor.turn(lambda: len(floor.submitted("s-0")) == 2)
    prompt = floor.begin_turn("s-0")
    assert prompt.startswith("[task 1, attempt 2] ") and "earlier attempt" in prompt
    floor.until("t1", "running")
    floor.end_turn("s-0", "now it works")
    floor.until("t1", "done")
    result = floor.result("t1")
    assert result["message"] == "now it works" and result["attempts"] == 2
    assert [past["finish"]["outcome"] for past in result["earlier"]] == ["failed"]
    assert "TaskRetried" in [type(one.event).__name__ for one in floor.events()]


def test_only_what_has_failed_and_was_a_task_can_be_tried_again(make_floor: Make) -> None:
    floor = make_floor(max_attempts=1)
    floor.sight("s-0", "working")
    floor.drop("good")
    floor.drop("bad", "")
    floor.until("bad", "failed")
    assert "only one that has failed" in floor.order("retry", "good")[1]
    outcome, said = floor.order("retry", "bad")
    assert outcome == "refused" and "was never a task" in said and str(floor.failed) in said


def test_a_retried_task_replaces_no_file_and_misses_none(make_floor: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    floor = make_floor(max_attempts=1)
    fail(floor)
    # Else the folder is put away as no task, sooner or later, and stands in nobody's way.
    monkeypatch.setattr(floor.dispatcher._intake, "look", list)
    (floor.inbox / "t1.md").mkdir()
    assert "is there already" in floor.order("retry", "t1")[1]
    assert (floor.failed / "t1.md").exists()
    for path in floor.inbox.iterdir():
        path.rmdir()
    (floor.failed / "t1.md").unlink()
    assert "is not there any more" in floor.order("retry", "t1")[1]


def test_a_retried_task_whose_file_cannot_be_brought_back_has_failed_as_before(
    make_floor: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    floor = make_floor(max_attempts=1)
    fail(floor)
    before = floor.rows()["t1"]
    (floor.inbox / "t1.md").mkdir()
    monkeypatch.setattr(Queue, "against_return", lambda *_: "")  # it came a moment after the look
    outcome, said = floor.order("retry", "t1")
    assert outcome == "failed" and "is there already" in said
    after = floor.rows()["t1"]
    assert {k: v for k, v in after.items() if k not in ("body", "queued_ms", "started_ms")} == {
        k: v for k, v in before.items() if k not in ("body", "queued_ms", "started_ms")
    }


@pytest.mark.parametrize("verb", ["cancel", "retry"])
@pytest.mark.parametrize("number", range(1, 6))
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_an_order_is_carried_out_once_whichever_step_the_dispatcher_was_killed_at(
    make_floor: Make, monkeypatch: pytest.MonkeyPatch, verb: Any, number: int, after: bool
) -> None:
    floor = make_floor(max_attempts=1)
    if verb == "retry":
        fail(floor)
    else:
        floor.sight("s-0", "working")
        floor.drop("t1")
        floor.until("t1", "queued")
    fate = Fate(monkeypatch, number, after, (Queue, "bring_back"))
    with floor.store.transaction() as tx:
        order = orders.place(tx, 1, verb, orders.Args(task=1), "me")
    fate.turn(floor, lambda: orders.result(floor.store, order))
    found = orders.result(floor.store, order)
    assert found is not None and found.outcome == "done"
    folders = {folder.name: sorted(path.name for path in folder.iterdir()) for folder in (floor.inbox, floor.failed)}
    if verb == "retry":
        assert folders == {"inbox": ["t1.md"], "failed": []} and floor.state("t1") == "queued"
    else:
        assert folders == {"inbox": [], "failed": ["t1.md", "t1.result.json"]} and floor.state("t1") == "failed"
    assert len(floor.rows()) == 1 and floor.rows()["t1"]["attempt"] == (1 if verb == "retry" else 0)


# -- waiting for a person -------------------------------------------------------------------------------


def test_a_task_whose_session_asks_for_a_permission_is_blocked_and_that_is_told_once(floor: Floor) -> None:
    floor.hand("t1")
    floor.sight("s-0", "waiting", waiting_for="permission prompt")
    floor.turn(lambda: views.tasks(floor.store)[0].state == "blocked")
    for _ in range(5):
        floor.dispatcher.cycle(())
    (told,) = [one.event for one in floor.events("task.blocked")]
    fields = {"task": 1, "name": "t1", "session": "s-0", "waiting_for": "permission prompt"}
    said = notice.notice(topic(told), fields, str)
    assert said is not None and said.severity == "warning"
    assert said.text == "Task 1 (t1) waits for you in session s-0: permission prompt."
    assert views.status(floor.config, floor.store).tasks == {"blocked": 1}
    StatusFiles(floor.config, SystemClock()).update(floor.store)
    told_others = json.loads((floor.inbox.parent / "status.json").read_text())
    assert told_others["sessions"]["s-0"]["blocked"] == "permission prompt" and told_others["state"] == "working"
    floor.sight("s-0", "working")
    floor.turn(lambda: views.tasks(floor.store)[0].state == "running")
    assert len(floor.events("task.unblocked")) == 1
    floor.sight("s-0", "waiting", waiting_for="permission prompt")
    floor.turn(lambda: len(floor.events("task.blocked")) == 2)


def test_what_is_awaited_is_seen_without_a_look_at_all_tasks(floor: Floor, monkeypatch: pytest.MonkeyPatch) -> None:
    floor.hand("t1")
    monkeypatch.setattr("workers.dispatcher._ALL_EACH", float("inf"))
    floor.sight("s-0", "waiting", waiting_for="permission prompt")
    floor.turn(lambda: views.tasks(floor.store)[0].state == "blocked")
    floor.sight("s-0", "working")
    floor.turn(lambda: views.tasks(floor.store)[0].state == "running")
    floor.sight("s-0", "exited")
    floor.until("t1", "queued")


def test_a_question_that_is_answered_at_once_is_not_told(floor: Floor) -> None:
    floor.hand("t1")
    floor.sight("s-0", "waiting", waiting_for="permission prompt")
    floor.dispatcher.cycle(())
    floor.sight("s-0", "working")
    floor.dispatcher.cycle(())
    assert floor.events("task.blocked") == []


# -- what a result says ---------------------------------------------------------------------------------


def test_a_result_says_what_the_statusline_said_of_context_and_cost(floor: Floor) -> None:
    floor.hand("t1")
    context = {"total_input_tokens": 2100, "total_output_tokens": 20, "context_window_size": 200000}
    statusline(floor, {"context_window": {**context, "used_percentage": 1}, "cost": {"total_cost_usd": 0.25}})
    floor.end_turn("s-0")
    floor.until("t1", "done")
    figures = floor.result("t1")["figures"]
    assert figures.pop("at_ms") > 0
    assert figures == {
        "source": "statusline", "context_tokens": 2100, "context_window": 200000, "context_used": 1,
        "output_tokens": 20, "cost_usd": 0.25,
    }  # fmt: skip


def test_a_result_claims_no_figures_that_were_told_before_its_task(floor: Floor) -> None:
    statusline(floor, {}, at_ms=1)
    floor.hand("t1")
    floor.end_turn("s-0")
    floor.until("t1", "done")
    assert floor.result("t1")["figures"] is None


def statusline(floor: Floor, body: dict[str, Any], at_ms: int = 0) -> None:
    """Let the session's binary push its statusline."""
    place = floor.placement("s-0")
    with floor.store.transaction() as tx:
        line = usage.StatuslineRow(
            session="s-0", account="main", launch=place.launch, conversation=place.conversation,
            at_ms=at_ms or floor.store.now_ms(), body=json.dumps(body),
        )  # fmt: skip
        hooks.record_statusline(tx, line)
