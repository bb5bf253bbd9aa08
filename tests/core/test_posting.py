"""What a sink is sent next: singly, together, or not yet."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from failover.core.notice import SEVERITIES
from failover.core.posting import Digest, Parcel, Plan, Quiet, Waiting, back_off, is_quiet, plan, sent, summary

NIGHT = Quiet(begin=22 * 60, end=7 * 60, zone="UTC")
DIGEST = Digest(more_than=3, within=60.0)
NOON, MIDNIGHT = 12 * 60, 0
T = 1_800_000_000_000


def waits(*severities: str, held: bool = False, at: int = T) -> list[Waiting]:
    return [
        Waiting(id=number, at_ms=at, severity=severity, text=f"n{number}", held=held)  # type: ignore[arg-type]
        for number, severity in enumerate(severities, 1)
    ]


def planned(waiting: list[Waiting], *recent: int, quiet: Any = None, digest: Any = None, minute: int = NOON,
            now: int = T) -> Plan:  # fmt: skip
    return plan(waiting, recent, quiet, digest, minute=minute, now_ms=now)


def test_without_more_ado_each_goes_by_itself_in_order() -> None:
    assert planned(waits("info", "critical")) == Plan(parcels=(Parcel((1,)), Parcel((2,))))
    assert planned([], digest=DIGEST) == Plan()


@pytest.mark.parametrize(("minute", "quiet"), [(22 * 60 - 1, False), (22 * 60, True), (0, True), (7 * 60 - 1, True),
                                               (7 * 60, False)])  # fmt: skip
def test_quiet_hours_go_over_midnight(minute: int, quiet: bool) -> None:
    assert is_quiet(NIGHT, minute) is quiet and not is_quiet(None, minute)
    day = Quiet(begin=7 * 60, end=22 * 60, zone="UTC")
    assert is_quiet(day, minute) is not quiet


def test_in_quiet_hours_only_what_is_bad_enough_is_sent() -> None:
    found = planned(waits("info", "critical", "warning"), quiet=NIGHT, minute=MIDNIGHT)
    assert found == Plan(parcels=(Parcel((2,)),), hold=(1, 3))
    assert planned(waits("info", held=True), quiet=NIGHT, minute=MIDNIGHT) == Plan()


def test_what_was_held_is_sent_as_one_digest_with_what_came_behind_it() -> None:
    waiting = [*waits("info", "warning", held=True), Waiting(id=3, at_ms=T, severity="info", text="later")]
    assert planned(waiting, quiet=NIGHT) == Plan(parcels=(Parcel((1, 2, 3), digest=True),))
    assert planned(waits("info", held=True), quiet=NIGHT) == Plan(parcels=(Parcel((1,)),)), "one is no digest"


def test_the_first_few_go_singly_and_the_rest_of_the_window_together() -> None:
    first = planned(waits("info", "info"), digest=DIGEST)
    assert first == Plan(parcels=(Parcel((1,)), Parcel((2,))))
    recent = [T - 10_000, T - 5000]
    assert planned(waits("info", "info"), *recent, digest=DIGEST) == Plan(), "they would be four"
    assert planned(waits("info"), *recent, digest=DIGEST) == Plan(parcels=(Parcel((1,)),))
    late = planned(waits("info", "info", at=T - 60_000), *recent, digest=DIGEST)
    assert late == Plan(parcels=(Parcel((1, 2), digest=True),))
    assert planned(waits("info", at=T - 60_000), T, T, T, digest=DIGEST) == Plan(parcels=(Parcel((1,)),))


def test_a_burst_after_silence_is_summed_up_at_once() -> None:
    assert planned(waits(*["info"] * 50), digest=DIGEST).parcels[0] == Parcel(tuple(range(1, 51)), digest=True)


def test_a_critical_notice_waits_for_no_window_and_takes_the_others_along() -> None:
    recent = [T - 1] * 3
    assert planned(waits("info", "critical"), *recent, digest=DIGEST) == Plan(parcels=(Parcel((1, 2), digest=True),))
    assert planned(waits("critical"), *recent, digest=DIGEST) == Plan(parcels=(Parcel((1,)),))


def test_a_digest_uses_up_its_window() -> None:
    assert sent([T - 90_000, T - 1], Parcel((1,)), DIGEST, T) == [T - 1, T]
    assert sent([T - 1], Parcel((1, 2), digest=True), DIGEST, T) == [T, T, T]
    assert sent([T], Parcel((1,)), None, T) == []


def test_a_clock_that_is_set_does_not_hold_anything_for_ever() -> None:
    ahead = waits("info", "info", at=T + 10**9)
    assert planned(ahead, T, T, T, digest=DIGEST).parcels
    assert planned(waits("info"), *[T + 10**9] * 3, digest=DIGEST).parcels


def test_a_summary_counts_and_names_the_worst_first() -> None:
    severity, text = summary(waits("info", "warning", "critical", *["info"] * 12))
    lines = text.splitlines()
    assert severity == "critical" and lines[0] == "15 notices: 1 critical, 1 warning, 13 info"
    assert lines[1:4] == ["- critical: n3", "- warning: n2", "- info: n1"]
    assert len(lines) == 12 and lines[-1] == "- and 5 more: claude-failover events"
    long = Waiting(id=1, at_ms=T, severity="info", text="x" * 999)
    assert len(summary([long] * 20)[1]) < 4096 and "x…\n" in summary([long] * 2)[1]
    assert summary(waits("info", "info")) == ("info", "2 notices: 2 info\n- info: n1\n- info: n2")


def test_tries_grow_apart_to_a_limit_and_do_not_come_in_step() -> None:
    assert [back_off(failures, 1.0) for failures in (1, 2, 3, 99)] == [2.0, 4.0, 8.0, 300.0]
    assert back_off(1, 0.0) == 1.0


severities = st.sampled_from(SEVERITIES)
steps = st.lists(
    st.tuples(st.integers(0, 90_000), st.lists(severities, max_size=5), st.integers(0, 1439)), min_size=1, max_size=30
)


@given(steps, st.sampled_from([None, NIGHT]), st.sampled_from([None, DIGEST]))
def test_nothing_is_lost_or_doubled_and_outside_of_quiet_hours_all_goes_in_order(
    story: list[tuple[int, list[Any], int]], quiet: Quiet | None, digest: Digest | None
) -> None:
    now, number = T, 0
    waiting: list[Waiting] = []
    recent: list[int] = []
    out: list[int] = []
    for pause, new, minute in [*story, (10**6, [], NOON), (10**6, [], NOON)]:
        now += pause
        for severity in new:
            number += 1
            waiting.append(Waiting(id=number, at_ms=now, severity=severity, text=""))
        found = plan(waiting, recent, quiet, digest, minute=minute, now_ms=now)
        for parcel in found.parcels:
            assert list(parcel.ids) == sorted(parcel.ids) and parcel.digest == (len(parcel.ids) > 1)
            out += parcel.ids
            recent = sent(recent, parcel, digest, now)
        gone = set(out)
        waiting = [
            Waiting(id=one.id, at_ms=one.at_ms, severity=one.severity, text="", held=one.held or one.id in found.hold)
            for one in waiting
            if one.id not in gone
        ]
        assert len(recent) <= DIGEST.more_than
    assert sorted(out) == list(range(1, number + 1)) and not waiting
    if quiet is None:
        assert out == sorted(out)
