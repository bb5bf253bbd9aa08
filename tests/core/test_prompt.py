"""The words of a replay: the operator's templates, filled in once, and names that stay names."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from failover.core.attempt import marked, marker_text
from failover.core.prompt import LONGEST, PLACEHOLDERS, AtTask, Templates, filled, problem, quoted, replay


def test_the_default_sentences_are_sound_and_every_one_is_described() -> None:
    assert set(PLACEHOLDERS) == set(Templates.__struct_fields__)
    for name in PLACEHOLDERS:
        assert problem(name, getattr(Templates(), name)) is None


def test_a_crash_is_told_with_what_it_cut_off_and_with_the_task() -> None:
    at = AtTask(3, 2, "/p/.agent-queue/inbox/a b.md")
    text = replay("interrupted", cut_off="the tool call Bash: make", restored=True, task=at)
    assert "was brought back" in text and "the tool call Bash: make" in text and "outcome is unknown" in text
    assert text.endswith('task 3 (attempt 2). Its file is "/p/.agent-queue/inbox/a b.md"; leave the file there.')
    assert "task 3" not in replay("interrupted", restored=True), "it was at none"
    assert "task 3" not in replay("interrupted", task=at), "it did not crash"
    assert replay("idle", restored=True, task=at) == "", "at rest it is told nothing"


def test_the_operators_words_are_used() -> None:
    own = Templates("M {was}", "I {was}: {what}", "L {reason}", "R {what}", "T {task}.{attempt} {file} {{}}", "W")
    assert replay("tool", was="moved", templates=own) == "M moved"
    assert replay("interrupted", was="moved", cut_off="x", templates=own, queued=["go"]) == "I moved: x\n\nW\n\ngo"
    assert replay("turn", limited=True, reason="it", templates=own) == "L it"
    assert replay("interrupted", restored=True, task=AtTask(1, 1, "f"), templates=own) == (
        'R what you were doing T 1.1 "f" {}'
    )


def test_a_placeholder_that_does_not_exist_is_named_with_those_that_do() -> None:
    told = problem("interrupted", "{wat}")
    assert told is not None and "{wat}" in told[0] and "{was}, {what}" in told[1]
    assert "none" in str(problem("written", "{was}"))
    for wrong in ("", "  ", "{was", "was}", "{}", "{was!r}", "{was:3}", "{was.x}", "x" * (LONGEST + 1)):
        assert problem("moved", wrong) is not None, wrong


@given(st.text(st.characters()))
def test_braces_in_what_is_filled_in_are_only_braces(value: str) -> None:
    assert filled("<{what}>", {"what": value}) == f"<{value}>"


@given(st.text(st.characters()))
def test_a_path_in_a_prompt_is_one_line_in_quotes_whatever_its_name_is(name: str) -> None:
    shown = quoted(name)
    assert shown.isprintable() and shown[0] == shown[-1] == '"' and json.loads(shown) == name


def test_the_prompt_of_a_task_is_known_by_its_beginning() -> None:
    assert marked(f"  {marker_text(12, 3)} Read the file") == (12, 3)
    assert marked("go on with [task 12, attempt 3]") is marked("[task x, attempt 3]") is None
