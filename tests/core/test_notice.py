"""What people are told."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from failover.core.notice import Notice, notice
from failover.events import (
    AccountDisabled,
    AccountEnabled,
    AllExhausted,
    Event,
    LoginExpires,
    OrderPlaced,
    RolesPaused,
    RolesResumed,
    SessionDied,
    SwapFinished,
    SwapStarted,
    TaskBlocked,
    TaskFinished,
    topic,
)


def of(event: Event) -> Notice | None:
    return notice(topic(event), msgspec.to_builtins(event), lambda epoch: f"time {epoch}")


def finished(outcome: str) -> SwapFinished:
    return SwapFinished(
        swap=3, source="a", target="b", outcome=outcome, moved=1, stayed=0, duration_ms=5, sentence="1 moved"
    )


def test_who_was_to_go_home_and_is_at_work_again_is_nothing_to_tell() -> None:
    assert of(msgspec.structs.replace(finished("refused"), urgency="idle")) is None
    assert of(finished("refused")) is not None


def task(outcome: str, session: str = "s1", name: str = "t1") -> TaskFinished:
    return TaskFinished(task=7, name=name, session=session, outcome=outcome, reason="no answer.")


def started(*sessions: str) -> SwapStarted:
    return SwapStarted(swap=3, source="a", target="b", urgency="soft", sessions=sessions, reason="a is at 91 %")


@pytest.mark.parametrize(
    ("event", "severity", "text"),
    [
        (started("s1"), "info", "1 session of a move to b: a is at 91 %."),
        (started("s1", "s2"), "info", "2 sessions of a move to b: a is at 91 %."),
        (finished("done"), "info", "Swap 3 is done: 1 moved."),
        (finished("partial"), "warning", "Swap 3 is partial: 1 moved."),
        (AllExhausted(source="a", until=9, reason="full"), "critical",
         "No account can take the sessions of a: full; the first window opens at time 9."),
        (AllExhausted(source="a", until=None, reason="full"), "critical",
         "No account can take the sessions of a: full."),
        (SessionDied(session="s1", pid=5), "warning", "The process of session s1 ended (pid 5)."),
        (task("failed"), "warning", "Task 7 (t1) failed in session s1: no answer."),
        (task("failed", session=""), "warning", "Task 7 (t1) failed: no answer."),
        (RolesPaused(by="me"), "info", "Paused by me: nothing is started or moved."),
        (RolesResumed(by="me"), "info", "Resumed by me."),
    ],
)  # fmt: skip
def test_an_event_becomes_one_sentence(event: Event, severity: Any, text: str) -> None:
    assert of(event) == Notice(severity, text)


def test_what_went_well_or_concerns_nobody_makes_no_notice() -> None:
    assert of(task("done")) is None
    assert of(OrderPlaced(order=1, verb="swap")) is None


def test_a_name_does_nothing_to_a_terminal() -> None:
    found = of(task("failed", name="\x1b[2Jx\nyé"))
    assert found is not None and found.text.isprintable() and "\\x1b[2Jx\\nyé" in found.text


def test_what_is_said_of_an_account_by_a_person_and_of_its_login() -> None:
    off = AccountDisabled(account="b", until_ms=5000, by="ann")
    assert of(off) == Notice("info", "Account b is disabled by ann until time 5: nothing is moved to it.")
    off = msgspec.structs.replace(off, until_ms=None)
    assert of(off) == Notice("info", "Account b is disabled by ann: nothing is moved to it.")
    assert of(AccountEnabled(account="b", by="ann")) == Notice("info", "Account b is enabled again by ann.")
    assert of(LoginExpires(account="b", expires_at=7)) == Notice(
        "warning", "The login of account b expires at time 7: log in there anew."
    )


def test_a_task_that_waits_for_a_person_is_a_warning_and_a_new_start_is_no_news() -> None:
    waits = TaskBlocked(task=3, name="t\x1b", session="s", waiting_for="permission prompt")
    assert of(waits) == Notice("warning", "Task 3 (t\\x1b) waits for you in session s: permission prompt.")
    begun = SwapStarted(swap=1, source="a", target="a", urgency="idle", sessions=("s",), reason="x", kind="fresh")
    assert of(begun) is None and of(msgspec.structs.replace(finished("failed"), kind="fresh")) is None
