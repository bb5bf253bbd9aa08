"""What users of similar tools ran into with usage readings and reset times; each line of it has a test."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from failover.claude.usage_command import Cached, parse, reset_time
from failover.core.policy import Candidate, Rules, Stay, Swap, decide
from failover.core.polling import LONGEST, Ask, Askable, Asked, Pace, Rest, interval, plan
from failover.core.usage import FIVE_HOURS, STATUSLINE, USAGE_COMMAND, Reading, fuse, newest
from failover.errors import HostError

NOW = 1_800_000_000
HOUR, DAY = 3600, 86400
THRESHOLDS = {"five_hour": 90.0, "seven_day": 95.0}
PACE = Pace(least=300, most=3600)


def reading(used: float, at: int = -60, resets: int | None = HOUR, **fields: Any) -> Reading:
    """Return a reading. at, resets: seconds from NOW."""
    base: dict[str, Any] = {"account": "main", "window": "five_hour", "source": STATUSLINE, "origin": "s-0"}
    resets_at = None if resets is None else NOW + resets
    return Reading(used=used, observed_ms=(NOW + at) * 1000, resets_at=resets_at, **{**base, **fields})


def candidate(name: str, readings: list[Reading], now: int = NOW, sessions: int = 0) -> Candidate:
    counting = newest(readings, now)
    return Candidate(
        name=name, priority=1, thresholds=THRESHOLDS, sessions=sessions, in_use=sessions,
        readings={window: one for (account, window), one in counting.items() if account == name},
    )  # fmt: skip


def askable(**fields: Any) -> Askable:
    return Askable(account="a", thresholds=THRESHOLDS, **{"live": False, "readings": {}, **fields})


@pytest.mark.parametrize("minutes", [2, 28, 59])
def test_a_reading_frozen_by_429_is_not_trusted(minutes: int) -> None:
    """claude-swap#208, claude-swap#376, agi-cli#2832: blind for 28 minutes, 45 hours, two weeks."""
    kept = Cached(fetched_at_ms=(NOW - minutes * 60) * 1000, utilization={"five_hour": {"utilization": 5}})
    with pytest.raises(HostError, match="repeated its answer"):
        parse(b'{"result": "Current session: 5% used"}', kept, "a", NOW * 1000, NOW * 1000)


def test_an_expired_window_is_unknown_and_not_empty() -> None:
    """claude-swap#208 and its like: an expired window was shown as 0 %, so work went to exhausted accounts."""
    over = [reading(99, at=-2 * HOUR, resets=-1, account="b")]
    fused = fuse(over, NOW)
    assert fused.counting == {}
    assert fused.opened == {("b", "five_hour")}
    known = [reading(60, account="c", at=-30)]
    decision = decide(
        [candidate("main", [reading(95)], sessions=2), candidate("b", over), candidate("c", known)],
        Rules(margin=10, cooldown=120, now=NOW),
    )
    assert isinstance(decision, Swap)
    assert decision.target == "c", "one of which something is known is taken before the unknown one"


def test_a_few_refusals_do_not_get_the_whole_host_blocked() -> None:
    """claude-swap#322: a few 403s blocked the whole host."""
    fresh = [askable(asked=None)]
    rests = [Pace(least=300, most=3600, host=Asked(119.0, failures)) for failures in (1, 2, 5)]
    assert all(isinstance(plan(fresh, pace), Rest) for pace in rests)
    assert [interval(askable(asked=Asked(0, n)), PACE) for n in (1, 3, 50)] == [600, 2400, LONGEST]


def test_an_idle_accounts_reading_is_not_dropped_while_it_is_true() -> None:
    """orca#18753: an idle account's reading was dropped after 30 minutes although it was still true."""
    week = reading(97, at=-6 * DAY, resets=HOUR, window="seven_day", account="b")
    five = reading(20, at=-4 * HOUR, account="b")
    assert newest([week, five], NOW) == {("b", "seven_day"): week, ("b", "five_hour"): five}


def test_all_spent_clears_since_somebody_looks_after_the_reset() -> None:
    """clauth#2: "all spent" never cleared because nobody scheduled a look after the reset."""
    spent = [reading(100, at=-4 * HOUR, account="a"), reading(10, resets=DAY, window="seven_day", account="a")]
    before = {window: one for (_, window), one in newest(spent, NOW).items()}
    after = {window: one for (_, window), one in newest(spent, NOW + HOUR).items()}
    asked = Asked(1800.0)
    assert isinstance(plan([askable(readings=before, asked=asked)], PACE), Rest)
    assert plan([askable(readings=after, asked=asked)], PACE) == Ask("a", "a has no live session")


def test_a_weekly_counter_that_falls_in_mid_cycle_is_followed_and_noted() -> None:
    """claude-code#52497: the weekly counter fell within its period; the highest use barred the account for days."""
    high = reading(97, at=-2 * HOUR, resets=3 * DAY, window="seven_day")
    fallen = reading(12, resets=3 * DAY, window="seven_day", source=USAGE_COMMAND, origin="")
    fused = fuse([fallen, high], NOW)
    assert fused.counting["main", "seven_day"] is fallen
    assert [note.what for note in fused.notes] == ["fell"]
    pushes = [reading(used, at=-at, resets=3 * DAY, window="seven_day") for used, at in ((12, 300), (13, 60))]
    assert newest([high, *pushes], NOW)["main", "seven_day"] is pushes[-1]


def test_a_weekly_counter_that_fails_to_reset_is_believed_and_noted() -> None:
    """claude-code#85259: the weekly counter did not fall at its reset."""
    old = reading(96, at=-2 * HOUR, resets=-HOUR, window="seven_day")
    still = reading(96, at=-HOUR + 600, resets=7 * DAY - HOUR, window="seven_day", source=USAGE_COMMAND, origin="")
    fused = fuse([old, still], NOW)
    assert fused.counting["main", "seven_day"].used == 96
    assert [note.what for note in fused.notes] == ["did_not_fall"]
    late = reading(96, resets=-HOUR, window="seven_day", source=USAGE_COMMAND, origin="")
    assert newest([old, late], NOW) == {}
    assert [note.what for note in fuse([old, late], NOW).notes] == ["not_reset"]


def at(*parts: int) -> int:
    return int(datetime(*parts, tzinfo=UTC).timestamp())  # type: ignore[arg-type,misc]


@pytest.mark.parametrize("hour", range(24))
def test_a_printed_reset_time_is_never_a_day_late_nor_hours_early(hour: int) -> None:
    """claude-auto-retry#6, claude-code-plugins#2462: printed reset times with zones, a day late, hours early."""
    now = at(2026, 3, 29, hour, 17)  # clocks go forward in Europe on that day
    for ahead in (1, 60, 299):
        ends = now + ahead * 60
        moment = datetime.fromtimestamp(ends, UTC)
        minutes = f":{moment.minute:02}" if moment.minute else ""
        text = f"{moment.hour % 12 or 12}{minutes}{'ap'[moment.hour // 12]}m (UTC)"
        assert reset_time(text, FIVE_HOURS, now) == ends + 59
    assert reset_time("3pm (Europe/Berlin)", FIVE_HOURS, now) is None, "a zone that was not asked for is not guessed at"


def test_whole_reset_times_are_preferred_to_printed_ones() -> None:
    """claude-auto-retry#6: where an exact time is to be had, the banner is not read."""
    utilization = {"five_hour": {"utilization": 50.5, "resets_at": "2027-01-15T10:00:00+02:00"}}
    kept = Cached(fetched_at_ms=NOW * 1000, utilization=utilization)
    text = b'{"result": "Current session: 50% used \xc2\xb7 resets Jan 16, 9pm (UTC)"}'
    (one,) = parse(text, kept, "a", NOW * 1000, NOW * 1000)
    assert one.resets_at == at(2027, 1, 15, 8)


def test_a_stale_reading_neither_starts_nor_prevents_a_swap() -> None:
    """agi-cli#2832, claude-swap#208: what a quiet session still shows of a period that is over changes no decision."""
    rules = Rules(margin=10, cooldown=120, now=NOW)
    now = [reading(10, at=-300, resets=4 * HOUR), reading(10, at=-300, account="b")]
    stale = [
        reading(used, at=-10, resets=-HOUR, account=name, origin="s-9") for used in (0, 100) for name in ("main", "b")
    ]
    for used in (10, 95):
        true = [*now, reading(used, at=-200, resets=4 * HOUR)]
        decisions = [
            decide([candidate("main", known, sessions=1), candidate("b", known)], rules)
            for known in (true, true + stale)
        ]
        assert decisions[0] == decisions[1]
        assert isinstance(decisions[0], Swap if used == 95 else Stay)
