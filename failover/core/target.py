"""Where sessions could go: what speaks against an account, and which of those with room comes first.

In this order: accounts with room, the standby ones after the others; then, only for sessions that would have to stand,
what is left beyond the thresholds; then, if the operator said so, accounts that are paid by use.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from math import inf

from failover.core.choice import Candidate, Rules
from failover.core.pressure import at_threshold, is_ended

#: Less than this (percent points) beyond a threshold is not worth a move: the first answers would take it.
LEAST_LEFT = 2.0


def spoken_against(account: Candidate, margin: float) -> str:
    """Return why an account is no target, empty when it is one."""
    if not account.enabled:
        return f"{account.name} is disabled"
    if account.trouble:
        return account.trouble
    if account.paid and account.use == "never":
        return f"{account.name} is paid by use, and its use is never"
    for window, reading in account.counting:
        limit = account.leaves_at(window)
        if reading.used > limit - margin:
            return f"{account.name} is at {reading.used:g} % of {window}, less than {margin:g} below {limit:g} %"
    return ""


def headroom(account: Candidate) -> float | None:
    """Return how far an account is below its thresholds in the window where it is nearest (percent points), None when
    nothing of it is known."""
    return min((account.leaves_at(window) - reading.used for window, reading in account.counting), default=None)


def against(source: Candidate, account: Candidate, rules: Rules) -> str:
    """Return why sessions of `source` should not go to an account, empty when nothing speaks against it.

    It must be below its thresholds by the margin, and better than the source by the margin too.
    """
    if reason := spoken_against(account, rules.margin):
        return reason
    here, there = headroom(source), headroom(account)
    # A paid account's cap and a subscription's window are not to be compared.
    if here is None or there is None or source.paid or there >= max(here, 0.0) + rules.margin:
        return ""
    return (
        f"{account.name} is {there:g} below its threshold and {source.name} {here:g}: less than {rules.margin:g} better"
    )


def tiers(
    source: Candidate, accounts: Sequence[Candidate], rules: Rules, *, stand: bool, better: bool = True
) -> list[list[Candidate]]:
    """Return the accounts that could take sessions of `source`, in order of choice, those of later resort apart.

    stand: the sessions can do nothing more where they are (or may not); better: only those that are better than the
    source (a person who wants to leave it does not ask that).
    """
    others = [account for account in accounts if account.name != source.name]
    good = [one for one in others if not (against(source, one, rules) if better else spoken_against(one, rules.margin))]
    found = [sorted((one for one in good if not one.paid), key=lambda one: _order(one, rules))]
    if stand:
        left = [one for one in others if one not in good and _left(one) >= LEAST_LEFT]
        found.append(sorted(left, key=lambda one: (one.standby, -_left(one), one.priority, one.name)))
        found.append(sorted((one for one in good if one.paid), key=lambda one: _order(one, rules)))
    return [tier for tier in found if tier]


def instead(source: str, accounts: Sequence[Candidate], refused: Collection[str], rules: Rules) -> Candidate | None:
    """Return another account to move to when those `refused` turned out to be no targets, None when there is none."""
    leaving = next((account for account in accounts if account.name == source), None)
    if leaving is None:
        return None
    others = [account for account in accounts if account.name not in refused]
    found = tiers(leaving, others, rules, stand=is_ended(leaving), better=False)
    return found[0][0] if found else None


def used_up(account: Candidate, accounts: Sequence[Candidate], rules: Rules) -> str:
    """Return why nothing should be begun on an account, empty when it may: it is used as far as it may be, or at its
    threshold while another has room. While none has, what is left beyond the thresholds is used rather than lost."""
    low = at_threshold(account)
    return low if low and (is_ended(account) or tiers(account, accounts, rules, stand=False)) else ""


def preferred(accounts: Sequence[Candidate], rules: Rules) -> Candidate:
    """Return where a session that runs nowhere should start: the first account with room, else the most preferred."""
    usable = [one for one in accounts if one.enabled and not (one.paid and one.use == "never")] or list(accounts)
    return min(usable, key=lambda one: (one.paid, bool(spoken_against(one, rules.margin)), *_order(one, rules)))


def room(account: Candidate) -> str:
    """Return in words what room an account has."""
    if not account.readings:
        return "has no reading, so nothing speaks against it"
    return "has " + ", ".join(f"{window} {reading.used:g} %" for window, reading in account.counting)


def _order(account: Candidate, rules: Rules) -> tuple[bool, int, tuple[float, ...], int, str]:
    """Return what accounts with room are sorted by. What is known comes before what has opened, that before unknown."""
    known = 0 if account.readings else 1 if account.opened else 2
    return account.standby, known, _preference(account, rules), account.priority, account.name


def _preference(account: Candidate, rules: Rules) -> tuple[float, ...]:
    if rules.strategy == "most_headroom":
        return (-(headroom(account) or 0.0),)
    if rules.strategy == "soonest_reset":
        ends = {window: float(one.resets_at) for window, one in account.counting if one.resets_at is not None}
        week = min((end for window, end in ends.items() if window != "five_hour"), default=inf)
        return week, ends.get("five_hour", inf)
    return ()


def _left(account: Candidate) -> float:
    """Return what is left of an account beyond its thresholds (percent points), 0 where it may not be used or nothing
    of it is known."""
    if not account.enabled or account.trouble or account.paid:
        return 0.0
    return min((account.ends_at(window) - reading.used for window, reading in account.counting), default=0.0)
