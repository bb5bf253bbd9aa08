"""What people are told."""

from __future__ import annotations

from typing import Any, get_args

import msgspec
import pytest

from failover.core.notice import KINDS, Notice, notice
from failover.events import (
    AccountDisabled,
    AccountEnabled,
    AllExhausted,
    AnyEvent,
    AvailableAgain,
    Event,
    JanitorTroubled,
    LoginExpires,
    NoticesDropped,
    OrderPlaced,
    RoleFailing,
    RoleRecovered,
    RolesPaused,
    RolesResumed,
    SessionDied,
    SessionLaunched,
    SessionStateChanged,
    SinkFailing,
    SinkRecovered,
    SwapFinished,
    SwapStarted,
    TaskBlocked,
    TaskFinished,
    UsageNoted,
    UsageRead,
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


def changed(state: str, account: str = "a") -> SessionStateChanged:
    return SessionStateChanged(session="s1", state=state, was="working", account=account)


def noted(what: str) -> UsageNoted:
    return UsageNoted(account="a", window="five_hour", what=what, sentence="it went wrong")


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
        (AvailableAgain(source="a", reason="they move to b"), "info", "The sessions of a can go on: they move to b."),
        (changed("limited"), "warning", "Session s1 reached the limit of a."),
        (changed("limited", account=""), "warning", "Session s1 reached the limit of its account."),
        (changed("waiting"), "warning", "Session s1 waits for a person: look at its pane."),
        (changed("unknown"), "warning", "It cannot be told what session s1 does: look at its pane."),
        (changed("starting"), "warning", "Session s1 does not come to its prompt: look at its pane."),
        (noted("poll_failed"), "warning", "Usage: it went wrong."),
        (RoleFailing(role="bus", starts=0), "critical", "The role bus does not run: see log/bus.log in the state dir."),
        (RoleFailing(role="bus", starts=7), "critical",
         "The role bus was started 7 times in a short while: see log/bus.log in the state dir."),
        (RoleRecovered(role="bus"), "info", "The role bus runs again."),
        (SinkFailing(sink="tg", waiting=3, reason="refused."), "warning",
         "The sink tg cannot be told (3 waiting): refused."),
        (SinkRecovered(sink="tg"), "info", "The sink tg is told again."),
        (NoticesDropped(sink="tg", count=2, what="notice", since_ms=9000, reason="it was down"), "warning",
         "2 notices of time 9 and later did not reach the sink tg: it was down."),
        (JanitorTroubled(sentence="x: no"), "warning", "The janitor cannot tidy up: x: no."),
    ],
)  # fmt: skip
def test_an_event_becomes_one_sentence(event: Event, severity: Any, text: str) -> None:
    found = of(event)
    assert found is not None and (found.severity, found.text) == (severity, text)


def test_what_went_well_or_concerns_nobody_makes_no_notice() -> None:
    assert of(task("done")) is None
    assert of(OrderPlaced(order=1, verb="swap")) is None
    assert of(changed("idle")) is None and of(noted("fell")) is None
    assert of(SessionLaunched(session="s", account="a", conversation="c", pid=1)) is None
    assert of(UsageRead(account="a", window="five_hour", used=1.0, resets_at=None, source="x")) is None
    for kind in ("swap.retargeted", "role.started"):
        assert notice(kind, {"session": "s"}, str) is None


def test_notices_come_of_events_that_exist() -> None:
    tags = {str(event.__struct_config__.tag) for event in get_args(AnyEvent)}
    assert tags >= set(KINDS) and list(KINDS) == sorted(KINDS)


def test_a_state_on_the_way_through_is_no_news_and_those_of_one_account_meet_its_limit_together() -> None:
    for state in ("unknown", "starting"):
        found = of(changed(state))
        assert found is not None and found.settles > 0 and found.fold == f"s1/{state}"
    here, there = of(changed("limited")), of(msgspec.structs.replace(changed("limited"), session="s2"))
    assert here is not None and there is not None and here.fold == there.fold and not here.settles


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
    text = "Task 3 (t\\x1b) waits for you in session s: permission prompt."
    assert of(waits) == Notice("warning", text, "task.blocked/3")
    begun = SwapStarted(swap=1, source="a", target="a", urgency="idle", sessions=("s",), reason="x", kind="fresh")
    assert of(begun) is None and of(msgspec.structs.replace(finished("failed"), kind="fresh")) is None
