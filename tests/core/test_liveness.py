"""Whether a role is in trouble."""

from __future__ import annotations

from failover.core.liveness import GONE_FOR, LOOP, LOOP_MS, WELL_MS, Failing, verdict

NOW = 10_000_000


def test_a_role_that_is_gone_for_long_does_not_run() -> None:
    assert verdict([], NOW, GONE_FOR - 1, False) is None
    assert verdict([], NOW, GONE_FOR, False) == Failing(0)
    assert verdict([], NOW, 0.0, True) == Failing(0), "it is not back yet"
    assert verdict([], NOW, None, True) is None


def test_a_role_that_is_started_over_and_over_is_in_a_loop() -> None:
    starts = [NOW - 1000 * number for number in range(LOOP)]
    assert verdict(starts[1:], NOW, None, False) is None
    assert verdict(starts, NOW, None, False) == Failing(LOOP)
    assert verdict(starts, NOW + LOOP_MS, None, False) is None
    assert verdict(starts, NOW - 10 * LOOP_MS, None, False) is None, "the clock was set back"


def test_it_is_well_again_when_it_has_run_for_a_while() -> None:
    assert verdict([NOW - WELL_MS + 1], NOW, None, True) == Failing(1)
    assert verdict([NOW - WELL_MS], NOW, None, True) is None
