"""What is put right when an account has room again: what a limit cut off is continued, what is at rest goes home.

Home is the account that a person chose for a session, else the one that the configuration ties it to, else whichever
is most preferred and has room.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import msgspec

from failover.core.policy import Candidate, Rules, Swap, spoken_against
from failover.core.session import SessionState

#: Seconds after a reset in which the binary may go on by itself (measured on 2.1.330: a session that a 5-hour limit
#: stopped sends a prompt of its own at the reset; one that a weekly limit stopped waits in a menu for ever). Who then
#: still stands is continued.
CONTINUE_AFTER = 30.0


class Seat(msgspec.Struct, frozen=True, kw_only=True):
    """A running session.

    home: the account that it belongs to, empty for the most preferred one; limit_resets: when the limit that stopped it
    ends (epoch seconds, 0: not known); asks: it waits in a menu.
    """

    session: str
    account: str
    state: SessionState
    home: str = ""
    limit_resets: int = 0
    asks: bool = False


def continued(accounts: Sequence[Candidate], seats: Sequence[Seat], rules: Rules) -> Swap | None:
    """Return which sessions should be started again where they are, since the limit that stopped them has passed."""
    if rules.since_continued is not None and rules.since_continued < rules.cooldown:
        return None
    views = {account.name: account for account in accounts}
    ready: defaultdict[str, list[str]] = defaultdict(list)
    for seat in seats:
        over = seat.limit_resets and rules.now - seat.limit_resets >= (0 if seat.asks else CONTINUE_AFTER)
        if seat.state == "limited" and over and not _at_threshold(views[seat.account]):
            ready[seat.account].append(seat.session)
    if not ready:
        return None
    account, sessions = max(sorted(ready.items()), key=lambda pair: len(pair[1]))
    return Swap(account, account, "soft", f"the limit of {account} that stopped them has passed", tuple(sessions))


def fail_back(accounts: Sequence[Candidate], seats: Sequence[Seat], rules: Rules) -> Swap | None:
    """Return which sessions at rest should go home, since their home has room again."""
    if not rules.fail_back or (rules.since_swap is not None and rules.since_swap < rules.cooldown):
        return None
    views = {account.name: account for account in accounts}
    ready: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for seat in seats:
        if seat.state == "idle" and (home := _home(seat, views, rules)):
            ready[seat.account, home].append(seat.session)
    if not ready:
        return None
    (source, target), sessions = max(sorted(ready.items()), key=lambda pair: len(pair[1]))
    return Swap(source, target, "idle", f"{target} has room again and is preferred", tuple(sessions))


def _home(seat: Seat, views: Mapping[str, Candidate], rules: Rules) -> str:
    """Return the account that a session should go back to, empty when it is at home or home has no room."""
    current = views[seat.account]
    if seat.home:
        homes = [views[seat.home]]
    else:
        homes = sorted((v for v in views.values() if v.priority < current.priority), key=lambda v: (v.priority, v.name))
    for home in homes:
        # Not known is no room: nothing is moved onto an account of which nothing was ever read.
        known = home.readings or home.opened
        if home.name == seat.account or not home.enabled or not known:
            continue
        if not spoken_against(home, rules.margin):
            return home.name
    return ""


def _at_threshold(account: Candidate) -> bool:
    return any(reading.used >= account.thresholds.get(window, 100.0) for window, reading in account.readings.items())
