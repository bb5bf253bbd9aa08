"""Whether what a session tells of an account's windows is that account's at all.

A session that was moved may still show the figures of the account that it left, and a login that was swapped under it
makes it tell of another's. Both show in the reset times. Yet two accounts may honestly reset in the same second (the
provider rounds to the hour), so the reset times alone decide only against what is known of the account itself.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from failover.core.usage import INEXACT, SAME_PERIOD, Reading, newest


def belongs_to(told: Sequence[Reading], known: Collection[Reading]) -> str:
    """Return the other account whose windows these readings are of, empty when they are their own account's.

    told: what one session told of one account at one moment, all windows of it; known: earlier readings of all
    accounts. They are another's when it has the very same reset time in each window, and either the account's own
    running window resets at another time, or none of the account's is known and they are, to the digit, what this
    session told last of the other. So an honest coincidence ends with the next turn, or as soon as the account's own
    window is known.
    """
    dated = {reading.window: reading for reading in told if reading.resets_at is not None}
    others = _sharing(dated, known)
    if not others:
        return ""
    account, at = told[0].account, told[0].observed_ms / 1000
    running = newest((one for one in known if one.account == account and one.source not in INEXACT), at)
    apart = [
        abs(reading.resets_at - dated[window].resets_at)  # type: ignore[operator]  # dated ones alone are in it
        for (_, window), reading in running.items()
        if window in dated and reading.resets_at is not None
    ]
    if apart:
        return min(others) if max(apart) > SAME_PERIOD else ""
    return min((other for other in others if _repeats(dated, other, known)), default="")


def _sharing(dated: Mapping[str, Reading], known: Collection[Reading]) -> set[str]:
    """Return the other accounts that have the reset time of each of these readings."""
    found = [
        {
            other.account
            for other in known
            if other.account != one.account and (other.window, other.resets_at) == (window, one.resets_at)
        }
        for window, one in dated.items()
    ]
    return set.intersection(*found) if found else set()


def _repeats(dated: Mapping[str, Reading], other: str, known: Collection[Reading]) -> bool:
    """Say whether these readings are the last ones of `other`, one of which this very session told."""
    of_other = (reading for reading in known if reading.account == other and reading.window in dated)
    last = {reading.window: reading for reading in sorted(of_other, key=lambda r: (r.observed_ms, r.used))}
    return all(last[window].used == one.used for window, one in dated.items()) and any(
        last[window].origin == one.origin != "" for window, one in dated.items()
    )
