"""Whether an account has to be left: a window at its threshold, or about to be there."""

from __future__ import annotations

import msgspec

from failover.core.choice import Candidate, Load, Rules
from failover.core.usage import Reading

#: How long one session is away while it moves (seconds; measured: 0.8 to 1.5).
_MOVE_TAKES = 1.0


class Pressure(msgspec.Struct, frozen=True):
    """A window of an account in use at its threshold, or expected there before its sessions could have left.

    over: percent points above the threshold; stands: the limit is reached, its sessions can do nothing more; ended: no
    more may be used, be it for a reserve; foreseen: the threshold is not reached yet; hurry: the limit is reached, or
    will be before its sessions are at a boundary; resets_at: epoch seconds; text: the whole in words;
    loads: the sessions that have to leave, as far as they are known one by one.
    """

    account: Candidate
    window: str
    over: float
    stands: bool
    ended: bool
    foreseen: bool
    hurry: bool
    resets_at: int | None
    text: str
    loads: tuple[Load, ...] = ()


def crossed(account: Candidate, rules: Rules) -> Pressure | None:
    """Return the window for which an account most has to be left, if it is in use and there is one."""
    if not account.in_use:
        return None
    found = [one for window, reading in account.counting if (one := _pressure(account, window, reading, rules))]
    return max(found, key=lambda one: (one.stands, one.over, one.window), default=None)


def at_threshold(account: Candidate) -> str:
    """Return which window of an account is at its threshold, in words; empty when none is."""
    for window, reading in account.counting:
        if reading.used >= account.leaves_at(window):
            return (
                f"{account.name} is at {reading.used:g} % of its {window} window (threshold {_limit(account, window)})"
            )
    return ""


def is_ended(account: Candidate) -> bool:
    """Say whether a window of an account is used as far as it may be."""
    return any(reading.used >= account.ends_at(window) for window, reading in account.counting)


def lead(account: Candidate, rules: Rules) -> float:
    """Return how long before its threshold an account has to be left (seconds), 0 when that is not known.

    Its sessions have to reach their boundaries, and be moved, as many at a time as may be away.
    """
    if not rules.forecast or not rules.boundary:
        return 0.0
    return rules.boundary + _MOVE_TAKES * account.in_use / rules.parallel


def _pressure(account: Candidate, window: str, reading: Reading, rules: Rules) -> Pressure | None:
    over = reading.used - account.leaves_at(window)
    text = f"{account.name} is at {reading.used:g} % of its {window} window (threshold {_limit(account, window)})"
    ahead = lead(account, rules)
    if over < 0:
        told = account.forecasts.get(window)
        if not ahead or told is None or told.crosses is None or told.crosses - rules.now > ahead:
            return None
        text += (
            f", at {told.rate:.0f} % an hour there in {told.crosses - rules.now:.0f} s, and leaving takes {ahead:.0f}"
        )
    end = account.limits.get(window)
    near = bool(ahead and end and end.crosses is not None and end.crosses - rules.now <= rules.boundary)
    return Pressure(
        account=account,
        window=window,
        over=over,
        stands=reading.used >= 100,
        ended=reading.used >= account.ends_at(window),
        foreseen=over < 0,
        hurry=reading.used >= 100 or near,
        resets_at=reading.resets_at,
        text=text,
        loads=account.loads,
    )


def _limit(account: Candidate, window: str) -> str:
    limit = account.leaves_at(window)
    return f"{limit:g} %" + (", the rest is reserved" if limit < account.thresholds[window] else "")
