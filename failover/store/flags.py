"""What the operator has set. Written by the control-plane alone."""

from __future__ import annotations

import msgspec

from failover.events import RolesPaused, RolesResumed
from failover.store.db import Store, Transaction


class Pause(msgspec.Struct, frozen=True):
    """Who paused the automat, and when (epoch milliseconds)."""

    by: str
    at_ms: int


def paused(store: Store) -> Pause | None:
    """Return who paused, None when the automat runs. While paused nothing is started or moved; all is watched."""
    row = store.one("SELECT by, at_ms FROM flags WHERE name = 'paused'")
    return Pause(row["by"], row["at_ms"]) if row else None


def pause(tx: Transaction, at_ms: int, by: str) -> bool:
    """Pause; return False when it already was."""
    sql = "INSERT OR IGNORE INTO flags (name, value, by, at_ms) VALUES ('paused', '1', ?, ?)"
    if not tx.execute(sql, (by, at_ms)).rowcount:
        return False
    tx.emit(RolesPaused(by=by))
    return True


def resume(tx: Transaction, by: str) -> bool:
    """Lift the pause; return False when there was none."""
    if not tx.execute("DELETE FROM flags WHERE name = 'paused'").rowcount:
        return False
    tx.emit(RolesResumed(by=by))
    return True
