"""What people and programs are shown of the accounts, read from the store."""

from __future__ import annotations

import msgspec

from failover.candidates import candidates, foresee
from failover.config import Config
from failover.core.choice import Candidate
from failover.core.forecast import Forecast
from failover.core.target import spoken_against
from failover.core.usage import Reading
from failover.store import flags
from failover.store.db import Store


class WindowView(msgspec.Struct, frozen=True, kw_only=True):
    """A usage window. used: percent, None when it is not known; resets_at: epoch seconds; ended: its last period is
    over, and nobody has read it since; forecast: when it is expected to reach its threshold, None where that cannot be
    said."""

    window: str
    used: float | None
    threshold: float
    resets_at: int | None = None
    observed_ms: int = 0
    source: str = ""
    ended: bool = False
    forecast: Forecast | None = None


class AccountView(msgspec.Struct, frozen=True, kw_only=True):
    """An account. sessions: how many run on it; against: why nothing would be moved to it now, empty if it could;
    paid: whether one that is paid by use comes at all, empty for the others; disabled_by: the person who disabled it,
    empty when none did; disabled_until_ms: None while that has no end."""

    name: str
    config_dir: str
    priority: int
    enabled: bool
    sessions: int
    windows: tuple[WindowView, ...]
    against: str = ""
    kind: str = "subscription"
    paid: str = ""
    cap_usd_per_day: float | None = None
    disabled_by: str = ""
    disabled_until_ms: int | None = None


def accounts(config: Config, store: Store, *, foreseen: bool = False) -> tuple[AccountView, ...]:
    """Return every configured account with the readings that count; `foreseen`: with forecasts, which takes longer."""
    now_ms = store.now_ms()
    off, found = flags.disabled(store, now_ms), []
    for one in candidates(config, store, now_ms / 1000):
        if foreseen:
            told = {window: foresee(store, one, window, now_ms / 1000)[0] for window, _ in one.counting}
            one = msgspec.structs.replace(one, forecasts={window: seen for window, seen in told.items() if seen})
        found.append(_account(config, one, off.get(one.name)))
    return tuple(found)


def disabled_sentence(config: Config, store: Store, name: str) -> str:
    """Return what it means now that an account is disabled."""
    views = {view.name: view for view in accounts(config, store)}
    words = [f"{name} is disabled: nothing is moved to it and no session is started on it"]
    if count := views[name].sessions:
        sessions = "1 session stays" if count == 1 else f"{count} sessions stay"
        words.append(f"{sessions} on it until its thresholds; to move at once: claude-failover swap")
    if not any(view.enabled for view in views.values()):
        words.append("no account is left to move to")
    return "; ".join(words)


def _account(config: Config, one: Candidate, off: flags.Disabled | None) -> AccountView:
    spec = config.account(one.name)
    against = spoken_against(one, config.failover.margin)
    if not one.enabled:
        against = f"{one.name} is disabled" + (f" by {off.by}" if off else " in the configuration")
    return AccountView(
        name=one.name,
        config_dir=str(spec.config_dir),
        priority=one.priority,
        enabled=one.enabled,
        sessions=one.sessions,
        windows=tuple(
            _window(name, threshold, one.readings.get(name), name in one.opened, one.forecasts.get(name))
            for name, threshold in one.thresholds.items()
        ),
        against=against,
        kind=spec.kind,
        paid=spec.paid if spec.is_paid else "",
        cap_usd_per_day=spec.cap_usd_per_day,
        disabled_by=off.by if off else "",
        disabled_until_ms=off.until_ms if off else None,
    )


def _window(name: str, threshold: float, reading: Reading | None, ended: bool, seen: Forecast | None) -> WindowView:
    if reading is None:
        return WindowView(window=name, used=None, threshold=threshold, ended=ended)
    return WindowView(
        window=name,
        used=reading.used,
        threshold=threshold,
        resets_at=reading.resets_at,
        observed_ms=reading.observed_ms,
        source=reading.source,
        forecast=seen,
    )
