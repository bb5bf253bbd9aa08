"""Copies of the store: how they are made whole, named, checked and put back."""

from __future__ import annotations

import contextlib
import os
import re
import sqlite3
import time
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from failover.errors import HostError, UsageError
from failover.paths import Paths, require_private
from failover.store.db import LAYOUT, OLDEST_LAYOUT, Store

_NAME = re.compile(r"state-(\d{8}T\d{6}Z)\.db")
#: Free space that a copy must leave (bytes).
_ROOM = 64 * 1024 * 1024
#: Numbers of the restored store begin this far on, so that none is given twice: a task's stands in prompts.
_STEP = 1_000_000


class Backup(msgspec.Struct, frozen=True):
    """One copy. at_ms: when it was made (epoch milliseconds, by its name); size: bytes; layout: 0 where it is none."""

    path: Path
    at_ms: int
    size: int
    layout: int


def backups(folder: Path) -> list[Backup]:
    """Return the copies, newest first."""
    found = []
    with contextlib.suppress(FileNotFoundError):
        for path in folder.iterdir():
            named = _NAME.fullmatch(path.name)
            if named and path.is_file() and not path.is_symlink():
                at = datetime.strptime(named[1], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
                found.append(Backup(path, int(at.timestamp() * 1000), path.stat().st_size, _layout(path)))
    return sorted(found, key=lambda one: one.path.name, reverse=True)


def make(store: Store, source: Path, folder: Path, now_ms: int) -> Backup:
    """Copy the store into `folder`, mode 0600: written beside, then renamed. Raises HostError, StoreError.

    It is a reading transaction: other roles write on meanwhile.
    """
    disk = os.statvfs(folder)
    size, free = source.stat().st_size, disk.f_bavail * disk.f_frsize
    if free < size + _ROOM:
        raise HostError(
            f"{folder}: {free // 2**20} MiB are free and a copy of the store takes {size // 2**20 + 1}, with "
            f"{_ROOM // 2**20} to be left; make room there"
        )
    name = f"state-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime(now_ms / 1000))}.db"
    part = folder / f".{name}.part"
    try:
        part.unlink(missing_ok=True)
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))  # SQLite writes into an empty file
        store.query("VACUUM INTO ?", (str(part),))
        _to_disk(part)
        part.rename(folder / name)
        _to_disk(folder)
    except OSError as error:
        raise HostError(f"{folder}: the store cannot be copied there: {error.strerror}") from None
    finally:
        with contextlib.suppress(OSError):
            part.unlink()
    return Backup(folder / name, now_ms, (folder / name).stat().st_size, _layout(folder / name))


def _layout(path: Path) -> int:
    """Return the number of a copy's layout, without opening it as a database (sqlite.org/fileformat2.html, 1.3)."""
    with path.open("rb") as stream:
        head = stream.read(64)
    return int.from_bytes(head[60:64]) if head.startswith(b"SQLite format 3\0") else 0


def check(path: Path) -> None:
    """Read a copy whole. Raises UsageError when it is none, or damaged, or of a newer release."""
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
        with contextlib.closing(connection):
            layout = connection.execute("PRAGMA user_version").fetchone()[0]
            said = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
            connection.execute("SELECT 1 FROM events LIMIT 1")
    except sqlite3.Error as error:
        raise UsageError(f"{path}: is no copy of a store ({error}); see: claude-failover backups list") from None
    known = OLDEST_LAYOUT <= layout <= LAYOUT
    if not known or said != "ok":
        what = f"damaged ({said})" if known else f"of another release (layout {layout}, this one knows {LAYOUT})"
        raise UsageError(f"{path}: is {what}; take another: claude-failover backups list")


def restore(copy: Path, paths: Paths, now_ms: int) -> Path | None:
    """Put a copy in the store's place; return where the store that was there lies now, None when there was none.

    Nobody may have the store open. Raises UsageError, HostError.
    """
    import shutil  # the janitor, which is always there, has no need of it

    check(copy)
    require_private(copy)
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now_ms / 1000))
    part = paths.store.with_name(f".{paths.store.name}.part")
    try:
        part.unlink(missing_ok=True)
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        shutil.copyfile(copy, part)
        _number_on(part)
        _to_disk(part)
        moved = None
        if paths.store.exists():
            moved = paths.store.with_name(f"{paths.store.name}.before-{stamp}")
            _close(paths.store)
            for ending in ("-wal", "-shm"):  # of one that is damaged
                with contextlib.suppress(FileNotFoundError):
                    paths.store.with_name(paths.store.name + ending).rename(moved.with_name(moved.name + ending))
            paths.store.rename(moved)
        part.rename(paths.store)
        _to_disk(paths.state_dir)
    except OSError as error:
        raise HostError(f"{paths.store}: cannot be put back: {error.strerror}; see docs/janitor.md") from None
    finally:
        with contextlib.suppress(OSError):
            part.unlink()
    return moved


def _close(path: Path) -> None:
    """Bring what stands in a store's log into the store itself, so that it is one file."""
    with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _number_on(path: Path) -> None:
    connection = sqlite3.connect(path)
    with contextlib.closing(connection):
        connection.execute(f"UPDATE sqlite_sequence SET seq = seq + {_STEP}")
        connection.commit()
        connection.execute("PRAGMA journal_mode = WAL")


def _to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
