"""How long sessions at work take to reach a boundary."""

from __future__ import annotations

import random

import pytest

from failover.core.boundary import Mark, reach, stretches


def marks(*calls: tuple[float, str] | tuple[float, str, str], conversation: str = "c") -> list[Mark]:
    """Return hook calls. calls: seconds, hook, and the sub-agent where it is one's."""
    return [
        Mark(conversation=conversation, hook=one[1], at_ms=int(one[0] * 1000), agent="".join(one[2:])) for one in calls
    ]


def test_a_stretch_lasts_from_a_prompt_or_a_boundary_to_the_next_boundary() -> None:
    turn = marks((0, "SessionStart"), (1, "UserPromptSubmit"), (4, "PostToolBatch"), (9, "PostToolBatch"), (11, "Stop"))
    assert stretches(turn) == [3, 5, 2]
    assert stretches([*turn, *marks((60, "UserPromptSubmit"), (61, "Stop"))]) == [3, 5, 2, 1], "rest is no stretch"


def test_while_a_sub_agent_works_there_is_no_boundary() -> None:
    calls = marks(
        (0, "UserPromptSubmit"), (1, "SubagentStart", "x"), (2, "PostToolBatch"), (3, "PostToolBatch", "x"),
        (5, "Stop"), (9, "SubagentStop", "x"), (10, "UserPromptSubmit"), (12, "Stop"),
    )  # fmt: skip
    assert stretches(calls) == [12]


def test_what_was_cut_off_does_not_count() -> None:
    for end in ("SessionEnd", "StopFailure", "SessionStart"):
        calls = marks(
            (0, "UserPromptSubmit"), (1, "SubagentStart", "x"), (2, end), (3, "UserPromptSubmit"), (5, "Stop")
        )
        assert stretches(calls) == [2], end


def test_a_boundary_whose_beginning_was_not_heard_does_not_count() -> None:
    assert stretches(marks((5, "PostToolBatch"), (7, "Stop"), (9, "Stop"))) == [2]


def test_conversations_do_not_mix_and_a_clock_that_was_set_back_makes_no_negative_stretch() -> None:
    one, two = (
        marks((0, "UserPromptSubmit"), (9, "Stop")),
        marks((3, "UserPromptSubmit"), (1, "Stop"), conversation="d"),
    )
    assert sorted(stretches([one[0], two[0], two[1], one[1]])) == [0, 9]


def test_few_stretches_say_nothing() -> None:
    assert reach([5.0] * 9) == 0
    assert reach([5.0] * 10) > 0


def test_of_equal_stretches_nine_of_ten_end_within_nine_tenths() -> None:
    assert reach([10.0] * 20) == pytest.approx(9)
    assert reach([10.0] * 20, share=0.5) == pytest.approx(5)


def test_it_is_what_one_meets_at_a_random_moment() -> None:
    """Many short batches and a few long turns: most of the time is spent in the long ones."""
    chance = random.Random(4)
    lengths = [chance.choice([2.0, 3.0, 5.0, 240.0]) for _ in range(200)]
    rests = []
    for _ in range(4000):
        at, passed = chance.uniform(0, sum(lengths)), 0.0
        for length in lengths:
            passed += length
            if passed >= at:
                rests.append(passed - at)
                break
    within = reach(lengths)
    assert 0.88 < sum(rest <= within for rest in rests) / len(rests) < 0.92
