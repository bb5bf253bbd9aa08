"""The one SQLite file, and the rule that a change and the events that report it are one transaction."""

from __future__ import annotations

import functools
import os
import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec

from failover.clock import Clock, SystemClock
from failover.errors import StoreBroken, StoreError
from failover.events import AnyEvent, Envelope, encode_event, topic

#: How long a writer waits for another role's transaction (milliseconds). All of ours take well under one.
_BUSY_MS = 5000
#: Each role keeps so much of the store in memory of its own (KiB; SQLite's default is 2,000). The kernel keeps all of
#: it once for all roles, so more would only be kept nine times, and a role would grow by it as long as the store does.
_CACHE_KIB = 256
#: How a condition ends whose values are one list (see `listed`). With a mark for each value every length would be a
#: statement of its own, and a connection keeps a hundred of those ready: some ten kB each when the lists are long.
AMONG = "IN (SELECT value FROM json_each(?))"
#: The layout that schema.sql makes. A change of it needs the next number and a step in migrations/ (CONTRIBUTING.md).
LAYOUT = 4
#: The earliest layout that can be brought forward.
OLDEST_LAYOUT = 2


def _make(path: Path) -> None:
    """Make an empty store and put it in place whole (mode 0600); of several makers the first one's stays.

    Under its final name it could be met half-made, and a second connection makes the change to WAL fail at once:
    SQLite does not wait there.
    """
    from importlib import resources  # 1.5 MiB that a role would carry for life, for the one start that needs it

    made = path.with_name(f".{path.name}.{os.getpid()}")
    made.unlink(missing_ok=True)
    made.touch(mode=0o600)
    try:
        connection = sqlite3.connect(made, isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        schema = resources.files("failover.store").joinpath("schema.sql").read_text()
        connection.executescript(f"BEGIN;\n{schema}\nPRAGMA user_version = {LAYOUT};\nCOMMIT;")
        connection.close()
        with suppress(FileExistsError):
            os.link(made, path)
    finally:
        made.unlink()


def told(path: Path, error: Exception) -> Exception:
    """Return what SQLite's error means for the operator; an error of our own making stays what it is."""
    # None where the module itself raised it.
    match (getattr(error, "sqlite_errorname", None) or "").split("_")[1:]:
        case ["FULL"]:
            return StoreError(f"{path}: the disk is full; make room there, and all goes on by itself")
        case ["BUSY" | "LOCKED", *_]:
            return StoreError(f"{path}: locked by another process for {_BUSY_MS / 1000:g} s; see: fuser {path}")
        case ["IOERR" | "CANTOPEN", *_]:
            return StoreBroken(f"{path}: {error}; see that its disk has room and is well (dmesg)")
        case ["CORRUPT" | "NOTADB", *_]:
            return _damaged(path, str(error))
    return error


def _damaged(path: Path, how: str) -> StoreBroken:
    return StoreBroken(
        f"{path}: damaged ({how}); end the daemon with: claude-failover down, move {path.name}, {path.name}-wal and "
        f"{path.name}-shm away, then: claude-failover up (the sessions go on); or go back to a copy with: "
        "claude-failover backups restore NAME"
    )


def _strange(path: Path, layout: int) -> StoreError:
    if layout > LAYOUT:
        return StoreError(
            f"{path}: written by a newer release (layout {layout}, this one knows {LAYOUT}); install that release "
            "again, or go back to a copy of an earlier layout: claude-failover backups list"
        )
    return StoreError(
        f"{path}: not a store that this release knows (layout {layout}); move it away, or name another state_dir"
    )


def among(column: str, names: Collection[str] | None) -> tuple[str, tuple[str, ...]]:
    """Return the condition that a column is one of these names (None: anything), and its value."""
    return ("TRUE", ()) if names is None else (f"{column} {AMONG}", (listed(names),))


def listed(values: Iterable[object]) -> str:
    """Return the value of a condition that ends with AMONG."""
    return msgspec.json.encode(list(values)).decode()


@functools.cache
def _put(table: str, names: tuple[str, ...], key: int) -> str:
    """Return the statement that writes a row in place of another. REPLACE would delete that one, write this at the
    table's end and change the index of the key: a hook took 8.7 pages then, and takes 5.6 (measured)."""
    changes = ", ".join(f"{name} = excluded.{name}" for name in names[key:])
    return (
        f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"
        f" ON CONFLICT ({', '.join(names[:key])}) DO UPDATE SET {changes}"
    )


def connect(path: Path) -> sqlite3.Connection:
    """Return a connection for writing, set as all of ours are."""
    connection = sqlite3.connect(path, isolation_level=None, timeout=_BUSY_MS / 1000)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    return connection


class Transaction:
    """An open write transaction; `emit` adds events that become true when it commits."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.events: list[AnyEvent] = []

    def execute(self, sql: str, args: Sequence[object] = ()) -> sqlite3.Cursor:
        """Run one statement."""
        return self._connection.execute(sql, args)

    def insert(self, sql: str, args: Sequence[object] = ()) -> int:
        """Run an INSERT and return its row id."""
        row = self._connection.execute(sql, args).lastrowid
        assert row is not None
        return row

    def put(self, table: str, fields: Mapping[str, object], key: int = 1) -> None:
        """Write a row in place of the one with the same key, which is the first `key` of its fields."""
        self._connection.execute(_put(table, tuple(fields), key), tuple(fields.values()))

    def emit(self, event: AnyEvent) -> None:
        """Report `event` with this transaction."""
        self.events.append(event)


class Store:
    """A role's connection to the store.

    source and boot stamp its events. `on_commit` gets the envelopes after their transaction is on disk.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path, source: str, boot: str, clock: Clock) -> None:
        self._connection, self._path = connection, path
        self._source, self._boot, self._clock = source, boot, clock
        self._seq = 0
        self.on_commit: Callable[[Sequence[Envelope]], None] = lambda envelopes: None

    @classmethod
    def open(cls, path: Path, source: str, boot: str = "", clock: Clock | None = None) -> Store:
        """Open the store for writing; make it if it is not there (mode 0600), bring it forward if it is of an earlier
        release.

        Raises StoreError when the file is no store of ours, of a newer release, damaged, or cannot be read or brought
        forward; HostError when no copy of it can be made first.
        """
        connection = None
        try:
            if not path.exists():
                _make(path)
            connection = connect(path)
            layout = connection.execute("PRAGMA user_version").fetchone()[0]
        except (sqlite3.Error, OSError) as error:
            if connection is not None:
                connection.close()
            why = told(path, error) if isinstance(error, sqlite3.Error) else error
            if isinstance(why, StoreError):
                raise why from None
            raise StoreError(
                f"{path}: {error}; see that the disk has room and that the file is a store of ours"
            ) from None
        if layout != LAYOUT:
            connection.close()
            if not OLDEST_LAYOUT <= layout < LAYOUT:
                raise _strange(path, layout)
            from failover.store import migrate  # once in the life of a release

            migrate.bring_forward(path, migrate.migrations())
            connection = connect(path)
        return cls(connection, path, source, boot, clock or SystemClock())

    @classmethod
    def read_only(cls, path: Path, any_layout: bool = False) -> Store:
        """Open an existing store for looking only. any_layout: for who reads only what every release has had.

        Raises StoreError when there is none, or one of another release.
        """
        if not path.exists():
            raise StoreError(f"{path}: there is no store yet; start the daemon with: claude-failover up")
        try:
            connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=_BUSY_MS / 1000)
            connection.row_factory = sqlite3.Row
            connection.execute("PRAGMA query_only = 1")
            connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
            connection.execute("SELECT 1 FROM events LIMIT 1")
            layout = connection.execute("PRAGMA user_version").fetchone()[0]
        except sqlite3.Error as error:
            raise StoreError(f"{path}: {error}; is this a store of claude-failover?") from None
        if layout != LAYOUT and not any_layout:
            connection.close()
            if OLDEST_LAYOUT <= layout < LAYOUT:
                raise StoreError(
                    f"{path}: of an earlier release (layout {layout}, this one reads {LAYOUT}); bring it forward, and "
                    "the roles with it: claude-failover up"
                )
            raise _strange(path, layout)
        return cls(connection, path, "reader", "", SystemClock())

    def query(self, sql: str, args: Sequence[object] = ()) -> list[Any]:
        """Return all rows of a SELECT (sqlite3.Row). Raises StoreError."""
        try:
            return self._connection.execute(sql, args).fetchall()
        except sqlite3.Error as error:
            raise told(self._path, error) from error

    def each(self, sql: str, args: Sequence[object] = ()) -> Iterator[Any]:
        """Yield the rows of a SELECT (sqlite3.Row) of which only the first may be wanted. Raises StoreError."""
        try:
            yield from self._connection.execute(sql, args)
        except sqlite3.Error as error:
            raise told(self._path, error) from error

    def one(self, sql: str, args: Sequence[object] = ()) -> Any:
        """Return the first row of a SELECT, or None. Raises StoreError."""
        try:
            return self._connection.execute(sql, args).fetchone()
        except sqlite3.Error as error:
            raise told(self._path, error) from error

    def check(self) -> None:
        """Read the whole file (50 MB: about 0.2 s). Raises StoreError when it is damaged."""
        found = self.query("PRAGMA quick_check(1)")[0][0]
        if found != "ok":
            raise _damaged(self._path, found)

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Write in one transaction; on an exception nothing of it remains and nothing is published.

        Raises StoreError where the file cannot be written: StoreBroken when this process must not try again.
        """
        transaction = Transaction(self._connection)
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            yield transaction
            envelopes = [self._append(event, seq) for seq, event in enumerate(transaction.events, self._seq + 1)]
            self._connection.execute("COMMIT")
        except BaseException as error:
            with suppress(sqlite3.Error):
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
            if isinstance(error, sqlite3.Error):
                raise told(self._path, error) from error
            raise
        self._seq += len(envelopes)
        if envelopes:
            self.on_commit(envelopes)

    def _append(self, event: AnyEvent, seq: int) -> Envelope:
        at_ms = int(self._clock.epoch() * 1000)
        row = self._connection.execute(
            "INSERT INTO events (at_ms, source, boot, seq, type, body) VALUES (?, ?, ?, ?, ?, ?)",
            (at_ms, self._source, self._boot, seq, topic(event), encode_event(event).decode()),
        ).lastrowid
        assert row is not None
        return Envelope(id=row, source=self._source, boot=self._boot, seq=seq, at_ms=at_ms, event=event)

    def now_ms(self) -> int:
        """Return epoch milliseconds by the store's clock."""
        return int(self._clock.epoch() * 1000)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()
