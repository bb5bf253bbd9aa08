"""A task file becomes a prompt in an idle session, and its end a result file."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from failover.core.attempt import FAILED_FOR
from failover.core.usage import Reading
from failover.events import AnyEvent, Envelope, HookReceived, MoveAdvanced, SessionStateChanged
from failover.queue import task_file
from failover.store import flags, fresh, hooks, swaps, usage
from tests.queue.floor import Floor
from workers import dispatcher

Make = Callable[..., Floor]


def test_a_task_is_typed_into_an_idle_session_and_put_away_when_its_turn_ends(floor: Floor) -> None:
    prompt = floor.hand("t1")
    assert prompt.startswith("[task 1, attempt 1] ") and str(floor.inbox / "t1.md") in prompt
    assert ".agent-queue/inbox/t1.md" in prompt and len(prompt) < 700 and "earlier attempt" not in prompt
    assert json.loads((floor.inbox / "t1.md.dispatched").read_text())["session"] == "s-0"
    floor.end_turn("s-0", "it works")
    floor.until("t1", "done")
    assert not list(floor.inbox.iterdir())
    assert sorted(path.name for path in floor.done.iterdir()) == ["t1.md", "t1.result.json"]
    result = floor.result("t1")
    assert (result["message"], result["session"], result["accounts"]) == ("it works", "s-0", ["main"])
    assert result["attempts"] == 1 and result["outcome"] == "done"
    assert [e.event.__struct_config__.tag for e in floor.events()] == [
        "task.queued",
        "task.dispatched",
        "task.finished",
    ]


def test_the_next_task_waits_until_the_session_is_idle_again(floor: Floor) -> None:
    floor.hand("t1")
    floor.drop("t2")
    floor.turn(lambda: floor.state("t2") == "queued")
    floor.dispatcher.cycle(())
    assert floor.state("t2") == "queued"
    floor.end_turn("s-0")
    floor.turn(lambda: len(floor.submitted("s-0")) == 2)


def test_a_session_that_is_not_proven_idle_is_not_typed_into(floor: Floor) -> None:
    for state in ("starting", "working", "waiting", "limited", "exited", "stopped", "unknown"):
        floor.sight("s-0", state)
        floor.drop("t1")
        floor.dispatcher.cycle(())
        assert floor.state("t1") == "queued", state
    floor.sight("s-0", "idle")
    floor.hook("s-0", "UserPromptSubmit", prompt="a person's")
    floor.dispatcher.cycle(())
    assert floor.state("t1") == "queued" and floor.submitted("s-0") == []


def test_nothing_is_handed_out_while_paused_or_to_an_account_at_its_threshold(floor: Floor) -> None:
    with floor.store.transaction() as tx:
        flags.pause(tx, 1, "me")
    floor.drop("t1")
    floor.dispatcher.cycle(())
    assert floor.state("t1") == "queued"
    with floor.store.transaction() as tx:
        flags.resume(tx, "me")
        usage.note(
            tx,
            Reading(account="main", window="five_hour", used=90, resets_at=None,
                    observed_ms=floor.store.now_ms(), source="test"),
        )  # fmt: skip
    floor.dispatcher.cycle(())
    assert floor.state("t1") == "queued"


def test_nothing_is_handed_to_a_session_that_is_held(floor: Floor) -> None:
    with floor.store.transaction() as tx:
        swaps.set_hold(tx, floor.placement("s-0").conversation, 1, 1, 1, 0.0)
    floor.drop("t1")
    floor.dispatcher.cycle(())
    assert floor.state("t1") == "queued"


def test_enter_is_never_pressed_on_a_menu_that_the_registry_did_not_tell_of(floor: Floor) -> None:
    (floor.at("s-0") / "menu").touch()
    floor.drop("t1")
    floor.turn(lambda: floor.state("t1") == "delivering")
    floor.until("t1", "queued")
    assert not (floor.at("s-0") / "chosen").exists()
    row = floor.rows()["t1"]
    assert row["attempt"] == 0 and not (floor.inbox / "t1.md.dispatched").exists()


def test_a_prompt_that_was_not_taken_is_entered_once_more_and_then_taken_back(floor: Floor) -> None:
    (floor.at("s-0") / "deaf").touch()
    floor.drop("t1")
    floor.turn(lambda: floor.state("t1") == "delivering")
    floor.until("t1", "queued")
    (floor.at("s-0") / "deaf").unlink()
    # Its prompt still stands in the box: the second delivery presses Enter and types nothing anew.
    floor.turn(lambda: floor.submitted("s-0"), timeout=20)
    assert floor.submitted("s-0")[0].count("[task 1, attempt 1]") == 1


def test_a_task_that_was_taken_after_it_had_been_taken_back_is_not_handed_out_again(make_floor: Make) -> None:
    floor = make_floor(2)
    floor.sight("s-1", "working")
    (floor.at("s-0") / "deaf").touch()
    floor.drop("t1")
    floor.turn(lambda: floor.state("t1") == "delivering")
    floor.until("t1", "queued")
    floor.hook("s-0", "UserPromptSubmit", prompt="[task 1, attempt 1] Read the file")
    floor.sight("s-0", "working")
    floor.sight("s-1", "idle")
    floor.until("t1", "running")
    assert json.loads(floor.rows()["t1"]["body"])["session"] == "s-0" and floor.submitted("s-1") == []


def test_a_restarted_dispatcher_does_not_type_a_prompt_again(floor: Floor) -> None:
    floor.drop("t1")
    floor.turn(lambda: floor.submitted("s-0"))
    floor.restart()
    floor.dispatcher.cycle(())
    assert floor.state("t1") == "delivering"
    floor.begin_turn("s-0")
    floor.until("t1", "running")
    assert len(floor.submitted("s-0")) == 1


def test_a_prompt_whose_hook_was_missed_is_found_in_the_transcript(floor: Floor) -> None:
    floor.drop("t1")
    floor.turn(lambda: floor.submitted("s-0"))
    slug = "".join(c if c.isalnum() and c.isascii() else "-" for c in os.path.realpath(floor.project))
    folder = floor.config.shared_dir / "projects" / slug
    folder.mkdir(parents=True)
    record = {"type": "user", "message": {"role": "user", "content": floor.submitted("s-0")[0]}}
    (folder / f"{floor.placement('s-0').conversation}.jsonl").write_text(json.dumps(record) + "\n")
    floor.restart()
    floor.until("t1", "running")
    assert len(floor.submitted("s-0")) == 1


def test_a_turn_that_ended_between_two_hand_overs_is_not_the_end_of_the_task(floor: Floor) -> None:
    """Taken back, then handed over again, and known to be taken by the transcript alone: hooks were missed."""
    (floor.at("s-0") / "deaf").touch()
    floor.drop("t1")
    floor.turn(lambda: floor.state("t1") == "delivering")
    floor.until("t1", "queued")
    floor.hook("s-0", "UserPromptSubmit", prompt="of a person")
    floor.end_turn("s-0", "the answer to a person")
    (floor.at("s-0") / "deaf").unlink()
    floor.turn(lambda: floor.submitted("s-0"), timeout=20)
    written(floor)
    floor.restart()
    floor.until("t1", "running")
    floor.dispatcher.cycle(())
    assert floor.state("t1") == "running"
    floor.end_turn("s-0", "its own answer")
    floor.until("t1", "done")
    assert floor.result("t1")["message"] == "its own answer"


def test_a_prompt_whose_hook_was_missed_is_found_after_the_session_was_moved(floor: Floor) -> None:
    """It was taken while the control plane was dead; a swap moved the session in the middle of that turn."""
    floor.drop("t1")
    floor.turn(lambda: floor.submitted("s-0"))
    transcript = written(floor)
    floor.place("s-0", account="backup", launch="anewlaunch00")
    floor.hook("s-0", "SessionStart", source="resume")
    floor.hook("s-0", "UserPromptSubmit", prompt="Continue where you were.")
    floor.sight("s-0", "working")
    floor.dispatcher.cycle(())
    assert (floor.state("t1"), transcript.exists()) == ("running", True)
    assert len(floor.submitted("s-0")) == 1


def test_a_task_whose_marker_and_prompt_never_came_is_offered_again_after_a_restart(floor: Floor) -> None:
    (floor.at("s-0") / "menu").touch()
    floor.drop("t1")
    floor.turn(lambda: floor.state("t1") == "delivering")
    (floor.inbox / "t1.md.dispatched").unlink()
    floor.restart()
    (floor.at("s-0") / "menu").unlink()
    floor.turn(lambda: floor.submitted("s-0"), timeout=20)
    assert floor.submitted("s-0")[0].startswith("[task 1, attempt 1]")


def test_a_task_goes_on_through_a_background_agent_until_its_result_came(floor: Floor) -> None:
    floor.hand("t1")
    floor.hook("s-0", "SubagentStart", agent="a1")
    floor.end_turn("s-0", "launched", background=1)
    floor.dispatcher.cycle(())
    assert floor.state("t1") == "running"
    floor.hook("s-0", "SubagentStop", agent="a1")
    floor.dispatcher.cycle(())
    assert floor.state("t1") == "running"
    floor.hook("s-0", "UserPromptSubmit", prompt="<task-notification>\n<task-id>a1</task-id>")
    floor.end_turn("s-0", "with the agent's result")
    floor.until("t1", "done")
    assert floor.result("t1")["message"] == "with the agent's result"


def test_a_session_that_died_gives_its_task_back_until_the_attempts_are_used_up(make_floor: Make) -> None:
    floor = make_floor(max_attempts=2)
    floor.hand("t1")
    floor.sight("s-0", "exited")
    floor.until("t1", "queued")
    floor.hook("s-0", "Stop", background=0)
    floor.sight("s-0", "idle")
    floor.turn(lambda: len(floor.submitted("s-0")) == 2)
    prompt = floor.begin_turn("s-0")
    assert prompt.startswith("[task 1, attempt 2] ") and "earlier attempt" in prompt
    floor.until("t1", "running")
    floor.sight("s-0", "exited")
    floor.until("t1", "failed")
    assert floor.result("t1", "failed")["attempts"] == 2 and (floor.failed / "t1.md").exists()


def test_a_limit_is_no_end_and_another_failure_is(make_floor: Make) -> None:
    floor = make_floor(max_attempts=1)
    floor.hand("t1")
    floor.hook("s-0", "StopFailure", error="rate_limit")
    floor.sight("s-0", "limited", limit_window="five_hour")
    floor.dispatcher.cycle(())
    assert floor.state("t1") == "running"
    floor.hook("s-0", "UserPromptSubmit", prompt="Continue.")
    floor.hook("s-0", "StopFailure", error="server_error")
    floor.sight("s-0", "idle")
    floor.dispatcher.cycle(())
    assert floor.state("t1") == "running"
    floor.until("t1", "failed")
    assert "server_error" in floor.result("t1", "failed")["reason"]


def test_a_session_may_put_its_file_away_itself(floor: Floor) -> None:
    floor.hand("t1")
    floor.failed.mkdir()
    (floor.inbox / "t1.md").rename(floor.failed / "t1.md")
    floor.until("t1", "failed")
    assert floor.result("t1", "failed")["reason"].endswith("failed/")


def test_a_moved_session_keeps_its_task_and_the_result_names_both_accounts(floor: Floor) -> None:
    floor.hand("t1")
    floor.place("s-0", account="backup", launch="anewlaunch00")
    floor.hook("s-0", "SessionStart", source="resume")
    floor.hook("s-0", "UserPromptSubmit", prompt="Continue.")
    floor.dispatcher.cycle(())
    assert floor.state("t1") == "running"
    floor.end_turn("s-0")
    floor.until("t1", "done")
    assert floor.result("t1")["accounts"] == ["main", "backup"]


def test_missed_hooks_do_not_leave_a_task_running_for_ever(floor: Floor) -> None:
    floor.hand("t1")
    with floor.store.transaction() as tx:
        hooks.mark_gaps(floor.store, tx)
    transcript = written(floor)
    floor.dispatcher.cycle(())
    assert floor.state("t1") == "running"  # the transcript may still grow
    os.utime(transcript, (1, 1))
    floor.until("t1", "done")
    assert floor.result("t1")["message"] == "so it is"


def written(floor: Floor, **last: Any) -> Path:
    """Write what the binary would of a task's turn and of an idle session; return the transcript."""
    place = floor.placement("s-0")
    slug = "".join(c if c.isalnum() and c.isascii() else "-" for c in os.path.realpath(floor.project))
    transcript = floor.config.shared_dir / "projects" / slug / f"{place.conversation}.jsonl"
    transcript.parent.mkdir(parents=True, exist_ok=True)
    user = {"type": "user", "message": {"role": "user", "content": "[task 1, attempt 1] …"}}
    answer = {
        "type": "assistant",
        "message": {"role": "assistant", "content": [{"type": "text", "text": "so it is"}], "stop_reason": "end_turn"},
        **last,
    }
    transcript.write_text(json.dumps(user) + "\n" + json.dumps(answer) + "\n")
    registry = floor.config.shared_dir / "sessions"
    registry.mkdir(exist_ok=True)
    (registry / f"{place.pid}.json").write_text(
        json.dumps({"pid": place.pid, "procStart": str(place.start), "sessionId": place.conversation, "status": "idle"})
    )
    return transcript


def test_a_failure_that_the_turn_has_outlived_unheard_is_no_failure(floor: Floor) -> None:
    """A limit failed the turn, the session was moved and worked on; its Stop came while the daemon was down."""
    floor.hand("t1")
    floor.hook("s-0", "StopFailure", error="rate_limit")
    floor.sight("s-0", "idle")
    transcript = written(floor)
    until = time.monotonic() + FAILED_FOR + 1
    while time.monotonic() < until:
        floor.dispatcher.cycle(())
        os.utime(transcript)  # it may still grow
        assert (floor.state("t1"), floor.rows()["t1"]["attempt"]) == ("running", 1)
    os.utime(transcript, (1, 1))
    floor.until("t1", "done")
    assert floor.result("t1")["message"] == "so it is"
    assert len(floor.submitted("s-0")) == 1


def test_the_answer_before_a_task_is_not_taken_for_the_task_s_own(floor: Floor) -> None:
    """Hooks were missed, the session is quiet; a task's prompt is heard before its record is on the disk."""
    floor.hook("s-0", "UserPromptSubmit", prompt="of a person")
    with floor.store.transaction() as tx:
        hooks.mark_gaps(floor.store, tx)
    transcript = written(floor)
    transcript.write_text(transcript.read_text().replace("[task 1, attempt 1]", "of a person"))
    os.utime(transcript, (1, 1))
    floor.hand("t1")
    for _ in range(5):
        floor.dispatcher.cycle(())
        assert floor.state("t1") == "running"
    before = transcript.read_text()
    transcript.write_text(before + written(floor).read_text())
    os.utime(transcript, (1, 1))
    floor.until("t1", "done")


def test_an_end_that_was_missed_is_found_after_the_session_was_moved(floor: Floor) -> None:
    """Its Stop came while the daemon was down; then it was moved, idle as it was, and its new launch has no gap."""
    floor.hand("t1")
    os.utime(written(floor), (1, 1))
    floor.place("s-0", account="backup", launch="anewlaunch00")
    floor.hook("s-0", "SessionStart", source="resume")
    floor.sight("s-0", "idle")
    floor.until("t1", "done")
    assert floor.result("t1")["message"] == "so it is"


def test_a_task_of_a_session_that_crashed_unseen_is_offered_again(floor: Floor) -> None:
    """It crashed and was started again by hand while the daemon was down: its transcript ends within the turn."""
    floor.hand("t1")
    call = {"type": "tool_use", "id": "u1", "name": "Bash", "input": {"command": "make"}}
    os.utime(written(floor, message={"role": "assistant", "content": [call]}), (1, 1))
    floor.place("s-0", launch="anewlaunch00")
    floor.hook("s-0", "SessionStart", source="resume")
    floor.sight("s-0", "idle")
    floor.turn(lambda: len(floor.submitted("s-0")) == 2, timeout=60)
    assert floor.begin_turn("s-0").startswith("[task 1, attempt 2] ")


def test_a_failure_with_which_the_transcript_ends_is_one(make_floor: Make) -> None:
    floor = make_floor(max_attempts=1)
    floor.hand("t1")
    floor.hook("s-0", "StopFailure", error="server_error")
    floor.sight("s-0", "idle")
    os.utime(written(floor, isApiErrorMessage=True), (1, 1))
    floor.until("t1", "failed", 20)
    assert "server_error" in floor.result("t1", "failed")["reason"]


def test_a_higher_priority_goes_first_and_a_pinned_task_only_to_its_session(make_floor: Make) -> None:
    floor = make_floor(2)
    floor.drop("low", age=30)
    floor.drop("high", "---\npriority: 5\nsession: s-1\n---\ndo it\n")
    floor.turn(lambda: floor.submitted("s-0") and floor.submitted("s-1"))
    assert "high.md" in floor.submitted("s-1")[0] and "low.md" in floor.submitted("s-0")[0]


def test_a_queued_task_whose_file_is_taken_away_ends(floor: Floor) -> None:
    floor.sight("s-0", "working")
    path = floor.drop("t1")
    floor.until("t1", "queued")
    path.unlink()
    floor.sight("s-0", "idle")
    floor.until("t1", "failed")
    assert "taken out" in floor.result("t1", "failed")["reason"]


def test_a_task_that_takes_too_long_fails_while_its_session_is_still_at_it(floor: Floor) -> None:
    floor.drop("t1", "---\ntimeout: 1s\n---\ndo it\n")
    floor.turn(lambda: floor.submitted("s-0"))
    floor.begin_turn("s-0")
    floor.until("t1", "failed")
    assert "still at it" in floor.result("t1", "failed")["reason"]


def test_a_task_whose_file_is_gone_does_not_keep_the_next_one_waiting(floor: Floor) -> None:
    floor.sight("s-0", "working")
    floor.drop("first", age=30).unlink()
    floor.drop("first", age=30)
    floor.drop("second")
    floor.until("second", "queued")
    (floor.inbox / "first.md").unlink()
    floor.sight("s-0", "idle")
    floor.turn(lambda: floor.submitted("s-0"))
    assert "second.md" in floor.submitted("s-0")[0] and floor.state("first") == "failed"


def test_a_project_has_no_more_tasks_at_work_than_it_may(make_floor: Make) -> None:
    floor = make_floor(3, per_project=3, limits=[{"project": "app", "at_once": 2}])
    for number in range(3):
        floor.drop(f"t{number}", age=30 - number)
    floor.turn(lambda: sum(len(floor.submitted(name)) for name in floor.names) == 2)
    for _ in range(5):
        floor.dispatcher.cycle(())
    assert [floor.state(f"t{number}") for number in range(3)] == ["delivering", "delivering", "queued"]
    one = next(name for name in floor.names if "t0.md" in "".join(floor.submitted(name)))
    floor.begin_turn(one)
    floor.until("t0", "running")
    floor.end_turn(one)
    floor.until("t0", "done")
    floor.turn(lambda: floor.state("t2") == "delivering")


def test_a_task_whose_session_was_not_started_anew_is_taken_back(floor: Floor) -> None:
    """The account-switcher took the request up, and found the session at work."""
    floor.drop("t1", "---\nconversation: fresh\n---\ndo it\n")
    floor.turn(lambda: fresh.unserved(floor.store))
    (request,) = fresh.unserved(floor.store)
    with floor.store.transaction() as tx:
        number = floor.move(tx, "s-0", request.id)
    for _ in range(5):
        floor.dispatcher.cycle(())
    assert floor.state("t1") == "delivering"
    with floor.store.transaction() as tx:
        tx.execute("UPDATE moves SET state = 'stayed'")
        swaps.finish(tx, number, "refused", "", 1)
    floor.until("t1", "queued")
    assert (floor.rows()["t1"]["attempt"], list(floor.inbox.glob("*.dispatched"))) == (0, [])


def test_a_new_process_that_lives_keeps_its_task_however_long_it_takes(floor: Floor) -> None:
    """It may stop at a dialog; whoever answers that lets it take its prompt."""
    floor.drop("t1", "---\nconversation: fresh\n---\ndo it\n")
    floor.turn(lambda: fresh.unserved(floor.store))
    floor.start_anew("s-0")
    floor.sight("s-0", "waiting", waiting_for="dialog open")
    floor.restart()
    for _ in range(5):
        floor.dispatcher.cycle(())
    assert floor.state("t1") == "delivering"
    floor.sight("s-0", "exited")
    floor.until("t1", "queued")


def test_a_request_for_a_session_that_was_started_anew_meanwhile_is_void(floor: Floor) -> None:
    floor.drop("t1", "---\nconversation: fresh\n---\ndo it\n")
    floor.turn(lambda: fresh.unserved(floor.store))
    floor.place("s-0", launch="anewlaunch00")
    floor.until("t1", "queued")
    assert not fresh.unserved(floor.store)


def test_a_floating_session_is_started_anew_for_another_project_s_task(make_floor: Make) -> None:
    floor = make_floor(serves="all")
    floor.dispatcher.cycle(())
    floor.drop("t1", project=floor.other)
    floor.turn(lambda: fresh.unserved(floor.store))
    assert fresh.unserved(floor.store)[0].cwd == str(floor.other)
    floor.start_anew("s-0")
    floor.begin_turn("s-0")
    floor.until("t1", "running")
    floor.end_turn("s-0")
    floor.until("t1", "done")
    floor.drop("t2", project=floor.other)
    floor.turn(lambda: len(floor.submitted("s-0")) == 2)
    assert not fresh.unserved(floor.store), "in that project it goes on in the conversation that it has"


def step(state: str) -> MoveAdvanced:
    return MoveAdvanced(swap=1, move=1, session="s-0", state=state, was="", why="")


def turned(state: str) -> SessionStateChanged:
    return SessionStateChanged(session="s-0", state=state, was="")


def hook(name: str) -> HookReceived:
    return HookReceived(call=1, session="s-0", conversation="c", hook=name)


@pytest.mark.parametrize(
    ("event", "rests"),
    [
        (step("holding"), True), (step("relaunched"), True), (step("verified"), False),
        (turned("working"), True), (turned("moving"), True), (turned("idle"), False), (turned("exited"), False),
        (turned("waiting"), False), (hook("SessionStart"), True), (hook("UserPromptSubmit"), True),
        (hook("Stop"), True), (hook("StopFailure"), True),
    ],
)  # fmt: skip
def test_what_begins_or_goes_on_is_looked_into_together_but_what_ends_at_once(
    floor: Floor, monkeypatch: pytest.MonkeyPatch, event: AnyEvent, rests: bool
) -> None:
    monkeypatch.setattr(dispatcher, "_REST", 60.0)
    floor.sight("s-0", "working")
    floor.drop("t1")
    floor.until("t1", "queued")
    floor.sight("s-0", "idle")
    floor.dispatcher.cycle([Envelope(id=1, source="account-switcher", boot="b", seq=1, at_ms=0, event=event)])
    assert floor.state("t1") == ("queued" if rests else "delivering")
    floor.dispatcher.cycle(())
    assert floor.state("t1") != "queued"


def test_the_manual_names_every_key_of_the_front_matter() -> None:
    manual = (Path(__file__).parents[2] / "docs" / "queue.md").read_text()
    assert tuple(re.findall(r"^\| `(\w+)` \|", manual, re.M)) == task_file.KEYS
