"""Which account the sessions should run on. Values in, one decision with its reason out.

Plain policy: accounts in order of priority; a swap begins when a window of the account in use reaches its threshold;
the target must be below its own thresholds by at least `margin`; between two swaps lies a cool-down, unless the
account in use is spent. Unknown never starts a swap.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec

from failover.core.choice import (
    Candidate,
    Decision,
    IdleSessions,
    Load,
    Rules,
    Stay,
    Strategy,
    Swap,
    Use,
    Verdict,
)
from failover.core.forecast import Forecast
from failover.core.session import SessionState

__all__ = [
    "Candidate", "Decision", "Forecast", "IdleSessions", "Load", "Rules", "Stay", "Strategy", "Swap", "Use", "Verdict",
    "choose", "crossed", "decide", "earliest_reset", "instead", "needs", "spoken_against",
]  # fmt: skip

#: The cool-down of a spent account (seconds).
SPENT_COOLDOWN = 10.0


def decide(accounts: Sequence[Candidate], rules: Rules) -> Decision:
    """Return what to do now. The order of `accounts` does not matter."""
    if rules.paused:
        return Stay("paused by the operator")
    if rules.swapping:
        return Stay("a swap is open")
    pressed = sorted(
        (crossing for crossing in map(crossed, accounts) if crossing), key=lambda c: (-c.over, c.account.name)
    )
    if not pressed:
        return Stay("every account in use is below its thresholds")
    worst = pressed[0]
    # A spent account cannot wait out the cool-down; yet what was just tried is not tried again at once.
    cooldown = min(rules.cooldown, SPENT_COOLDOWN) if worst.spent else rules.cooldown
    if rules.since_swap is not None and rules.since_swap < cooldown:
        return Stay(f"{worst.text}; cooling down for {cooldown - rules.since_swap:.0f} s", worst.account.name)
    target = choose(worst.account, accounts, rules.margin)
    if target is None:
        until = earliest_reset(accounts)
        return Stay(f"{worst.text}; no account can take its sessions", worst.account.name, True, until)
    reset = worst.resets_at
    if not worst.spent and not target.readings and reset is not None and reset - rules.now < rules.wait_if_reset_within:
        left = reset - rules.now
        return Stay(f"{worst.text}; it resets in {left:.0f} s and no other is known to be better", worst.account.name)
    return Swap(
        worst.account.name,
        target.name,
        "hard" if worst.spent else "soft",
        f"{worst.text}; {target.name} {_room(target)}",
    )


class Crossing(msgspec.Struct, frozen=True):
    """A window of an account in use at or above its threshold. over: percent points above it."""

    account: Candidate
    window: str
    over: float
    spent: bool
    resets_at: int | None
    text: str


def crossed(account: Candidate) -> Crossing | None:
    """Return the window that most exceeds its threshold, if the account is in use and any does."""
    if not account.in_use:
        return None
    found = [
        Crossing(
            account,
            window,
            reading.used - account.thresholds[window],
            reading.used >= 100,
            reading.resets_at,
            f"{account.name} is at {reading.used:g} % of its {window} window"
            f" (threshold {account.thresholds[window]:g} %)",
        )
        for window, reading in account.readings.items()
        if window in account.thresholds and reading.used >= account.thresholds[window]
    ]
    return max(found, key=lambda c: (c.spent, c.over, c.window), default=None)


def choose(source: Candidate, accounts: Sequence[Candidate], margin: float) -> Candidate | None:
    """Return the account to move to: the most preferred with room, else one whose use is not known, else None."""
    others = sorted(
        (a for a in accounts if a.enabled and a.name != source.name and not spoken_against(a, margin)),
        key=lambda a: (not a.readings, a.priority, a.name),
    )
    return others[0] if others else None


def instead(source: str, accounts: Sequence[Candidate], refused: Collection[str], margin: float) -> Candidate | None:
    """Return another account to move to when those `refused` turned out to be no targets, None when there is none."""
    leaving = next((account for account in accounts if account.name == source), None)
    return choose(leaving, [a for a in accounts if a.name not in refused], margin) if leaving else None


def needs(state: SessionState, idle_sessions: IdleSessions, task_waits: bool) -> bool:
    """Say whether a session has to leave an account at its threshold.

    idle_sessions: what is done with those at rest: move them with the others; lazy: only when there is work for them
    (`task_waits`: a task of their project); leave them. One that begins a turn is at rest no more.
    """
    if state != "idle" or idle_sessions == "move":
        return True
    return idle_sessions == "lazy" and task_waits


def spoken_against(account: Candidate, margin: float) -> str:
    """Return why an account is no target, empty when it is one."""
    if account.trouble:
        return account.trouble
    for window, reading in sorted(account.readings.items()):
        limit = account.thresholds.get(window)
        if limit is not None and reading.used > limit - margin:
            return f"{account.name} is at {reading.used:g} % of {window}, less than {margin:g} below {limit:g} %"
    return ""


def earliest_reset(accounts: Sequence[Candidate]) -> int | None:
    """Return when the first of the windows at their threshold opens again (epoch seconds), None when unknown."""
    resets = [
        reading.resets_at
        for account in accounts
        for window, reading in account.readings.items()
        if reading.resets_at is not None and reading.used >= account.thresholds.get(window, 100.0)
    ]
    return min(resets, default=None)


def _room(account: Candidate) -> str:
    if not account.readings:
        return "has no reading, so nothing speaks against it"
    return "has " + ", ".join(f"{w} {r.used:g} %" for w, r in sorted(account.readings.items()))
