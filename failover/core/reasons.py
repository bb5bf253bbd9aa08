"""What was made of each account, and why: the reasons of every decision, also of the one to stay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from failover.core.choice import Candidate, Rules, Verdict
from failover.core.target import against, room, spoken_against


def weigh(
    accounts: Sequence[Candidate],
    rules: Rules,
    source: Candidate | None = None,
    going: Mapping[str, int] | None = None,
    reason: str = "",
) -> tuple[Verdict, ...]:
    """Return a verdict on each account, in order of priority.

    source: the account that should be left, None when none; going: how many of its sessions go where, empty when they
    stay; reason: what the decision says of the source.
    """
    return tuple(
        _verdict(one, rules, source, going or {}, reason)
        for one in sorted(accounts, key=lambda one: (one.priority, one.name))
    )


def _verdict(one: Candidate, rules: Rules, source: Candidate | None, going: Mapping[str, int], reason: str) -> Verdict:
    if one is source:
        return Verdict(one.name, "left" if going else "kept", reason)
    if one.name in going:
        return Verdict(one.name, "taken", f"{one.name} {room(one)}; {going[one.name]} sessions go there")
    if source is None and one.in_use:
        return Verdict(one.name, "kept", f"{one.name} {room(one)}{_outlook(one, rules.now)}")
    if why := against(source, one, rules) if source else spoken_against(one, rules.margin):
        return Verdict(one.name, "refused", why)
    return Verdict(one.name, "possible", f"{one.name} {room(one)}")


def _outlook(account: Candidate, now: float) -> str:
    """Return when an account that stays in use is expected to have to be left, in words; empty when it is not."""
    expected = [(told.crosses, window) for window, told in account.forecasts.items() if told.crosses is not None]
    if not expected:
        return ""
    at, window = min(expected)
    return f"; its {window} window is expected at the threshold in {max(0.0, at - now):.0f} s"
