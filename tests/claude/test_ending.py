"""The ends of real transcripts (2.1.330), each stopped in the way that its name says."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from failover.claude import ending, transcript
from failover.claude.ending import Ending, Limit, OpenTool

DATA = Path(__file__).parent / "data"


def end_of(name: str) -> Ending:
    return transcript.ending(DATA / f"{name}.jsonl")


def read_ending(records: Iterable[dict[str, Any]]) -> Ending:
    return ending.read_ending(enumerate(records))


def state(name: str) -> Ending:
    """Return how a conversation stands, without what was said in it."""
    return msgspec.structs.replace(end_of(name), prompts=())


def test_what_the_model_was_given_is_known_by_text_and_place_and_time() -> None:
    found = end_of("stopped-while-streaming")
    (*_, last) = found.prompts
    assert found.was_given(f" {last.text}\n", last.byte)
    assert not found.was_given(last.text, last.byte + 1), "that was said before"
    assert not found.was_given("something else", 0)
    assert found.was_given_at(f" {last.text}\n", last.at_ms)
    assert not found.was_given_at(last.text, last.at_ms + 1), "that was said before"


def test_a_finished_turn_leaves_nothing_open() -> None:
    assert state("idle") == Ending(last_kind="assistant_text")


def test_a_tool_that_was_cut_off_is_named() -> None:
    found = end_of("stopped-in-tool")
    assert found.last_kind == "tool_use_open"
    assert found.open_tools == (OpenTool("Bash", "sleep 20; echo X"),)


def test_a_tool_that_was_cut_off_is_no_longer_open_after_the_resume() -> None:
    assert state("stopped-in-tool-and-resumed") == Ending(last_kind="assistant_text")


def test_a_session_held_after_its_tools_ends_with_their_results() -> None:
    found = end_of("queued-held-and-stopped")
    assert (found.last_kind, found.open_tools) == ("tool_result", ())


def test_prompts_that_waited_at_a_stop_are_found_in_their_order() -> None:
    found = end_of("queued-held-and-stopped")
    assert found.queued_prompts == ("QUEUED PROMPT second", "QUEUED PROMPT third\nline2")


def test_a_prompt_typed_during_a_held_stop_is_found() -> None:
    assert end_of("held-at-stop-with-a-prompt-typed").queued_prompts == ("typed while held at stop",)


def test_prompts_that_waited_are_not_sent_a_third_time_after_the_next_resume() -> None:
    assert end_of("queued-held-and-resumed").queued_prompts == ()


def test_prompts_typed_while_the_model_streams_wait() -> None:
    assert end_of("queued-while-streaming").queued_prompts == ("typed during stream A", "typed during stream B")


def test_prompts_that_became_a_turn_wait_no_more() -> None:
    assert end_of("queued-then-dequeued").queued_prompts == ()


def test_a_prompt_that_went_back_to_the_editor_waits_no_more() -> None:
    assert end_of("queued-then-edited").queued_prompts == ()


def test_a_replay_that_holds_the_prompt_ends_its_wait_without_any_word_of_an_exit() -> None:
    # SIGKILL writes no exit.
    whole = transcript.tail(DATA / "queued-held-and-stopped.jsonl")
    records = [record for _, record in whole if record["type"] != "cost-state"]
    assert len(read_ending(records).queued_prompts) == 2
    replay = "Meanwhile this was written to you:\n\nQUEUED PROMPT second\n\nQUEUED PROMPT third\nline2"
    records.append({"type": "user", "message": {"role": "user", "content": replay}})
    assert read_ending(records).queued_prompts == ()


def test_a_session_stopped_while_streaming_ends_with_its_prompt() -> None:
    assert state("stopped-while-streaming") == Ending(last_kind="user_prompt")


def test_an_interrupt_by_a_person_is_told_from_a_prompt() -> None:
    assert end_of("escaped").last_kind == "interrupted"


def test_the_five_hour_limit_is_told_with_its_reset() -> None:
    found = end_of("limit-five-hour")
    assert found.last_kind == "limit"
    assert found.limit is not None
    assert found.limit.type == "five_hour"
    assert isinstance(found.limit.resets_at, int)


def test_the_weekly_limit_is_told() -> None:
    found = end_of("limit-seven-day").limit
    assert found is not None
    assert found.type == "seven_day"


def test_a_limit_is_over_when_the_conversation_went_on() -> None:
    assert state("limit-seven-day-resumed") == Ending(last_kind="assistant_text")


def test_a_sub_agent_at_work_is_background_work() -> None:
    found = end_of("sub-agent-at-work")
    assert found.last_kind == "assistant_text"
    assert len(found.background) == 1
    assert found.undelivered == ()


def test_a_sub_agent_whose_launch_lies_before_the_tail_is_still_counted() -> None:
    last = [r for _, r in transcript.tail(DATA / "sub-agent-at-work.jsonl") if r.get("subtype") == "turn_duration"]
    assert read_ending(last).background == ("sub-agent",)


def test_a_sub_agent_that_ended_and_whose_result_waits_is_undelivered() -> None:
    found = end_of("sub-agent-ended-untold")
    assert found.last_kind == "tool_result"
    assert len(found.undelivered) == 1
    assert found.background == found.undelivered
    assert found.queued_prompts == ()


@pytest.mark.parametrize(
    "name", ["sub-agent-told", "sub-agent-told-in-mid-turn", "sub-agent-ended-untold-then-resumed"]
)
def test_a_sub_agent_whose_end_was_told_is_background_work_no_more(name: str) -> None:
    found = end_of(name)
    assert (found.background, found.undelivered) == ((), ())


def test_a_shell_in_the_background_is_background_work_until_it_is_told_to_have_ended() -> None:
    assert len(end_of("shell-at-work").background) == 1
    assert end_of("shell-killed-and-resumed").background == ()


def test_the_end_of_the_process_ends_its_background_work() -> None:
    assert end_of("shell-killed").background == ()


def test_commands_of_the_binary_itself_are_no_prompts() -> None:
    assert end_of("local-command").last_kind == "assistant_text"


def test_a_sub_agents_own_records_are_not_the_conversations() -> None:
    limit = json.loads((DATA / "limit-five-hour.jsonl").read_text().splitlines()[-5])
    answer = {"type": "assistant", "message": {"content": [{"type": "text", "text": "done"}]}}
    assert read_ending([answer, {**limit, "isSidechain": True}]).last_kind == "assistant_text"


def test_throttling_is_an_error_and_no_limit() -> None:
    record = {"type": "assistant", "isApiErrorMessage": True, "error": "rate_limit", "message": {"content": []}}
    assert read_ending([record]) == Ending(last_kind="error")


def test_a_limit_without_its_details_is_still_a_limit() -> None:
    record = {"type": "assistant", "isApiErrorMessage": True, "apiError": "usage_limit_reached", "quotaLimits": 3}
    assert read_ending([record]).limit == Limit("unknown", None)


def test_one_missing_result_of_a_batch_leaves_the_tool_open() -> None:
    calls = [{"type": "tool_use", "id": str(n), "name": "Bash", "input": {"command": f"job {n}"}} for n in (1, 2)]
    records: list[dict[str, Any]] = [{"type": "assistant", "message": {"content": [call]}} for call in calls]
    records.append({"type": "user", "message": {"content": [{"type": "tool_result", "tool_use_id": "1"}]}})
    assert read_ending(records) == Ending(last_kind="tool_use_open", open_tools=(OpenTool("Bash", "job 2"),))


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
RECORDS = st.lists(
    st.fixed_dictionaries(
        {"type": st.sampled_from(["user", "assistant", "queue-operation", "attachment", "system", "cost-state", ""])},
        optional={
            "message": ANYTHING
            | st.fixed_dictionaries({"content": st.lists(st.fixed_dictionaries({"type": ANYTHING}))}),
            "operation": st.sampled_from(["enqueue", "dequeue", "remove", "popAll"]) | ANYTHING,
            "content": st.sampled_from(["a", "b", "<task-notification><task-id>x</task-id>"]) | ANYTHING,
            "attachment": ANYTHING,
            "toolUseResult": ANYTHING,
            "subtype": st.just("turn_duration"),
            "pendingBackgroundAgentCount": st.integers(-2, 3) | ANYTHING,
            "isApiErrorMessage": st.booleans(),
            "apiError": st.just("usage_limit_reached"),
            "quotaLimits": st.fixed_dictionaries({"resetsAt": ANYTHING, "rateLimitType": ANYTHING}),
        },
    ),
    max_size=12,
)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(RECORDS)
def test_no_record_of_another_shape_breaks_the_reading(records: list[dict[str, Any]]) -> None:
    read_ending(records)


def test_a_conversation_that_an_earlier_process_left_open_is_known_by_its_prompts() -> None:
    user = {"type": "user", "message": {"role": "user", "content": "go on"}}
    found = ending.read_ending([(100, user)])
    assert found.began_nothing_since(101)
    assert not found.began_nothing_since(100)
    assert not read_ending([]).began_nothing_since(0)
    assert found.went_on_since(100)
    assert not found.went_on_since(101)
