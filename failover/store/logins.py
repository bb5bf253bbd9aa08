"""When the accounts' logins end. Written by the quota-monitor alone."""

from __future__ import annotations

from collections.abc import Mapping

from failover.store.db import Store, Transaction


def ends(store: Store) -> dict[str, int]:
    """Return when each login ends that was found (epoch seconds)."""
    return {row["account"]: row["expires_at"] for row in store.query("SELECT account, expires_at FROM logins")}


def keep(tx: Transaction, found: Mapping[str, int]) -> None:
    """Keep what a look found; what it did not find is not known any more."""
    tx.execute("DELETE FROM logins")
    for account, expires_at in found.items():
        tx.execute("INSERT INTO logins (account, expires_at) VALUES (?, ?)", (account, expires_at))
