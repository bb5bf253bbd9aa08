"""What is known of each account's windows. A reading counts only while its window's period lasts.

Past its reset a reading is void, which is not the same as zero: the window is then unknown until somebody reads it. An
account that nobody uses spends nothing, so a reading is never dropped for its age alone.

Within a period use grows. A sudden fall, or another period while one still runs, is believed when it is proven: by a
source that asks or was refused by the provider at that moment, or by two figures in a row of one session (the second
request began after the first was answered, so neither is old). The rules in words: docs/usage.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

import msgspec

#: The windows that every subscription has, by the names that the binary uses (statusline, 2.1.330).
WINDOWS = ("five_hour", "seven_day")

#: Weekly windows of one model are named seven_day_<model>, as `seven_day_sonnet`. `seven_day_oauth_apps` is no model's
#: and tells of other programs.
_WINDOW = re.compile(r"five_hour|seven_day|seven_day_(?!oauth_apps$)[a-z0-9_]{1,40}")

#: Two reset times at most this far apart (seconds) speak of one period: the provider computes them per answer.
SAME_PERIOD = 120

#: Use that is lower by no more than this (percentage points) is no fall: answers of one moment differ so.
JITTER = 2.0

#: When a weekly window counts as not having fallen at its reset: from this use on (percent), read this soon (seconds).
_FULL, _SOON = 10.0, 3600

FIVE_HOURS = 5 * 3600
SEVEN_DAYS = 7 * 86400

#: Sources. A statusline shows what its session was last told; the usage command asks the provider now; what that
#: command only printed has whole percents, minutes and no year.
STATUSLINE = "statusline"
LIMIT_RECORD = "limit record"
USAGE_COMMAND = "claude -p /usage"
PRINTED = "claude -p /usage (printed)"
OPERATOR = "operator's command"

#: A reading of these is the provider's own word of that very moment.
PROOFS = frozenset({LIMIT_RECORD, USAGE_COMMAND})
#: Whether these speak of this moment is not known, nor how they round.
INEXACT = frozenset({PRINTED, OPERATOR})


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """One observation. used: percent of the window; resets_at: epoch seconds, None when it is not known for sure;
    observed_ms: when the figure was true (epoch milliseconds); origin: the session that told it, if one did."""

    account: str
    window: str
    used: float
    resets_at: int | None
    observed_ms: int
    source: str
    origin: str = ""


def is_window(name: str) -> bool:
    """Say whether `name` is a window of a subscription: five_hour, seven_day, or seven_day_<model> in lower case."""
    return _WINDOW.fullmatch(name) is not None


def length(window: str) -> int:
    """Return how long a period of the window lasts at most (seconds)."""
    return FIVE_HOURS if window == "five_hour" else SEVEN_DAYS


def void_at(reading: Reading) -> float:
    """Return when the period that `reading` speaks of is over (epoch seconds).

    Without a sure reset time that is when the reading is as old as its window is long: no period outlives that.
    """
    if reading.resets_at is not None:
        return reading.resets_at
    return reading.observed_ms / 1000 + length(reading.window)


def is_void(reading: Reading, now: float) -> bool:
    """Say whether the period that `reading` speaks of is over. now: epoch seconds."""
    return void_at(reading) <= now


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """Something odd that the readings show, and what was made of it.

    what: fell (use went down within its period) | moved (another period began while one still ran) | did_not_fall (a
    new period began as full as the old one ended) | not_reset (the provider still tells of a period that is over).
    """

    account: str
    window: str
    what: Literal["fell", "moved", "did_not_fall", "not_reset"]
    sentence: str


class Fused(msgspec.Struct, frozen=True):
    """What readings come to. counting: what counts of each (account, window); opened: those of which nothing counts,
    since the period that was last read is over; notes: what was odd on the way."""

    counting: dict[tuple[str, str], Reading]
    opened: frozenset[tuple[str, str]]
    notes: tuple[Note, ...]


def fuse(readings: Iterable[Reading], now: float) -> Fused:
    """Return the reading that counts for each (account, window), whatever order they come in. now: epoch seconds."""
    folds: dict[tuple[str, str], _Fold] = {}
    notes: list[Note] = []
    for reading in sorted(readings, key=lambda r: (r.observed_ms, r.used, r.resets_at or 0, r.source, r.origin)):
        fold = folds.setdefault((reading.account, reading.window), _Fold())
        if note := fold.take(reading):
            notes.append(note)
    counting = {key: best for key, fold in folds.items() if (best := fold.counting(now))}
    return Fused(counting, frozenset(folds.keys() - counting.keys()), tuple(notes))


def newest(readings: Iterable[Reading], now: float) -> dict[tuple[str, str], Reading]:
    """Return the reading that counts for each (account, window). now: epoch seconds."""
    return fuse(readings, now).counting


def opened(readings: Iterable[Reading], now: float) -> frozenset[tuple[str, str]]:
    """Return the (account, window) pairs of which nothing counts now, since the period that was last read is over."""
    return fuse(readings, now).opened


class _Fold:
    """The readings of one window, taken in the order in which they were observed."""

    def __init__(self) -> None:
        self._best: Reading | None = None
        self._doubted: list[Reading] = []  # contradict the best one, not proven yet

    def counting(self, now: float) -> Reading | None:
        """Return what counts now; when the best is over, what was doubted beside it may stand."""
        return next((r for r in (self._best, *reversed(self._doubted)) if r and not is_void(r, now)), None)

    def take(self, new: Reading) -> Note | None:
        """Take one reading in; return what is odd about it."""
        best, at = self._best, new.observed_ms / 1000
        if is_void(new, at):
            if new.source == USAGE_COMMAND and new.resets_at is not None and at - new.resets_at > SAME_PERIOD:
                return _note(new, "not_reset", f"still tells of {new.used:g} % in a period that is over")
            return None
        if best is None or is_void(best, at):
            self._accept(new)
            if best and new.window != "five_hour" and new.used >= best.used >= _FULL and at - void_at(best) < _SOON:
                return _note(new, "did_not_fall", f"was at {best.used:g} % before its reset and is at {new.used:g} %")
            return None
        if _same_period(best, new) and new.used >= best.used - JITTER:
            self._doubted.clear()
            if new.used >= best.used or best.resets_at is None:
                self._accept(_dated(new, best))
            return None
        return self._doubt(new, best)

    def _doubt(self, new: Reading, best: Reading) -> Note | None:
        """Take a reading that contradicts the best one; it counts once it is proven."""
        inexact = best.source in INEXACT
        if new.source in INEXACT and not inexact:
            return None
        self._doubted.append(new)
        alike = [r for r in self._doubted if (r.source, r.origin) == (new.source, new.origin) and _same_period(r, new)]
        grows = len({(r.used, r.resets_at) for r in alike}) > 1
        if not (new.source in PROOFS or grows or (inexact and new.source not in INEXACT)):
            return None
        self._accept(new)
        if _same_period(best, new):
            return _note(new, "fell", f"fell from {best.used:g} to {new.used:g} % within its period")
        return _note(
            new, "moved", f"is at {new.used:g} % of another period, though the last one ({best.used:g} %) ran on"
        )

    def _accept(self, new: Reading) -> None:
        self._best = new
        self._doubted.clear()


def _dated(new: Reading, best: Reading) -> Reading:
    """Return the reading with the reset time of the period that it falls in, where it has none of its own."""
    return new if new.resets_at is not None else msgspec.structs.replace(new, resets_at=best.resets_at)


def _note(reading: Reading, what: Literal["fell", "moved", "did_not_fall", "not_reset"], how: str) -> Note:
    sentence = f"the {reading.window} window of {reading.account} {how} ({reading.source})"
    return Note(account=reading.account, window=reading.window, what=what, sentence=sentence)


def _same_period(one: Reading, other: Reading) -> bool:
    """Say whether two readings of a window speak of one period; one without a reset time may be of any."""
    if one.resets_at is None or other.resets_at is None:
        return True
    return abs(one.resets_at - other.resets_at) <= SAME_PERIOD


def worth_noting(last: Reading | None, reading: Reading) -> bool:
    """Say whether `reading` tells anything that `last` (of the same account and window) did not."""
    if last is None:
        return True
    return reading.observed_ms >= last.observed_ms and (reading.used, reading.resets_at) != (last.used, last.resets_at)
