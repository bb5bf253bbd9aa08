"""Which notice goes to which sink, and in which words."""

from __future__ import annotations

import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from failover.core.notice import SEVERITIES
from failover.core.routing import COMMON, Rule, Subject, objection, render, subject, takes

ABOUT = Subject(accounts=("a", "b"), sessions=("s1",), projects=("/p",), task=3)


def wants(*rules: Rule, kind: str = "swap.started", severity: Any = "warning", about: Subject = ABOUT) -> bool:
    return takes(rules, "tg", kind, severity, about)


def test_a_sink_without_rules_is_told_everything() -> None:
    assert wants() and wants(about=Subject(), severity="info")


def test_all_conditions_of_a_rule_must_hold_and_one_rule_is_enough() -> None:
    assert wants(Rule(events=("swap.", "task."), severity="warning", accounts=("b",), sessions=("s1",)))
    for wrong in (
        Rule(events=("task.",)), Rule(severity="critical"), Rule(accounts=("c",)), Rule(sessions=("s2",)),
        Rule(projects=("/q",)),
    ):  # fmt: skip
        assert not wants(wrong) and wants(wrong, Rule(projects=("/p",)))
    assert not wants(Rule(accounts=("a",)), about=Subject())


def test_a_sink_is_not_told_that_it_fails_itself_but_is_told_what_it_missed() -> None:
    about = Subject(sink="tg")
    assert not wants(kind="notifier.sink-failing", about=about) and wants(kind="notifier.dropped", about=about)
    assert takes((), "other", "notifier.sink-failing", "warning", about)


def test_what_an_event_is_about_is_read_from_its_fields() -> None:
    told = {"source": "a", "target": "b", "account": None, "sessions": ["s1", "s2"], "swap": 4, "session": "s1"}
    assert subject(told, ["/p", "", "/p"]) == Subject(
        accounts=("a", "b"), sessions=("s1", "s2"), projects=("/p",), swap=4
    )
    assert subject({"task": 3, "sink": "x"}, []) == Subject(task=3, sink="x")


@pytest.mark.parametrize(
    ("template", "wrong"),
    [
        ("{task}: {reason} {{as is}} {text}", ""),
        ("{tsak}", "{tsak} is no placeholder"),
        ("{task.__class__}", "no placeholder"),
        ("{task[0]}", "no placeholder"),
        ("{task!r}", "{task!r} is no placeholder"),
        ("{task:>10}", "{task:>10} is no placeholder"),
        ("{}", "no placeholder"),
        ("{task", "is no template"),
        ("task}", "is no template"),
    ],
)
def test_a_template_is_checked_before_it_is_used(template: str, wrong: str) -> None:
    found = objection(template, [*COMMON, "task", "reason"])
    assert wrong in found and bool(found) == bool(wrong)


def test_a_template_is_filled_in_on_one_line() -> None:
    values = {"sessions": ["a", "b"], "until": None, "name": "x\x1b\ny", "shares": {"s": "b"}, "swap": 3, "e": ""}
    assert render("{swap} {sessions} {until} {name} {shares} {e} {{}}", values) == "3 a, b - x\\x1b\\ny s: b - {}"


@given(st.text(max_size=40), st.text(max_size=20))
def test_a_template_that_passes_can_be_filled_in_with_anything(template: str, value: str) -> None:
    if not objection(template, ["text"]):
        assert render(template, {"text": value}).isprintable()
    else:
        with pytest.raises((ValueError, KeyError, IndexError, AssertionError)):
            parts = list(string.Formatter().parse(template))
            assert all(name in (None, "text") and not spec and not how for _, name, spec, how in parts)


def test_severities_have_an_order() -> None:
    assert [takes((Rule(severity="warning"),), "x", "k", one, ABOUT) for one in SEVERITIES] == [False, True, True]
