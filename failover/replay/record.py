"""The demand of a pool that runs, taken from its store: when turns came, how long they took, what they used.

Only numbers and the names of sessions and accounts are taken; no prompt, no tool, no folder. Hooks tell the turns,
readings what they used, checkpoints the size of the context.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

import msgspec

from failover.config import Config
from failover.core.cost import per_point
from failover.core.usage import SAME_PERIOD
from failover.errors import FailoverError
from failover.replay.demand import TOKENS_PER_PERCENT, Demand, Quota, Turn
from failover.store import choices
from failover.store.db import Store

#: A reading tells of the use since the one before it, but not of more than this (milliseconds).
_REACH_MS = 3_600_000
_ENDS = ("Stop", "StopFailure", "SessionEnd")


class _Span(msgspec.Struct):
    """A turn as the hooks tell it. begun, ended: epoch milliseconds."""

    session: str
    account: str
    begun: int
    ended: int = 0
    batches: int = 1
    points: float = 0.0


def record(config: Config, store: Store, since_ms: int) -> Demand:
    """Return the demand since a moment (epoch milliseconds). Raises FailoverError when no turn was noted since then."""
    spans = _spans(store, since_ms)
    if not spans:
        raise FailoverError(
            "no turn was noted since then; hooks are kept for as long as retention.hook_calls says, so look back less"
            " far, or keep them longer and record later"
        )
    learned = {name: per_point(cost) for (name, window), cost in choices.costs(store).items() if window == "five_hour"}
    for name, rises in _rises(store, since_ms).items():
        _share([span for span in spans if span.account == name], rises)
    contexts = _contexts(store, since_ms)
    start = spans[0].begun // 1000
    turns = [
        Turn(
            session=span.session,
            at=round(span.begun / 1000 - start, 1),
            seconds=max(0.1, (span.ended - span.begun) / 1000),
            tokens=max(1, round(span.points * (learned.get(span.account) or TOKENS_PER_PERCENT))),
            context=_at(contexts[span.session], span.ended),
            batches=min(span.batches, 10_000),
        )
        for span in spans
    ]
    quotas = [
        Quota(name=account.name, **_quota(learned.get(account.name) or TOKENS_PER_PERCENT))
        for account in config.accounts
    ]
    seconds = max(int(turn.at) for turn in turns) + 1
    seconds = max(seconds, (store.now_ms() - start * 1000) // 1000)
    return Demand(
        about=f"recorded from {len(contexts) or len(spans)} sessions",
        start=start,
        seconds=seconds,
        accounts=tuple(quotas),
        turns=tuple(turns),
    )


def _quota(tokens_per_point: float) -> dict[str, int]:
    return {"five_hour": round(100 * tokens_per_point), "seven_day": round(1000 * tokens_per_point)}


def _spans(store: Store, since_ms: int) -> list[_Span]:
    """Return the turns of the main conversations that came to an end, in the order in which they came."""
    rows = store.query(
        "SELECT session, account, hook, at_ms FROM hook_calls WHERE at_ms >= ?"
        " AND coalesce(json_extract(body, '$.agent'), '') = ''"
        " AND hook IN ('UserPromptSubmit', 'PostToolBatch', 'Stop', 'StopFailure', 'SessionEnd') ORDER BY id",
        (since_ms,),
    )
    found: list[_Span] = []
    begun: dict[str, _Span] = {}
    for row in rows:
        span = begun.get(row["session"])
        if row["hook"] == "UserPromptSubmit" and span is None:
            begun[row["session"]] = _Span(row["session"], row["account"], row["at_ms"])
        elif row["hook"] == "PostToolBatch" and span is not None:
            span.batches += 1
        elif row["hook"] in _ENDS and span is not None:
            span.ended = max(row["at_ms"], span.begun)
            found.append(begun.pop(row["session"]))
    return sorted(found, key=lambda one: (one.begun, one.session))


def _rises(store: Store, since_ms: int) -> dict[str, list[tuple[int, int, float]]]:
    """Return of each account from when to when its 5-hour window rose (epoch milliseconds), and by how much (percent
    points)."""
    rows = store.query(
        "SELECT account, used, resets_at, observed_ms FROM readings WHERE window = 'five_hour' AND observed_ms >= ?"
        " ORDER BY observed_ms",
        (since_ms,),
    )
    by_account: defaultdict[str, list[Any]] = defaultdict(list)
    for row in rows:
        by_account[row["account"]].append(row)
    found: defaultdict[str, list[tuple[int, int, float]]] = defaultdict(list)
    for name, readings in by_account.items():
        for before, after in pairwise(readings):
            same = abs((before["resets_at"] or 0) - (after["resets_at"] or 0)) <= SAME_PERIOD
            points = after["used"] - (before["used"] if same else 0.0)
            if points > 0:
                since = max(before["observed_ms"], after["observed_ms"] - _REACH_MS)
                found[name].append((since, after["observed_ms"], points))
    return found


def _share(spans: Sequence[_Span], rises: Iterable[tuple[int, int, float]]) -> None:
    """Give each rise to the turns that ran meanwhile, by the time for which they did. What rose while none ran was
    somebody else's use."""
    for since, until, points in rises:
        overlaps = [(span, min(span.ended, until) - max(span.begun, since)) for span in spans]
        whole = sum(length for _, length in overlaps if length > 0)
        for span, length in overlaps:
            if length > 0:
                span.points += points * length / whole


def _contexts(store: Store, since_ms: int) -> defaultdict[str, list[tuple[int, int]]]:
    """Return of each session when (epoch milliseconds) its context had how many tokens."""
    found: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    rows = store.query(
        "SELECT session, at_ms, json_extract(body, '$.context_tokens') AS tokens FROM checkpoints WHERE at_ms >= ?"
        " ORDER BY at_ms",
        (since_ms,),
    )
    for row in rows:
        if isinstance(row["tokens"], int):
            found[row["session"]].append((row["at_ms"], row["tokens"]))
    return found


def _at(noted: Sequence[tuple[int, int]], at_ms: int) -> int:
    """Return the context that was noted first after a turn ended, else the last one before, else 0."""
    place = bisect_right(noted, (at_ms, -1))
    return noted[min(place, len(noted) - 1)][1] if noted else 0
