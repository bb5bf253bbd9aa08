"""When a session may be stopped, from the hooks that were heard and the registry's word."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from failover.core.session import Activity, HookCall, View, fold, hold, may_hold, missed, release, standing, state


def call(hook: str, **fields: Any) -> HookCall:
    return HookCall(**{"id": 1, "launch": "l1", "conversation": "c1", "hook": hook, **fields})


def after(*calls: HookCall) -> Activity:
    activity = None
    for number, one in enumerate(calls, start=1):
        activity = fold(activity, msgspec.structs.replace(one, id=number))
    assert activity is not None
    return activity


START = call("SessionStart", source="startup")
PROMPT = call("UserPromptSubmit", prompt="do it")
BATCH = call("PostToolBatch")
STOP = call("Stop", background=0, message="done")
AGENT_BEGINS = call("SubagentStart", agent="a1")
AGENT_ENDS = call("SubagentStop", agent="a1")
TOLD = call("UserPromptSubmit", prompt="<task-notification>\n<task-id>a1</task-id>\n<status>completed</status>")


def test_a_session_that_was_started_and_never_prompted_is_idle() -> None:
    assert standing(after(START), "idle").at == "idle"


def test_an_open_turn_is_no_boundary_although_the_registry_still_says_idle() -> None:
    assert standing(after(START, PROMPT), "idle").at is None


def test_a_busy_session_between_hooks_is_no_boundary() -> None:
    assert standing(after(START, PROMPT, BATCH), "busy").at is None


@pytest.mark.parametrize(("hook", "outcome"), [(BATCH, "tool"), (STOP, "turn")])
def test_a_held_hook_of_an_open_turn_is_a_boundary(hook: HookCall, outcome: str) -> None:
    assert standing(hold(after(START, PROMPT, hook), hook), "busy").at == outcome


def test_a_held_prompt_has_not_begun_so_the_session_counts_as_idle() -> None:
    activity = hold(after(START, PROMPT), PROMPT)
    assert standing(activity, "busy").at == "idle"
    assert activity.held_prompt == "do it"
    assert release(activity).held_prompt == ""


def test_no_boundary_while_a_sub_agent_works() -> None:
    found = standing(hold(after(START, PROMPT, AGENT_BEGINS, BATCH), BATCH), "busy")
    assert found.at is None
    assert found.why == "1 sub-agent at work"


def test_no_boundary_until_a_sub_agents_result_has_reached_the_conversation() -> None:
    ended = after(START, PROMPT, AGENT_BEGINS, STOP, AGENT_ENDS)
    assert standing(ended, "idle").at is None
    assert standing(hold(fold(ended, BATCH), BATCH), "busy").at is None
    told = fold(ended, TOLD)
    assert not told.undelivered
    assert standing(fold(told, STOP), "idle").at == "idle"


def test_the_notice_of_another_agent_does_not_count_for_this_one() -> None:
    other = call("UserPromptSubmit", prompt="<task-notification><task-id>a2</task-id>")
    assert after(START, AGENT_BEGINS, AGENT_ENDS, other).undelivered == ("a1",)


def test_no_boundary_while_the_last_stop_named_background_tasks() -> None:
    found = standing(after(START, PROMPT, call("Stop", background=2)), "idle")
    assert found.at is None
    assert "2 background tasks" in found.why


def test_a_stop_that_does_not_speak_of_background_tasks_settles_nothing() -> None:
    assert after(START, PROMPT, AGENT_BEGINS, call("Stop")).agents == ("a1",)


def test_hooks_of_sub_agents_leave_the_main_conversation_as_it_was() -> None:
    quiet = after(START)
    assert fold(quiet, call("PreToolUse", agent="a1", tool="Bash", id=2)).turn is False


def test_after_a_gap_only_a_stop_with_nothing_left_or_a_quiet_look_makes_a_boundary() -> None:
    gap = after(PROMPT, AGENT_ENDS)
    assert gap.gap
    assert standing(hold(fold(gap, BATCH), BATCH), "busy").at is None
    healed = fold(gap, STOP)
    assert not healed.gap
    assert healed.undelivered == ()
    assert standing(healed, "idle").at == "idle"
    assert standing(msgspec.structs.replace(after(START), gap=True), "idle", quiet=True).at == "idle"
    assert standing(msgspec.structs.replace(after(START), gap=True), "idle").at is None


def test_after_a_gap_the_registry_knows_better_than_the_hooks_whether_a_turn_is_open() -> None:
    for stale in (missed(after(START, PROMPT)), missed(after(START, PROMPT, AGENT_BEGINS, call("Stop", background=1)))):
        assert state(view(), stale) == "idle"
        assert standing(stale, "idle", quiet=True).at == "idle"
        assert standing(stale, "idle").at is None
        assert standing(stale, "busy", quiet=True).at is None


def test_a_prompt_after_a_gap_opens_a_turn_although_the_registry_still_says_idle() -> None:
    prompted = fold(missed(after(START)), PROMPT)
    assert state(view(), prompted) == "working"
    assert standing(prompted, "idle", quiet=True).at is None
    assert standing(fold(prompted, STOP), "idle").at == "idle"


def test_without_any_hook_only_registry_and_transcript_together_make_it_idle() -> None:
    assert standing(None, "idle", quiet=True).at == "idle"
    assert standing(None, "idle").at is None
    assert standing(None, "busy", quiet=True).at is None


def test_a_session_that_a_limit_stopped_may_be_stopped_in_its_menu_too() -> None:
    for status in ("idle", "waiting"):
        assert standing(after(START, PROMPT), status, limited=True).at == "turn"
    assert standing(after(START, PROMPT), "busy", limited=True).at is None


def test_a_background_shell_is_no_boundary() -> None:
    assert standing(after(START), "shell").why == "a background shell runs"
    assert state(view(status="shell"), None) == "working"


def test_an_open_question_is_no_boundary() -> None:
    asking = after(START, PROMPT, call("PermissionRequest", tool="Bash"))
    assert asking.asking
    assert standing(asking, "busy").at is None
    assert standing(after(START), "waiting").at is None


def test_a_status_that_nobody_knows_is_no_boundary() -> None:
    assert "not known (new-word)" in standing(after(START), "new-word").why
    assert "no registry entry" in standing(after(START), "").why


def test_a_new_launch_or_conversation_begins_anew() -> None:
    worked = after(START, PROMPT, AGENT_BEGINS)
    assert fold(worked, call("SessionStart", source="resume", launch="l2", id=9)).agents == ()
    assert not fold(worked, call("SessionStart", source="resume", launch="l2", id=9)).gap
    assert fold(worked, call("Stop", launch="l2", id=9, background=1)).gap
    assert fold(worked, call("SessionStart", source="clear", conversation="c2", id=9)).agents == ()


def test_tools_and_failures_are_kept_for_those_who_tell_of_them() -> None:
    tool = after(START, PROMPT, call("PreToolUse", tool="Bash", tool_input="sleep 9"))
    assert (tool.tool, tool.tool_input, tool.tool_open) == ("Bash", "sleep 9", True)
    assert not fold(tool, call("PostToolUse", id=9)).tool_open
    failed = fold(tool, call("StopFailure", error="rate_limit", id=9))
    assert (failed.failure, failed.turn) == ("rate_limit", False)
    assert fold(tool, call("StopFailure", id=9)).failure == "unknown"
    assert fold(failed, PROMPT).failure == ""
    assert after(START, PROMPT, STOP).message == "done"
    assert after(START, call("SessionEnd")).ended
    assert after(START, call("Notification")).last_hook == "Notification"
    assert after(START, call("SessionStart", source="compact")).turn is False
    assert after(START, call("Notification", agent="a1")).agents == ()


def test_only_boundaries_of_the_main_conversation_may_be_held() -> None:
    idle, working = after(START), after(START, PROMPT)
    assert may_hold(idle, PROMPT)
    assert may_hold(working, BATCH)
    assert may_hold(working, STOP)
    assert may_hold(working, msgspec.structs.replace(STOP, id=0)), "a call has no id before it is written"
    assert may_hold(None, STOP)
    assert not may_hold(working, PROMPT), "typed into a working session it only joins the queue"
    assert not may_hold(None, PROMPT)
    assert not may_hold(msgspec.structs.replace(idle, gap=True), PROMPT)
    assert not may_hold(idle, TOLD)
    assert not may_hold(working, call("PostToolBatch", agent="a1"))
    assert not may_hold(working, call("PreToolUse"))


def test_what_would_be_no_boundary_is_not_held_since_a_held_session_never_comes_to_one() -> None:
    agent = after(START, PROMPT, AGENT_BEGINS)
    assert not may_hold(agent, BATCH)
    assert not may_hold(agent, call("Stop", background=1))
    assert not may_hold(fold(agent, call("Stop", background=1)), PROMPT)
    assert not may_hold(fold(agent, AGENT_ENDS), BATCH), "its result still waits for the end of this batch"
    gap = msgspec.structs.replace(after(START, PROMPT), gap=True)
    assert not may_hold(gap, BATCH)
    assert not may_hold(None, BATCH)
    assert may_hold(gap, STOP), "its list of background tasks is complete"


def view(**fields: Any) -> View:
    return View(**{"wanted": True, "moving": False, "alive": True, "registered": True, "status": "idle", **fields})


@pytest.mark.parametrize(
    ("seen", "word"),
    [
        (view(wanted=False), "stopped"),
        (view(alive=False), "exited"),
        (view(registered=False), "starting"),
        (view(alive=False, moving=True), "moving"),
        (view(registered=False, moving=True), "moving"),
        (view(moving=True), "idle"),
        (view(limited=True), "limited"),
        (view(limited=True, status="waiting"), "limited"),
        (view(), "idle"),
        (view(status="busy", limited=True), "working"),
        (view(status="waiting"), "waiting"),
        (view(status="shut"), "unknown"),
    ],
)
def test_a_session_is_called_by_what_is_seen(seen: View, word: str) -> None:
    assert state(seen, None) == word


def test_an_idle_prompt_with_agents_at_work_counts_as_working() -> None:
    assert state(view(), after(START, AGENT_BEGINS)) == "working"
    assert state(view(), after(START)) == "idle"
