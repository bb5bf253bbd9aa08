"""Upkeep of the store: a copy of it each day, and a log that does not grow for ever."""

from __future__ import annotations

import contextlib
from pathlib import Path

from failover.core.retention import is_due, lasting
from failover.events import StoreBackedUp
from failover.janitor.ground import Finding, Ground, remove
from failover.store import backup

#: A write-ahead log longer than this is cut to nothing (bytes); a shorter one is used over and over by SQLite.
_LONG_LOG = 64 * 1024 * 1024


class Backups:
    """Copies the store when that is due."""

    kind = "backups"
    rows = True

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def find(self) -> list[Finding]:
        """Return the copy that is due."""
        folder, every = self._ground.config.paths.backup_dir, self._ground.config.janitor.backup_every
        # One from the future was made while the clock was wrong.
        newest = next((one.at_ms for one in backup.backups(folder) if one.at_ms <= self._ground.now_ms), None)
        if not is_due(newest, self._ground.now_ms, every):
            return []
        why = f"the last copy is older than {lasting(every)}" if newest else "there is no copy yet"
        return [Finding(self.kind, str(self._ground.config.paths.store), f"{why} (janitor.backup_every)")]

    def clear(self, finding: Finding) -> int:
        """Make it."""
        ground = self._ground
        began = ground.clock.monotonic()
        made = backup.make(ground.store, ground.config.paths.store, ground.config.paths.backup_dir, ground.now_ms)
        took = int((ground.clock.monotonic() - began) * 1000)
        with ground.store.transaction() as tx:
            tx.emit(StoreBackedUp(file=made.path.name, size=made.size, took_ms=took))
        return 1


class OldBackups:
    """Copies beyond the number that is kept; the newest ones stay, whatever their age."""

    kind = "old backups"
    rows = False

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def find(self) -> list[Finding]:
        """Return the copies that may go."""
        keep = self._ground.config.janitor.backups
        if not self._ground.config.janitor.backup_every:
            return []  # nothing new is made: those that there are stay
        old = backup.backups(self._ground.config.paths.backup_dir)[keep:]
        return [Finding(self.kind, str(one.path), f"{keep} newer ones are kept (janitor.backups)") for one in old]

    def clear(self, finding: Finding) -> int:
        """Remove one."""
        return remove(Path(finding.subject))


def shorten_log(ground: Ground) -> None:
    """Bring what stands in the write-ahead log into the store itself, as far as nobody reads it, and cut a long one."""
    store = ground.config.paths.store
    with contextlib.suppress(OSError):
        long = store.with_name(store.name + "-wal").stat().st_size > _LONG_LOG
        ground.store.one(f"PRAGMA wal_checkpoint({'TRUNCATE' if long else 'PASSIVE'})")
