"""What a sweep stands on, and what it finds."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import msgspec

from failover.clock import Clock
from failover.config import Config
from failover.errors import HostError
from failover.store.db import Store

#: Rows deleted in one transaction: other roles write in between.
ROWS = 500
#: Of one kind in one sweep; what is left is the next sweep's, which then comes soon.
MOST = 20_000


class Finding(msgspec.Struct, frozen=True):
    """Something that may go. kind: as it is told; subject: which; why: the rule; count: rows, or one for a file."""

    kind: str
    subject: str
    why: str
    count: int = 1


@dataclass(frozen=True)
class Ground:
    """For a dry run the store is one that can only be read. troubles: what could not be looked at, in sentences."""

    config: Config
    store: Store
    clock: Clock
    troubles: list[str] = field(default_factory=list)

    @property
    def now_ms(self) -> int:
        """Return epoch milliseconds."""
        return int(self.clock.epoch() * 1000)

    def before(self, seconds: float) -> int:
        """Return the moment that many seconds ago (epoch milliseconds)."""
        return self.now_ms - int(seconds * 1000)

    def age(self, info: os.stat_result) -> float:
        """Return the seconds since a file was last written or moved, as far as its times are to be believed."""
        return self.clock.epoch() - max(info.st_mtime, info.st_ctime)


class Sweep(Protocol):
    """One kind of sweep. rows: what it deletes are rows, and their event is part of the transaction that does it."""

    kind: str
    rows: bool

    def find(self) -> list[Finding]:
        """Return what may go. It only looks."""

    def clear(self, finding: Finding) -> int:
        """Do away with what was found, if that is still so; return how much. Raises HostError, StoreError."""


def files(folder: Path) -> Iterator[os.DirEntry[str]]:
    """Yield the regular files of a folder, one by one, for there may be thousands; none when it is not there.

    No paths: those keep the names of all that they were ever made of in a table that never shrinks (Python's own).

    Raises HostError when it cannot be looked into.
    """
    try:
        with os.scandir(folder) as entries:
            yield from (entry for entry in entries if entry.is_file(follow_symlinks=False))
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise HostError(f"{folder}: cannot be looked into: {error.strerror}") from None


def remove(path: Path) -> int:
    """Remove a file; return 0 when it is gone already. Raises HostError."""
    try:
        path.unlink()
    except FileNotFoundError:
        return 0
    except OSError as error:
        raise HostError(f"{path}: cannot be removed: {error.strerror}") from None
    return 1
