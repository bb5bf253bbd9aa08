"""Looking at the store beside the event loop: on that loop sessions wait in their hooks, which no view may delay."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, TypeVar

import msgspec

from failover.errors import StoreError
from failover.store.db import Store

T = TypeVar("T")

#: A view that was made is shown again while nobody has written, but no longer than this (seconds): which processes live
#: and which windows are over changes without a write.
_LASTS = 1.0
#: While the store is written to all the time and many ask, a view is made this far apart (seconds), once for all who
#: asked meanwhile. Who asks alone does not wait.
_APART = 0.025


class Shown(NamedTuple):
    """A view as JSON. tag: another one whenever the JSON is."""

    body: bytes
    tag: str


class _Made(NamedTuple):
    """A view that was made. version: of the store; began: when its making began (monotonic seconds)."""

    version: int
    began: float
    shown: Shown


class Reader:
    """One thread with a connection of its own, opened when it is first needed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(1, "reader")
        self._store: Store | None = None
        self._made: dict[str, _Made] = {}

    async def look(self, look: Callable[[Store], T]) -> T:
        """Return what `look` finds. Raises StoreError, and whatever `look` raises."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._look, look)

    async def shown(self, key: str, look: Callable[[Store], object]) -> Shown:
        """Return what `look` finds as JSON, never older than the asking; a view of the same key is made once for all
        who ask while nothing changes, or at the same time. Raises StoreError.
        """
        asked = time.monotonic()
        if (made := self._made.get(key)) and (rest := made.began + _APART - asked) > 0:
            await asyncio.sleep(rest)
        return await self.look(lambda store: self._shown(store, key, look, asked))

    def close(self) -> None:
        """Let the thread end, with its connection."""
        self._thread.submit(self._close)
        self._thread.shutdown(wait=False)

    def _look(self, look: Callable[[Store], T]) -> T:
        if self._store is None:
            self._store = Store.read_only(self._path)
        try:
            return look(self._store)
        except StoreError:
            self._close()  # opened anew by the next who asks: the file may have been put in order
            raise

    def _shown(self, store: Store, key: str, look: Callable[[Store], object], asked: float) -> Shown:
        # Counts the commits of all other connections; this one makes none.
        version, now = store.one("PRAGMA data_version")[0], time.monotonic()
        made = self._made.get(key)
        if made is not None and (made.began >= asked or (made.version == version and now - made.began <= _LASTS)):
            return made.shown
        body = msgspec.json.encode(look(store))
        tag = f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
        self._made[key] = _Made(version, now, Shown(body, tag))
        return self._made[key].shown

    def _close(self) -> None:
        if self._store is not None:
            self._store.close()
            self._store = None
        self._made.clear()
