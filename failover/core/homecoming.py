"""What is put right when an account has room again: what a limit cut off is continued, what is at rest goes home.

Home is the account that a person chose for a session, else the one that the configuration ties it to, else (with the
strategy `priority`) whichever is most preferred and has room. No more go home at once than it can carry (bill.py).

While some week is short (used faster than it passes), who has no home of its own stays where the week is further behind
its time: what is left of that would be lost, and the preferred account's would be missing later.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import msgspec

from failover.core.bill import carry
from failover.core.choice import Candidate, Load, Rules, Swap, Verdict
from failover.core.pressure import lead
from failover.core.session import SessionState
from failover.core.target import spoken_against, used_up

#: Seconds after a reset in which the binary may go on by itself (measured on 2.1.330: a session that a 5-hour limit
#: stopped sends a prompt of its own at the reset; one that a weekly limit stopped waits in a menu for ever). Who then
#: still stands is continued.
CONTINUE_AFTER = 30.0

_WEEK = 7 * 86400.0


class Seat(msgspec.Struct, frozen=True, kw_only=True):
    """A running session.

    home: the account that it belongs to, empty for the most preferred one; limit_resets: when the limit that stopped it
    ends (epoch seconds, 0: not known); asks: it waits in a menu; tokens: of context that another account writes to its
    cache anew (0: not known).
    """

    session: str
    account: str
    state: SessionState
    home: str = ""
    limit_resets: int = 0
    asks: bool = False
    tokens: int = 0


def continued(accounts: Sequence[Candidate], seats: Sequence[Seat], rules: Rules) -> Swap | None:
    """Return which sessions should be started again where they are, since the limit that stopped them has passed."""
    if rules.since_continued is not None and rules.since_continued < rules.cooldown:
        return None
    views = {account.name: account for account in accounts}
    ready: defaultdict[str, list[str]] = defaultdict(list)
    for seat in seats:
        over = seat.limit_resets and rules.now - seat.limit_resets >= (0 if seat.asks else CONTINUE_AFTER)
        if seat.state == "limited" and over and not used_up(views[seat.account], accounts, rules):
            ready[seat.account].append(seat.session)
    if not ready:
        return None
    account, sessions = max(sorted(ready.items()), key=lambda pair: len(pair[1]))
    reason = f"the limit of {account} that stopped them has passed"
    return Swap(account, account, "soft", reason, tuple(sessions), verdicts=(Verdict(account, "kept", reason),))


def fail_back(accounts: Sequence[Candidate], seats: Sequence[Seat], rules: Rules) -> Swap | None:
    """Return which sessions at rest should go home, since their home has room again."""
    if not rules.fail_back or (rules.since_swap is not None and rules.since_swap < rules.cooldown):
        return None
    views = {account.name: account for account in accounts}
    ready: defaultdict[tuple[str, str], list[Load]] = defaultdict(list)
    for seat in seats:
        if seat.state == "idle" and (home := _home(seat, views, rules)):
            ready[seat.account, home].append(Load(session=seat.session, tokens=seat.tokens))
    carried = {pair: tuple(carry(loads, [views[pair[1]]]).shares) for pair, loads in ready.items()}
    if not any(carried.values()):
        return None
    (source, target), sessions = max(sorted(carried.items()), key=lambda pair: len(pair[1]))
    reason = f"{target} has room again and is preferred"
    verdicts = (Verdict(source, "left", reason), Verdict(target, "taken", reason))
    return Swap(source, target, "idle", reason, tuple(sorted(sessions)), verdicts=verdicts)


def _home(seat: Seat, views: Mapping[str, Candidate], rules: Rules) -> str:
    """Return the account that a session should go back to, empty when it is at home or home has no room."""
    current = views[seat.account]
    short = any(one.enabled and _behind(one, rules.now) < -rules.margin for one in views.values())
    if seat.home:
        homes = [views[seat.home]]
    elif rules.strategy == "priority":
        homes = sorted((v for v in views.values() if _rank(v) < _rank(current)), key=lambda v: (*_rank(v), v.name))
    else:
        homes = []
    for home in homes:
        # Not known is no room: nothing is moved onto an account of which nothing was ever read.
        known = home.readings or home.opened
        if home.name == seat.account or not known or (home.paid and not seat.home):
            continue
        if spoken_against(home, rules.margin) or _soon_left(home, rules):
            continue
        if seat.home or not short or _behind(home, rules.now) >= _behind(current, rules.now):
            return home.name
    return ""


def _rank(account: Candidate) -> tuple[bool, bool, int]:
    return account.paid, account.standby, account.priority


def _behind(account: Candidate, now: float) -> float:
    """Return by how much less a week of an account is used than it has passed (percent points; negative: more), of
    several the one that is shortest; 0 where none is known."""
    return min(
        (
            100 * (1 - (reading.resets_at - now) / _WEEK) - reading.used
            for window, reading in account.counting
            if window.startswith("seven_day") and reading.resets_at is not None
        ),
        default=0.0,
    )


def _soon_left(account: Candidate, rules: Rules) -> bool:
    """Say whether an account is expected to be at a threshold within a cool-down: who came would have to leave."""
    ahead = max(rules.cooldown, lead(account, rules)) if rules.forecast else 0.0
    return any(told.crosses is not None and told.crosses - rules.now < ahead for told in account.forecasts.values())
