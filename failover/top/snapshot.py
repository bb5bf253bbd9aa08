"""What the live view shows, read from the store: the whole of it in some milliseconds, and only when something changed.

What is dear is done seldom: forecasts every ten seconds, events only those that are new.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping

import msgspec

from failover.cli.live import sentence, working_on
from failover.config import Config
from failover.core.forecast import Forecast
from failover.http import views
from failover.http.account_views import AccountView, WindowView, accounts
from failover.store import events
from failover.store.db import Store

#: Forecasts are made anew so often (seconds).
_FORESEE_EVERY = 10.0
#: Without any change the store is still read so often (seconds): what ends by itself, such as a role, shows so.
_READ_EVERY = 5.0
#: So many of the newest events are looked through when the view is opened, and so many lines are kept.
_FIRST, _KEPT = 300, 50


class Line(msgspec.Struct, frozen=True):
    """An event in words. at_ms: epoch milliseconds."""

    at_ms: int
    text: str


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """The pool at one moment. tasks: session → the task that it is at; context: session → percent of its context
    window; lines: the last events, oldest first."""

    status: views.StatusView
    tasks: Mapping[str, str]
    context: Mapping[str, float]
    lines: tuple[Line, ...]

    @property
    def up(self) -> int:
        """Return how many roles run."""
        return sum(role.running for role in self.status.roles)


class Reader:
    """Reads snapshots from a store of its own, for looking only."""

    def __init__(self, config: Config, store: Store) -> None:
        self._config, self._store = config, store
        self._lines: deque[Line] = deque(maxlen=_KEPT)
        self._last = 0
        self._version = -1
        self._read_at = self._foreseen_at = float("-inf")
        self._forecasts: dict[tuple[str, str], Forecast] = {}
        self._newest: Snapshot | None = None

    def read(self, now: float | None = None) -> Snapshot:
        """Return the present snapshot; the last one where nothing was written since. now: monotonic seconds."""
        now = time.monotonic() if now is None else now
        version = self._store.one("PRAGMA data_version")[0]
        if self._newest is not None and version == self._version and now - self._read_at < _READ_EVERY:
            return self._newest
        self._version, self._read_at = version, now
        status = views.status(self._config, self._store)
        if now - self._foreseen_at >= _FORESEE_EVERY:
            self._foresee(now)
        told = msgspec.structs.replace(status, accounts=tuple(self._with_forecasts(one) for one in status.accounts))
        self._hear()
        self._newest = Snapshot(
            status=told, tasks=working_on(self._store), context=_context(self._store), lines=tuple(self._lines)
        )
        return self._newest

    def _foresee(self, now: float) -> None:
        self._foreseen_at = now
        found = accounts(self._config, self._store, foreseen=True)
        self._forecasts = {(a.name, w.window): w.forecast for a in found for w in a.windows if w.forecast is not None}

    def _with_forecasts(self, one: AccountView) -> AccountView:
        def told(window: WindowView) -> WindowView:
            return msgspec.structs.replace(window, forecast=self._forecasts.get((one.name, window.window)))

        return msgspec.structs.replace(one, windows=tuple(map(told, one.windows)))

    def _hear(self) -> None:
        new = events.after(self._store, self._last) if self._last else events.latest(self._store, _FIRST)
        for envelope in new:
            self._last = envelope.id
            if words := sentence(envelope):
                self._lines.append(Line(envelope.at_ms, words))


def _context(store: Store) -> dict[str, float]:
    rows = store.query(
        "SELECT session, json_extract(body, '$.context_window.used_percentage') AS used FROM statuslines"
    )
    return {row["session"]: float(row["used"]) for row in rows if isinstance(row["used"], int | float)}
