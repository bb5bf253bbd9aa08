"""Bring a store of an earlier layout forward: a copy first, then all steps in one transaction, by one process.

A step is a file `migrations/NUMBER-WHAT.sql` and makes layout NUMBER of the one before it. For the seconds of an
upgrade roles of the earlier release work on the new layout, so a step adds (a table, an index, a column with a
default); what is to go, goes a release later.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path

import msgspec

from failover.clock import SystemClock
from failover.errors import HostError, StoreError
from failover.host.lock import RoleLock
from failover.paths import Paths
from failover.store import backup
from failover.store.db import Store, connect, told

_FOLDER = Path(__file__).with_name("migrations")
_NAME = re.compile(r"(\d+)-[a-z0-9-]+\.sql")
#: How long the others wait for the one who migrates (seconds); a store of 1 GB takes about 10.
_WAIT = 60.0


class Migration(msgspec.Struct, frozen=True):
    """One step. number: the layout that it makes; name: of its file; sql: statements, without a transaction."""

    number: int
    name: str
    sql: str


def migrations(folder: Path = _FOLDER) -> list[Migration]:
    """Return the steps of this release, in order. Raises StoreError for a file that is none, or has a number again."""
    found: dict[int, Migration] = {}
    for file in sorted(folder.glob("*.sql")):
        named = _NAME.fullmatch(file.name)
        if named is None or int(named[1]) in found:
            raise StoreError(f"{file}: is no step, or another has its number; name it NUMBER-WHAT.sql")
        found[int(named[1])] = Migration(int(named[1]), file.name, file.read_text())
    return [found[number] for number in sorted(found)]


def bring_forward(path: Path, steps: Sequence[Migration]) -> None:
    """Bring a store to the layout of the last of `steps`; nothing is done where another process has done it.

    Raises StoreError, HostError: the store is as it was then, and goes on with the release that wrote it.
    """
    paths, goal = Paths(path.parent), steps[-1].number
    for folder in (paths.locks_dir, paths.backup_dir):
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise HostError(f"{folder}: cannot be made: {error.strerror}") from None
    with ExitStack() as stack:
        lock = RoleLock(paths.locks_dir / "store.lock")
        lock.acquire(wait=_WAIT)
        stack.callback(lock.release)
        connection = stack.enter_context(closing(connect(path)))
        was = layout(connection)
        missing = [step for step in steps if step.number > was]
        if not missing:
            return
        if [step.number for step in missing] != list(range(was + 1, goal + 1)):
            raise StoreError(f"{path}: no step leads from layout {was} to {goal}; install this release anew")
        clock = SystemClock()
        store = Store(connection, path, "migration", "", clock)
        copy = backup.make(store, path, paths.backup_dir, int(clock.epoch() * 1000))
        at = missing[0]
        try:
            connection.execute("BEGIN IMMEDIATE")
            for at in missing:
                for statement in statements(at.sql):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {at.number}")
            connection.execute("COMMIT")
        except (sqlite3.Error, sqlite3.Warning) as error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            why = told(path, error)
            raise StoreError(
                f"{path}: cannot be brought from layout {was} to {goal}, at {at.name}: {why}. It is as it was, with a "
                f"copy in {copy.path}; until that is mended, go on with the release before this one"
            ) from error


def statements(sql: str) -> list[str]:
    """Split a script into its statements; sqlite3's own way of running one would end the transaction first."""
    found, begun = [], ""
    for line in sql.splitlines(keepends=True):
        begun += line
        if sqlite3.complete_statement(begun):
            found.append(begun)
            begun = ""
    # What is left may be a comment, or a statement without its semicolon: SQLite takes both.
    return [*found, begun] if begun.strip() else found


def layout(connection: sqlite3.Connection) -> int:
    """Return the number of a store's layout."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])
