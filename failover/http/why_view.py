"""Why the sessions are where they are, and what would change it, read from the store."""

from __future__ import annotations

import msgspec

from failover.config import Config
from failover.core.choice import SPEND
from failover.http import views
from failover.http.account_views import AccountView, WindowView, accounts
from failover.store import flags, swaps
from failover.store.db import Store


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """Something that would change the decision. account: whose, empty for all; at, earliest, latest: when it is
    expected (epoch seconds), None where that is not known or it has no time; command: what a person can do for it."""

    sentence: str
    account: str = ""
    at: float | None = None
    earliest: float | None = None
    latest: float | None = None
    command: str = ""


class WhyView(msgspec.Struct, frozen=True, kw_only=True):
    """The decision that stands with a verdict on each account (None before the first), and what would change it.

    deciding: decisions are made (the quota-monitor runs); paused_by: who paused, empty when nobody; swap: the one
    under way, else the last one of accounts, None when there was none.
    """

    decision: views.DecisionView | None
    deciding: bool
    paused_by: str
    swap: views.SwapView | None
    changes: tuple[Change, ...]


def why(config: Config, store: Store) -> WhyView:
    """Return the decision that stands and what would change it."""
    pause, under_way = flags.paused(store), swaps.open_swap(store)
    last = under_way or next(iter(swaps.latest(store, 1)), None)
    deciding = any(role.role == "quota-monitor" and role.running for role in views.roles(store))
    found: list[Change] = []
    if not deciding:
        found.append(Change(sentence="the quota-monitor does not run, so nothing is decided", command="up"))
    if pause:
        found.append(Change(sentence=f"paused by {pause.by}: nothing is started or moved", command="resume"))
    if under_way:
        found.append(Change(sentence=f"{under_way.kind} {under_way.id} is under way; what follows is decided after it"))
    for account in accounts(config, store, foreseen=True):
        if account.sessions:
            found += _leaving(account)
        if account.against:
            found.append(_returning(account, config.failover.margin, store.now_ms() / 1000))
    return WhyView(
        decision=views.decision(store),
        deciding=deciding,
        paused_by=pause.by if pause else "",
        swap=views.swap_view(last, swaps.moves(store, last.id)) if last else None,
        changes=tuple(found),
    )


def _leaving(account: AccountView) -> list[Change]:
    """Return at what the sessions of an account would leave it."""
    found = []
    for window in account.windows:
        if window.used is None:
            continue
        told = f"{account.name} is left at {window.threshold:g} % of {window.window} ({window.used:.0f} % now)"
        seen = window.forecast
        if seen is None:
            found.append(Change(account=account.name, sentence=f"{told}; when is not known yet"))
        elif seen.earliest is None:
            found.append(Change(account=account.name, sentence=f"{told}; it lasts to its reset", at=window.resets_at))
        else:
            found.append(
                Change(account=account.name, sentence=told, at=seen.crosses, earliest=seen.earliest, latest=seen.latest)
            )
    if not found:
        told = f"no window of {account.name} is known, and unknown moves nobody"
        found.append(Change(account=account.name, sentence=told))
    return found


def _returning(account: AccountView, margin: float, now: float) -> Change:
    """Return when an account that could take no session now could again."""
    if not account.enabled:
        until = account.disabled_until_ms
        how = f"accounts enable {account.name}" if account.disabled_by else ""
        return Change(
            account=account.name, sentence=account.against, at=until / 1000 if until is not None else None, command=how
        )
    full = [one for one in account.windows if one.used is not None and one.used > one.threshold - margin]
    resets = [one.resets_at for one in full if one.resets_at is not None]
    if not full or len(resets) < len(full):
        return Change(account=account.name, sentence=account.against)
    named = " and ".join(_period(one) for one in full)
    return Change(
        account=account.name, sentence=f"{account.against}; it has room again when {named} begins anew", at=max(resets)
    )


def _period(window: WindowView) -> str:
    return "the day" if window.window == SPEND else window.window
