"""Learn what a percent point of each window costs: tokens that our sessions used while it rose."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import msgspec

from failover.core.choice import Candidate
from failover.core.cost import Cost, Usage, learn, weigh
from failover.core.usage import SAME_PERIOD
from failover.store.usage import StatuslineRow


class _Context(msgspec.Struct, frozen=True):
    current_usage: Usage | None = None


class _Cache(msgspec.Struct, frozen=True):
    requests: int = 0


class _Body(msgspec.Struct, frozen=True):
    context_window: _Context | None = None
    prompt_cache: _Cache | None = None


_body = msgspec.json.Decoder(_Body, strict=False)


class _Mark(msgspec.Struct, frozen=True):
    """Where a window stood, and what had been used by then."""

    used: float
    resets_at: int | None
    tokens: float


class CostMeter:
    """Counts tokens by account and sets them against the rises of its windows. What it did not see rise, it leaves."""

    def __init__(self) -> None:
        self._requests: dict[str, tuple[str, int, int]] = {}  # session → launch, requests so far, at_ms of the push
        self._tokens: defaultdict[str, float] = defaultdict(float)
        self._marks: dict[tuple[str, str], _Mark] = {}

    def count(self, pushes: Sequence[StatuslineRow]) -> None:
        """Count the requests that newly pushed statuslines tell of (`prompt_cache.requests` counts those of a process,
        `current_usage` is the last one's; measured on 2.1.330)."""
        for push in pushes:
            launch, before, at_ms = self._requests.get(push.session, ("", 0, 0))
            if push.at_ms == at_ms:
                continue
            try:
                body = _body.decode(push.body)
            except msgspec.MsgspecError:
                continue
            so_far = body.prompt_cache.requests if body.prompt_cache else 0
            used = body.context_window.current_usage if body.context_window else None
            if launch == push.launch and so_far > before and used is not None:
                self._tokens[push.account] += (so_far - before) * weigh(used)
            self._requests[push.session] = (push.launch, so_far, push.at_ms)

    def settle(self, accounts: Sequence[Candidate], known: dict[tuple[str, str], Cost]) -> list[Cost]:
        """Return what was learned since the last call, of the windows that rose. known: what is known by now."""
        learned = []
        for account in accounts:
            for window, reading in account.counting:
                key, tokens = (account.name, window), self._tokens[account.name]
                now = _Mark(reading.used, reading.resets_at, tokens)
                mark = self._marks.setdefault(key, now)
                if mark.used == now.used and _same(mark, now):
                    continue
                if mark.used < now.used and _same(mark, now):
                    cost = known.get(key) or Cost(account=account.name, window=window)
                    learned.append(learn(cost, tokens - mark.tokens, now.used - mark.used))
                self._marks[key] = now
        return learned


def _same(one: _Mark, other: _Mark) -> bool:
    """Say whether two marks are of one period."""
    if one.resets_at is None or other.resets_at is None:
        return one.resets_at == other.resets_at
    return abs(one.resets_at - other.resets_at) <= SAME_PERIOD
