"""What is brought back after a crash, what is a person's to decide, and what is left alone because it may live."""

from __future__ import annotations

from typing import Any

import pytest

from failover.core.attempt import Progress, follow
from failover.core.notice import Notice, notice
from failover.core.restore import AGAIN_AFTER, MOST_TRIES, PASSES_WITHIN, Found, by_itself, is_lost, keeps_task, ordered
from failover.core.task import Task


def found(**fields: Any) -> Found:
    """Return a session that ended with its tmux server and may go on."""
    return Found(**{"pid": 7, "server": "died", "account": "a", "full": "no account has room", **fields})


def itself(may: bool = True, **fields: Any) -> str:
    return by_itself(found(**fields), may).act


def by_order(named: bool = False, **fields: Any) -> str:
    return ordered(found(**fields), named).act


def test_what_ended_with_its_tmux_server_comes_back_by_itself() -> None:
    assert itself() == "restore"
    assert is_lost(found()) and by_itself(found(), True).why == "its tmux server died"


@pytest.mark.parametrize(
    "fields",
    [{"alive": True}, {"wanted": False}, {"server": "lives"}, {"server": "unknown"}, {"pid": 0}, {"configured": False}],
)
def test_what_lives_was_stopped_or_may_be_a_persons_doing_does_not(fields: dict[str, Any]) -> None:
    assert itself(**fields) == "leave"


def test_people_are_told_where_the_configuration_forbids_it_or_it_ends_again_and_again() -> None:
    assert by_itself(found(), may=False).why == "sessions_restart is never"
    assert itself(may=False) == "give_up"
    assert itself(tries=MOST_TRIES - 1, rested=AGAIN_AFTER) == "restore"
    assert itself(tries=MOST_TRIES, rested=AGAIN_AFTER) == "give_up"
    assert itself(tries=1, rested=AGAIN_AFTER - 1) == "wait"


@pytest.mark.parametrize("fields", [{"elsewhere": (9,)}, {"occupied": 9}, {"folder": False}])
def test_what_may_pass_is_waited_for_and_then_told(fields: dict[str, Any]) -> None:
    assert itself(**fields, waited=0.0) == "wait"
    assert itself(**fields, waited=PASSES_WITHIN) == "give_up"
    assert by_order(**fields) == "refuse"


def test_an_account_with_room_is_waited_for_without_end() -> None:
    assert itself(account="", waited=PASSES_WITHIN * 1000) == "wait"
    assert ordered(found(account=""), named=False).why == "no account has room"


def test_an_order_brings_back_what_crashed_whatever_became_of_its_server() -> None:
    for server in ("died", "lives", "unknown"):
        assert by_order(server=server, tries=MOST_TRIES) == "restore"
    assert ordered(found(server="lives"), named=False).why == "its process ended"


def test_an_order_leaves_alone_what_runs_was_stopped_or_is_unknown() -> None:
    assert by_order(alive=True) == by_order(wanted=False) == by_order(configured=False) == "leave"
    assert by_order(alive=True, named=True) == "leave"


def test_a_session_that_a_person_closed_comes_back_only_by_its_name() -> None:
    assert by_order(server="lives", closed=True) == "leave"
    assert by_order(server="lives", closed=True, named=True) == "restore"


def test_a_task_stays_with_a_session_that_will_be_brought_back() -> None:
    assert keeps_task(lost=True, may=True, given_up=False)
    assert keeps_task(lost=True, may=False, given_up=True), "the operator said that a person does it"
    assert not keeps_task(lost=True, may=True, given_up=True)
    assert not keeps_task(lost=False, may=True, given_up=False)


def test_the_task_of_a_lost_session_waits_for_it_but_not_beyond_its_time() -> None:
    task = Task(id=1, name="t", project="/p", state="running", attempt=1, max_attempts=2, timeout=100.0)
    assert follow(task, Progress(lost=True, running_for=99.0)).verb == "wait"
    assert follow(task, Progress(lost=True, gone=True, running_for=99.0)).verb == "wait"
    assert follow(task, Progress(lost=True, running_for=100.0)).verb == "again"
    assert follow(task, Progress(lost=True, ended="Stop", settled=True)).verb == "done", "it had ended before"


def test_people_are_told_what_comes_back_and_what_does_not() -> None:
    began = {"swap": 1, "source": "a", "target": "", "sessions": ["x", "y"], "reason": "their tmux server died"}
    said = notice("swap.started", {**began, "kind": "restore"}, str)
    assert said == Notice("warning", "2 sessions are brought back: their tmux server died.")
    lost = notice("session.lost", {"sessions": ["x"], "why": {"x": "evil\x1b[31m"}}, str)
    assert lost is not None and lost.severity == "critical" and "claude-failover sessions restore" in lost.text
    assert "\x1b" not in lost.text
