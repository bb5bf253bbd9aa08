"""What sessions tell of the account that they run on: statusline pushes, and limits that stopped them."""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from failover.core.usage import LIMIT_RECORD, STATUSLINE, Reading, is_window
from failover.store import sessions, usage, verdicts
from failover.store.db import Store
from failover.store.usage import StatuslineRow


class _Window(msgspec.Struct, frozen=True):
    used_percentage: float
    resets_at: int | None = None


class _Body(msgspec.Struct, frozen=True):
    rate_limits: dict[str, _Window | None] | None = None


_body = msgspec.json.Decoder(_Body, strict=False)


class Statuslines:
    """Statusline pushes. A session repeats its last figures each minute, however old; only a change is a reading."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._taken: dict[str, int] = {}  # session → at_ms of the push that was read last
        self._shown: dict[tuple[str, str], tuple[str, float, int | None]] = {}  # session, window → launch, figures

    def read(self, of: Collection[str] | None = None) -> list[list[Reading]]:
        """Return what is new since the last call, push by push: all windows of a push of which one has changed.

        of: the sessions to look at, when it is known that no other has pushed.
        """
        rows = [row for row in usage.statuslines(self._store, of) if row.at_ms != self._taken.get(row.session)]
        if not rows:
            return []
        first = not self._taken
        found = []
        for row in sorted(rows, key=lambda row: (row.at_ms, row.session)):
            self._taken[row.session] = row.at_ms
            told = _readings(row)
            new = [self._is_new(row, reading, first) for reading in told]  # each is looked at, so that it is known
            if any(new):
                found.append(told)
        return found

    def _is_new(self, row: StatuslineRow, reading: Reading, first: bool) -> bool:
        key, figures = (row.session, reading.window), (row.launch, reading.used, reading.resets_at)
        last, self._shown[key] = self._shown.get(key), figures
        if first and (last is None or last[0] != row.launch):
            # Nobody knows how long it has shown this; what was shown before our start is in the store.
            return not usage.has_noted(self._store, reading)
        return last != figures


def limits(store: Store) -> list[list[Reading]]:
    """Return, each by itself, what sessions tell of the account on which a limit stopped them: those that still stand
    there (the watcher saw the record itself), and those that were moved on."""
    placed = sessions.placements(store)
    found = [_spent(one.account, one.window, one.resets_at, one.at_ms) for one in verdicts.limits_met(store)]
    found += [
        _spent(placed[name].account, seen.limit_window, seen.limit_resets or None, seen.since_ms)
        for name, seen in sessions.sightings(store).items()
        if seen.state == "limited" and name in placed
        and (seen.pid, seen.start) == (placed[name].pid, placed[name].start)
    ]  # fmt: skip
    return [[reading] for reading in found if is_window(reading.window)]


def _spent(account: str, window: str, resets_at: int | None, at_ms: int) -> Reading:
    return Reading(
        account=account, window=window, used=100.0, resets_at=resets_at, observed_ms=at_ms, source=LIMIT_RECORD
    )


def _readings(row: StatuslineRow) -> list[Reading]:
    """Return what a push tells; the account is the one that its launch was given, never guessed."""
    try:
        told = _body.decode(row.body).rate_limits or {}
    except msgspec.MsgspecError:
        return []
    return [
        Reading(
            account=row.account,
            window=name,
            used=window.used_percentage,
            resets_at=window.resets_at,
            observed_ms=row.at_ms,
            source=STATUSLINE,
            origin=row.session,
        )
        for name, window in told.items()
        if is_window(name) and window is not None and 0 <= window.used_percentage <= 1000
    ]
