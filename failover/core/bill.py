"""The bill of a move: what the contexts that are cached anew take of an account's windows, and how many it can carry.

Each session's first request on another account writes its whole context to that account's cache. Thirty of them can
take a third of a fresh window before any work is done. So the contexts that come at once take at most a share of the
room; the rest goes to the next account, or stays and is looked at again.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from failover.core.choice import Candidate, Load

#: The contexts that come to an account in one swap may take so much of its room; the rest is for work.
SHARE = 0.5


class Plan(msgspec.Struct, frozen=True):
    """Who goes where. shares: session → account; left: those that no account can carry now; bills: account → percent
    points of the window on which its sessions' contexts weigh most, where that is known."""

    shares: dict[str, str]
    left: tuple[str, ...]
    bills: dict[str, float]

    @property
    def going(self) -> dict[str, int]:
        """Return how many sessions go to each account, in the order of choice."""
        return {name: count for name in self.bills if (count := list(self.shares.values()).count(name))}

    @property
    def target(self) -> str:
        """Return the account that most go to, empty when nobody goes anywhere."""
        going = self.going
        return max(going, key=lambda name: going[name], default="")

    @property
    def elsewhere(self) -> dict[str, str]:
        """Return the account of each session that does not go to the target."""
        return {session: name for session, name in sorted(self.shares.items()) if name != self.target}

    @property
    def sessions(self) -> tuple[str, ...]:
        """Return the sessions that go, empty when all do."""
        return tuple(sorted(self.shares)) if self.left else ()


def carry(loads: Sequence[Load], targets: Sequence[Candidate]) -> Plan:
    """Return how the loads are spread over the targets: each to the first that can carry it, the small ones first.

    A target whose costs are not learned carries all.
    """
    shares: dict[str, str] = {}
    left: list[str] = []
    tokens = {target.name: float(target.owed) for target in targets}
    for load in sorted(loads, key=lambda one: (one.tokens, one.session)):
        for target in targets:
            if tokens[target.name] + load.tokens <= capacity(target) or not load.tokens:
                shares[load.session] = target.name
                tokens[target.name] += load.tokens
                break
        else:
            left.append(load.session)
    bills = {target.name: _points(target, tokens[target.name] - target.owed) for target in targets}
    return Plan(shares, tuple(left), bills)


def billed(plan: Plan, target: Candidate) -> str:
    """Return in words what the contexts take of the target, who goes elsewhere, and who stays; empty for nothing."""
    words = f", of which their contexts take about {plan.bills[target.name]:.1f} %" if plan.bills[target.name] else ""
    others = [f"{count} go to {name}" for name, count in plan.going.items() if name != target.name]
    if others:
        words += f"; that is too much for it alone, so {', '.join(others)}"
    if plan.left:
        words += f"; {len(plan.left)} stay until there is room for their contexts"
    return words


def capacity(target: Candidate) -> float:
    """Return how many tokens of context may come to an account at once; infinite where its costs are not known."""
    return min(
        (
            SHARE * max(0.0, _room(target, window, reading.used)) * target.tokens_per_point[window]
            for window, reading in target.counting
            if window in target.tokens_per_point
        ),
        default=float("inf"),
    )


def _room(target: Candidate, window: str, used: float) -> float:
    """Return the percent points up to the threshold; beyond it, those that are left (see `tiers`)."""
    below = target.leaves_at(window) - used
    return below if below > 0 else target.ends_at(window) - used


def _points(target: Candidate, tokens: float) -> float:
    costs = [cost for window, cost in target.tokens_per_point.items() if window in target.readings]
    return tokens / min(costs) if costs else 0.0
