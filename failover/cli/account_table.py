"""`accounts list`: each account with its windows as bars, what is known of their future, and what speaks against it."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Sequence

import click

from failover.cli.bars import bar, countdown, window_name
from failover.cli.columns import hanging
from failover.cli.shared import fit, printable, span, width
from failover.core.forecast import Forecast
from failover.http.account_views import AccountView, WindowView

_BAR = 16
_LATE = 3600.0


def account_table(accounts: Sequence[AccountView], now: float) -> str:
    """Return the accounts as they are shown to people, in 80 columns. now: epoch seconds."""
    head = f"  {'window':7} {'used':{_BAR}} {'':6} {'resets':6} {'read':14} forecast"
    return "\n".join([click.style(head.rstrip(), bold=True), *(_account(one, now) for one in accounts)])


def _account(one: AccountView, now: float) -> str:
    facts = [f"priority {one.priority}"]
    if one.kind != "subscription":
        facts.append(one.kind)
    if one.paid:
        facts.append("never chosen by itself" if one.paid == "never" else "a last resort")
    if one.cap_usd_per_day:
        facts.append(f"${one.cap_usd_per_day:g} a day")
    if one.sessions:
        facts.append("1 session" if one.sessions == 1 else f"{one.sessions} sessions")
    name = fit(printable(one.name), 32, name=True).rstrip()
    lines = hanging(", ".join(facts), click.style(name, bold=True) + "  ", "    ", width())
    lines += [_window(window, now) for window in one.windows]
    if not one.windows:
        lines.append("  it reports no window, and no cap is set")
    verdict = one.against
    if one.disabled_until_ms is not None:
        verdict += f", {countdown(one.disabled_until_ms / 1000 - now)} more"
    words = hanging(verdict or "could take sessions", "", "", width() - 4)
    colour = "yellow" if one.against else "green"
    mark = "✗" if one.against else "✓"
    lines += [click.style(f"  {mark if row == 0 else ' '} {text}", fg=colour) for row, text in enumerate(words)]
    return "\n".join(lines)


def _window(window: WindowView, now: float) -> str:
    used = window.used
    shown = "?" if used is None else f"{used:.0f} %"
    drawn = bar(used, window.threshold, _BAR)
    colour = None if used is None else "red" if used >= window.threshold else "green"
    resets = countdown(window.resets_at - now) if window.resets_at is not None else "-"
    line = f"  {window_name(window.window):7} {click.style(drawn, fg=colour)} {shown:>6} {resets:6} "
    if used is None:
        return line + ("unknown since its reset" if window.ended else "unknown: nobody has read it")
    age = now - window.observed_ms / 1000
    read = f"{span(age)} {window.source}"
    cell = f"{read if len(read) <= 14 else read[:13] + '…':14}"
    # Of an account that nobody uses an old reading stays true; of one in use it is late.
    cell = click.style(cell, fg="yellow") if age > _LATE else cell
    return (line + f"{cell} {forecast_words(window.forecast, window.threshold, now)}").rstrip()


def forecast_words(seen: Forecast | None, threshold: float, now: float) -> str:
    """Return a forecast in short words: 90 % in 40m (25m–1h10m)."""
    if seen is None:
        return ""
    if seen.crosses is not None and seen.crosses <= now:
        return "reached"
    if seen.crosses is None and seen.earliest is None:
        return "lasts to its reset"
    if seen.crosses is None:
        return f"{threshold:g} % in {_in(seen.earliest, now)} at worst"
    low, high = _in(seen.earliest, now), _in(seen.latest, now) if seen.latest is not None else "reset"
    return f"{threshold:g} % in {_in(seen.crosses, now)} ({low}–{high})"


def _in(at: float | None, now: float) -> str:
    return "?" if at is None else span(at - now)


_COLUMNS = (
    "account", "kind", "priority", "enabled", "sessions", "paid", "cap_usd_per_day", "window", "used", "threshold",
    "resets_at", "observed", "source", "crosses", "earliest", "latest", "against",
)  # fmt: skip


def account_csv(accounts: Sequence[AccountView]) -> str:
    """Return one line per account and window; times are ISO 8601 in UTC, what is not known is empty."""
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(_COLUMNS)
    for one in accounts:
        own = (one.name, one.kind, one.priority, str(one.enabled).lower(), one.sessions, one.paid, one.cap_usd_per_day)
        for window in one.windows or (None,):
            rows.writerow([*own, *(_cells(window) if window else [""] * 9), one.against])
    return out.getvalue()


def _cells(window: WindowView) -> list[object]:
    seen = window.forecast
    times = [seen.crosses, seen.earliest, seen.latest] if seen else [None] * 3
    observed = window.observed_ms / 1000 if window.observed_ms else None
    return [
        window.window, window.used, window.threshold, utc(window.resets_at), utc(observed), window.source,
        *map(utc, times),
    ]  # fmt: skip


def utc(epoch: float | None) -> str:
    """Return a moment as ISO 8601 in UTC, empty for none."""
    return "" if epoch is None else time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(epoch))
