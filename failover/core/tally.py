"""What is counted for dashboards: counters and histograms that only ever grow.

History is deleted after its time, so what it once added up to is kept beside it. A tally is what was counted since the
last time that it was added to what is kept; adding the same tally twice, or an event twice, is the caller's to avoid.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from itertools import product

import msgspec

from failover.core.move import Move
from failover.core.task import Task
from failover.core.usage import SAME_PERIOD, Reading

_SECONDS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 40.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0)
_QUICK = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
#: Swaps between accounts are there from the start; restarts, stops and fresh starts when the first one was.
_KINDS, _URGENCIES = ("swap",), ("idle", "soft", "hard")
_OUTCOMES = ("done", "partial", "refused", "failed")


class Family(msgspec.Struct, frozen=True):
    """One counter or histogram. labels: their names and, where these are few, the values that are there from the start
    (a rate needs a first sample of zero); buckets: upper bounds in seconds, none for a counter.

    Who changes the buckets of a histogram gives it another name: what is kept under the old one cannot be added to it.
    """

    help: str
    labels: Mapping[str, tuple[str, ...]] = {}
    buckets: tuple[float, ...] = ()


FAMILIES: Mapping[str, Family] = {
    "swaps": Family(
        "Swaps that ended; kind swap is one between accounts.",
        {"kind": _KINDS, "outcome": _OUTCOMES, "urgency": _URGENCIES},
    ),
    "moves": Family(
        "Moves of single sessions that ended.",
        {"kind": _KINDS, "outcome": ("verified", "stopped", "stayed", "yielded", "parked", "failed")},
    ),
    "exhausted": Family("How often no account could take the sessions (once until one can again)."),
    "tasks_queued": Family("Tasks found in an inbox."),
    "tasks_finished": Family("Tasks that ended.", {"outcome": ("done", "failed")}),
    "role_starts": Family("Starts of a role.", {"role": ()}),
    "event_gaps": Family("How often the control plane may have missed events on the bus; a new connection is once."),
    "swap_duration_seconds": Family("From a swap's beginning to its end.", {"kind": _KINDS}, _SECONDS),
    "move_blackout_seconds": Family(
        "From the signal that ends a session to its proof of life under the other account.",
        {"kind": _KINDS},
        _SECONDS,
    ),
    "threshold_to_swap_seconds": Family(
        "From the first reading at the threshold to the beginning of the swap that the policy asked for.",
        buckets=(0.025, 0.05, *_SECONDS),
    ),
    "task_dispatch_seconds": Family("From a task's queueing to its acceptance by a session.", buckets=_SECONDS),
    "hook_duration_seconds": Family(
        "Time of a hook in the control plane; held: its answer waited for a hold to end.",
        {"held": ("false", "true")},
        (*_QUICK, 30.0, 60.0, 300.0, 600.0),
    ),
    "event_lag_seconds": Family("From an event's commit to its arrival at the control plane over the bus.",
                                buckets=_QUICK),
}  # fmt: skip

#: Name and label values of one series.
Key = tuple[str, tuple[str, ...]]


class Tally:
    """Series and what they come to: [number] of a counter, [counts of each bucket, of all, sum] of a histogram."""

    def __init__(self, series: Mapping[Key, Sequence[float]] | None = None) -> None:
        """series: as `items` gave it; what no family of ours has the shape of is left out."""
        known = {key: list(values) for key, values in (series or {}).items() if key[0] in FAMILIES}
        self._series = {key: values for key, values in known.items() if len(values) == len(_zero(key[0]))}

    def count(self, name: str, *labels: str) -> None:
        """Count one."""
        self._of((name, labels))[0] += 1

    def observe(self, name: str, seconds: float, *labels: str) -> None:
        """Note a duration; a negative one (the time of day was set) is none."""
        if seconds < 0:
            return
        values, buckets = self._of((name, labels)), FAMILIES[name].buckets
        place = bisect_left(buckets, seconds)
        if place < len(buckets):
            values[place] += 1
        values[-2] += 1
        values[-1] += seconds

    def add(self, other: Tally) -> None:
        """Add what another one counted."""
        for key, values in other._series.items():
            mine = self._of(key)
            mine[:] = [one + more for one, more in zip(mine, values, strict=True)]

    def take(self) -> Tally:
        """Return what was counted, and begin anew."""
        taken, self._series = Tally(self._series), {}
        return taken

    def begin(self) -> None:
        """Let every series be there whose labels are known beforehand."""
        for name, family in FAMILIES.items():
            for labels in product(*family.labels.values()):
                self._of((name, labels))

    def items(self) -> list[tuple[Key, list[float]]]:
        """Return all series, in order."""
        return sorted(self._series.items())

    def _of(self, key: Key) -> list[float]:
        return self._series.setdefault(key, _zero(key[0]))


def _zero(name: str) -> list[float]:
    buckets = FAMILIES[name].buckets
    return [0.0] * (len(buckets) + 2 if buckets else 1)


def cumulative(name: str, values: Sequence[float]) -> list[tuple[float, float]]:
    """Return a histogram's (upper bound, count up to it), the last one of infinity."""
    total, found = 0.0, []
    for bound, count in zip(FAMILIES[name].buckets, values, strict=False):
        total += count
        found.append((bound, total))
    return [*found, (float("inf"), values[-2])]


def blackout(move: Move) -> float | None:
    """Return how long a session was away (seconds), None where it is not back or that cannot be said.

    From the signal, or from the finding that it was dead already, until it was seen to live and, where it was given a
    prompt, to answer.
    """
    began = move.at.get("stopping", move.at.get("dead"))
    if move.state != "verified" or began is None or move.at.get("verified", 0.0) < began:
        return None  # the host was started anew in between
    return move.at["verified"] - began


def waited(task: Task, attempt: int, at_ms: int) -> float | None:
    """Return how long a task lay until a session took it (seconds), None where this was not the first time since it was
    queued. at_ms: when it was taken."""
    before = task.history[-1].attempts if task.history else 0
    return (at_ms - task.queued_ms) / 1000 if attempt == before + 1 and at_ms >= task.queued_ms else None


def crossed(readings: Sequence[Reading], thresholds: Mapping[str, float], since_ms: int) -> int | None:
    """Return when an account was first read at a threshold of its (epoch milliseconds), None when it was not.

    readings: of the account up to the swap, in any order; since_ms: since when the sessions ran there. What was read in
    an earlier period does not count.
    """
    found = []
    for window, threshold in thresholds.items():
        own = sorted((r for r in readings if r.window == window), key=lambda r: r.observed_ms)
        over = [r for r in own if r.used >= threshold and r.observed_ms >= since_ms and _same_period(r, own[-1])]
        found += [r.observed_ms for r in over[:1]]
    return min(found, default=None)


def _same_period(one: Reading, other: Reading) -> bool:
    return abs((one.resets_at or 0) - (other.resets_at or 0)) <= SAME_PERIOD
