"""Bodies of hooks: the real ones, and everything else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from failover.claude import hooks
from failover.errors import UsageError

DATA = Path(__file__).parent / "data"
SAMPLES = sorted(DATA.glob("hook-*.json"))


def sample(event: str) -> bytes:
    return (DATA / f"hook-{event}.json").read_bytes()


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_every_real_hook_is_read(path: Path) -> None:
    found = hooks.parse(path.read_bytes())
    assert f"hook-{found.hook_event_name}" == path.stem
    assert len(found.session_id) == 36


def test_a_batch_tells_its_last_tool() -> None:
    assert hooks.parse(sample("PostToolBatch")).tool == ("Bash", "echo hi > /home/dev/app/file1; sleep 3")


def test_a_tool_hook_tells_its_tool() -> None:
    assert hooks.parse(sample("PreToolUse")).tool == ("Bash", "echo hi > /home/dev/app/file1; sleep 3")


def test_a_prompt_is_kept_word_for_word() -> None:
    assert (
        hooks.parse(sample("UserPromptSubmit")).prompt
        == "first line\nsecond line with the secret word PINEAPPLE\nthird"
    )


def test_hooks_of_the_main_conversation_have_no_agent() -> None:
    assert hooks.parse(sample("PostToolBatch")).agent_id is None
    assert hooks.parse(sample("SubagentStart")).agent_id == "ac62e867c9477f83a"


def test_the_agent_that_is_ending_does_not_count_as_running() -> None:
    found = hooks.parse(sample("SubagentStop"))
    assert found.background_tasks is not None
    assert found.background_tasks[0].id == found.agent_id
    assert found.running == 0


def test_a_stop_that_lists_nothing_differs_from_a_hook_that_does_not_say() -> None:
    assert hooks.parse(sample("Stop")).running == 0
    assert hooks.parse(sample("PostToolBatch")).running is None


def test_unknown_fields_are_ignored() -> None:
    body = json.loads(sample("Stop")) | {"new_field": {"a": [1, 2]}}
    assert hooks.parse(json.dumps(body).encode()).hook_event_name == "Stop"


@pytest.mark.parametrize(
    ("body", "names"),
    [
        (b"", "hook body"),
        (b"[]", "hook body"),
        (b'{"session_id": "x"}', "hook_event_name"),
        (b'{"session_id": "", "hook_event_name": "Stop"}', "empty"),
        (b'{"session_id": 7, "hook_event_name": "Stop"}', "session_id"),
        (b'{"session_id": "\xff", "hook_event_name": "Stop"}', "hook body"),
        (b'{"session_id": "x", "hook_event_name": "Stop", "tool_input": ' + b"[" * 200_000, "nested too deep"),
    ],
)
def test_a_body_that_is_no_hook_is_refused_with_the_reason(body: bytes, names: str) -> None:
    with pytest.raises(UsageError, match=names):
        hooks.parse(body)


def test_a_body_beyond_the_limit_is_refused_unread() -> None:
    with pytest.raises(UsageError, match="more than"):
        hooks.parse(b" " * (hooks.MAX_BYTES + 1))


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_but_the_one_error(body: bytes) -> None:
    with pytest.raises(UsageError):
        hooks.parse(body)


@given(st.text(max_size=600))
def test_a_tools_input_becomes_one_short_line(text: str) -> None:
    line = hooks.tool_summary({"command": text})
    assert len(line) <= 200
    assert "\n" not in line


@pytest.mark.parametrize("value", [None, 3, [], {}, {"command": 3}, {"other": "x"}])
def test_a_tools_input_that_tells_nothing_is_an_empty_line(value: object) -> None:
    assert hooks.tool_summary(value) == ""
