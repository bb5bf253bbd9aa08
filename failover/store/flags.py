"""What the operator has set. Written by the control-plane alone."""

from __future__ import annotations

import msgspec

from failover.events import AccountDisabled, AccountEnabled, RolesPaused, RolesResumed
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


class Disabled(msgspec.Struct, frozen=True):
    """Who disabled an account, when, and until when (epoch milliseconds; None: until it is enabled)."""

    by: str
    at_ms: int
    until_ms: int | None


_DISABLED = "disabled:"


def disabled(store: Store, now_ms: int) -> dict[str, Disabled]:
    """Return the accounts that the operator has disabled, by name; those whose time is over are not among them."""
    rows = store.query("SELECT name, value, by, at_ms FROM flags WHERE name LIKE 'disabled:%'")
    found = {
        row["name"].removeprefix(_DISABLED): Disabled(row["by"], row["at_ms"], int(row["value"]) or None)
        for row in rows
    }
    return {name: one for name, one in found.items() if one.until_ms is None or one.until_ms > now_ms}


def disable(tx: Transaction, account: str, at_ms: int, until_ms: int | None, by: str) -> None:
    """Take an account out of the choice until `until_ms`, or until it is enabled; the newest word counts."""
    tx.put("flags", {"name": _DISABLED + account, "value": str(until_ms or 0), "by": by, "at_ms": at_ms})
    tx.emit(AccountDisabled(account=account, until_ms=until_ms, by=by))


def enable(tx: Transaction, account: str, by: str) -> bool:
    """Let an account be chosen again; return False when the operator had not disabled it."""
    if not tx.execute("DELETE FROM flags WHERE name = ?", (_DISABLED + account,)).rowcount:
        return False
    tx.emit(AccountEnabled(account=account, by=by))
    return True
