"""What became of each account's windows over time, read from the store."""

from __future__ import annotations

from collections import defaultdict

import msgspec

from failover.config import Config
from failover.core.curve import Step, columns, curve
from failover.core.usage import Reading
from failover.http.account_views import accounts
from failover.store import usage
from failover.store.db import Store
from failover.store.passages import Passage, passages

#: A reading older than the time asked for may still tell how that began (seconds): no window is longer than a week.
_BEFORE = 8 * 86400.0


class WindowHistory(msgspec.Struct, frozen=True, kw_only=True):
    """A window over time. steps: from when on it was used how much; resets: when its periods ended (epoch seconds)."""

    account: str
    window: str
    threshold: float
    steps: tuple[Step, ...]
    resets: tuple[float, ...]
    readings: tuple[Reading, ...]


class UsageView(msgspec.Struct, frozen=True, kw_only=True):
    """The windows of some accounts from `since` to `until` (epoch seconds), and where sessions
    went meanwhile."""

    since: float
    until: float
    windows: tuple[WindowHistory, ...]
    swaps: tuple[Passage, ...]


def usage_view(config: Config, store: Store, seconds: float, account: str = "") -> UsageView:
    """Return the windows of an account (all: none named) over the last `seconds`. Raises UsageError for its name."""
    chosen = [config.account(account).name] if account else [one.name for one in config.accounts]
    until = store.now_ms() / 1000
    since = until - seconds
    rows: defaultdict[tuple[str, str], list[Reading]] = defaultdict(list)
    for row in usage.recent(store, int((since - _BEFORE) * 1000)):
        rows[row.account, row.window].append(row)
    windows = []
    for view in accounts(config, store):
        for window in view.windows if view.name in chosen else ():
            own = rows[view.name, window.window]
            drawn = curve(own, until)
            windows.append(
                WindowHistory(
                    account=view.name,
                    window=window.window,
                    threshold=window.threshold,
                    steps=_from(drawn.steps, since),
                    resets=tuple(at for at in drawn.resets if at >= since),
                    readings=tuple(row for row in own if row.observed_ms >= since * 1000),
                )
            )
    found = passages(store, int(since * 1000))
    went = tuple(one for one in found if not account or account in (one.source, one.target))
    return UsageView(since=since, until=until, windows=tuple(windows), swaps=went)


class WindowPoints(msgspec.Struct, frozen=True, kw_only=True):
    """A window over time, thinned. used: the highest percentage in each step, None where it is not known; resets: when
    its periods ended (epoch seconds)."""

    account: str
    window: str
    threshold: float
    used: tuple[float | None, ...]
    resets: tuple[float, ...]


class UsagePoints(msgspec.Struct, frozen=True, kw_only=True):
    """Windows in equal steps (seconds) from `since` to `until` (epoch seconds), and where sessions went meanwhile."""

    since: float
    until: float
    step: float
    windows: tuple[WindowPoints, ...]
    swaps: tuple[Passage, ...]


def usage_points(
    config: Config, store: Store, since: float, count: int, account: str = "", window: str = ""
) -> UsagePoints:
    """Return `count` points of each window from a moment (epoch seconds) until now. Raises UsageError for a name."""
    view = usage_view(config, store, store.now_ms() / 1000 - since, account)
    found = [one for one in view.windows if not window or one.window == window]
    return UsagePoints(
        since=view.since,
        until=view.until,
        step=(view.until - view.since) / count,
        windows=tuple(
            WindowPoints(
                account=one.account,
                window=one.window,
                threshold=one.threshold,
                used=tuple(columns(one.steps, view.since, view.until, count)),
                resets=one.resets,
            )
            for one in found
        ),
        swaps=view.swaps,
    )


def _from(steps: tuple[Step, ...], since: float) -> tuple[Step, ...]:
    """Return the steps since a moment, the first of them what held then."""
    before = [step for step in steps if step.at < since]
    return ((Step(since, before[-1].used),) if before else ()) + tuple(step for step in steps if step.at >= since)
