"""What happens over and over is told once, and then how often."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from failover.core.folding import REST_MS, Fold, ended, is_over, settled_by, take

NAME = "s/waiting"


def test_the_first_is_told_and_those_in_its_rest_are_counted() -> None:
    told, fold = take(None, NAME, 7, 1000, 0)
    assert told and fold == Fold(NAME, 1000, 1000 + REST_MS)
    told, fold = take(fold, NAME, 8, 2000, 0)
    told_too, fold = take(fold, NAME, 9, 3000, 0)
    assert not told and not told_too and (fold.count, fold.event) == (2, 9)
    words, after = ended(fold, 1000 + REST_MS)
    assert words == " (2 times within 10 minutes)"
    assert after == Fold(NAME, 1000 + REST_MS, 1000 + 2 * REST_MS)


def test_a_rest_with_nothing_in_it_is_over_and_what_comes_then_is_told() -> None:
    _, fold = take(None, NAME, 7, 0, 0)
    assert ended(fold, REST_MS) == (None, None)
    assert take(fold, NAME, 8, REST_MS, 0)[0]


def test_what_must_settle_is_told_when_nothing_has_ended_it() -> None:
    told, fold = take(None, NAME, 7, 0, 120_000)
    assert not told and fold.settling and not is_over(fold, 119_999) and is_over(fold, 120_000)
    words, after = ended(fold, 120_000)
    assert words == "" and after is not None and not after.settling
    assert ended(Fold(NAME, 0, 9, 3, 1), 60_000)[0] == " (3 times within 1 minute)"


def test_another_state_ends_what_was_settling() -> None:
    assert settled_by("s", "idle") == ("s/unknown", "s/starting")
    assert settled_by("s", "unknown") == ("s/starting",)


def test_a_clock_that_is_set_back_ends_a_rest() -> None:
    assert is_over(Fold(NAME, 5000, 9000), 4999)


@given(st.lists(st.integers(0, 4 * REST_MS), max_size=60).map(sorted))
def test_each_happening_is_told_or_counted_and_no_more_than_twice_in_a_rest_is_spoken(times: list[int]) -> None:
    fold, accounted, spoken = None, 0, []
    for event, at in enumerate(times, 1):
        if fold is not None and is_over(fold, at):
            accounted += fold.count
            words, fold = ended(fold, at)
            spoken += [at] if words is not None else []
        told, fold = take(fold, NAME, event, at, 0)
        accounted += told
        spoken += [at] if told else []
    assert accounted + (fold.count if fold else 0) == len(times)
    for at in spoken:
        assert sum(at <= other < at + REST_MS for other in spoken) <= 2
