"""Whether what a session tells of an account's windows is that account's at all.

A session that was moved may still show the figures of the account that it left, and a login that was swapped under it
makes it tell of another's. Both show in the reset times. Yet two accounts may honestly reset in the same second (the
provider rounds to the hour), so the reset times alone decide only against what is known of the account itself.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from failover.core.usage import SAME_PERIOD, Reading, newest


def belongs_to(told: Sequence[Reading], known: Collection[Reading]) -> str:
    """Return the other account whose windows these readings are of, empty when they are their own account's.

    told: what one session told of one account at one moment, all windows of it; known: earlier readings of all
    accounts. They are another's when it has the very same reset time in each window, and either the account's own
    running window resets at another time, or none of the account's is known and the use is the same to the digit as
    well. So an honest coincidence ends with the next turn, or as soon as the account's own window is known.
    """
    dated = {reading.window: reading for reading in told if reading.resets_at is not None}
    others = _sharing(dated.values(), known, same_use=False)
    if not others:
        return ""
    account, at = told[0].account, told[0].observed_ms / 1000
    running = newest((reading for reading in known if reading.account == account), at)
    apart = [
        abs(reading.resets_at - dated[window].resets_at)  # type: ignore[operator]  # dated ones alone are in it
        for (_, window), reading in running.items()
        if window in dated and reading.resets_at is not None
    ]
    if apart:
        return min(others) if max(apart) > SAME_PERIOD else ""
    return min(_sharing(dated.values(), known, same_use=True), default="")


def _sharing(dated: Collection[Reading], known: Collection[Reading], *, same_use: bool) -> set[str]:
    """Return the other accounts that have the reset time (and the use) of each of these readings."""
    found = [
        {
            other.account
            for other in known
            if other.account != one.account
            and (other.window, other.resets_at) == (one.window, one.resets_at)
            and (not same_use or other.used == one.used)
        }
        for one in dated
    ]
    return set.intersection(*found) if found else set()
