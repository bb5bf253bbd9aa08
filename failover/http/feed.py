"""The events as they come, for many listeners: read once from the store, encoded once, and resumed from any id.

The newest stand in memory. A listener that is behind them, since it comes back late or reads slowly, is served from the
store until it has caught up: what is kept for one listener is its place alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import NamedTuple

import msgspec

from failover.errors import StoreError
from failover.events import Envelope, topic
from failover.http.reader import Reader
from failover.store import events
from failover.store.db import Store

#: How many listeners there may be.
MOST_LISTENERS = 256
#: How many events stand in memory, and how many are read from the store at a time.
_KEPT, _PAGE = 1000, 200
#: A listener hears something at least this often (seconds).
_ALIVE_EVERY = 10.0
#: The store is looked at this often even when the bus told of nothing, and not oftener than that (seconds).
_LOOK_EVERY, _REST = 1.0, 0.02
#: How many listeners are told before the loop sees to its other work: hooks come in on it too.
_AT_ONCE = 16

_ALIVE = b": alive\n\n"
_encode = msgspec.json.Encoder().encode


class _Item(NamedTuple):
    id: int
    type: str
    text: bytes


class Feed:
    """The one reader of new events. All methods belong to the event loop's thread."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._bell = asyncio.Event()
        self._listeners: set[asyncio.Event] = set()
        self._task: asyncio.Task[None] | None = None
        # In memory are all events with an id above _start, up to _end.
        self._items: deque[_Item] = deque()
        self._start = self._end = 0
        self._joined: dict[tuple[int, str], bytes] = {}
        self._closing = False

    @property
    def full(self) -> bool:
        """Tell whether no further listener can be taken."""
        return len(self._listeners) >= MOST_LISTENERS

    def ring(self) -> None:
        """Look for new events: the bus told of some."""
        self._bell.set()

    def close(self) -> None:
        """Let every listener go."""
        self._closing = True
        for wake in self._listeners:
            wake.set()

    async def follow(self, after: int | None, prefix: str, welcome: Callable[[], bool]) -> AsyncIterator[bytes]:
        """Give events as text/event-stream: those after an id, or what comes next. prefix: of their types; welcome:
        whether to go on. An id that the store has not come to counts as its newest."""
        wake = asyncio.Event()
        self._listeners.add(wake)
        try:
            await self._begin()
            place = self._end if after is None else min(max(after, 0), self._end)
            yield _ALIVE
            clock = asyncio.get_running_loop().time
            said = clock()
            while welcome() and not self._closing:
                wake.clear()
                text = b""
                if place < self._start:
                    try:
                        text, place = await self._reader.look(lambda store, at=place: _page(store, at, prefix))  # type: ignore[misc]
                    except StoreError:
                        return  # the listener comes back with the last id that it heard
                elif place < self._end:
                    text, place = self._text(place, prefix), self._end
                else:
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout_at(said + _ALIVE_EVERY):
                            await wake.wait()
                if not text and clock() >= said + _ALIVE_EVERY:
                    text = _ALIVE
                if text:
                    yield text
                    said = clock()
        finally:
            self._listeners.discard(wake)

    async def _begin(self) -> None:
        if self._task is None or self._task.done():
            self._items.clear()
            self._bell.clear()
            self._task = asyncio.create_task(self._run())
            self._start = self._end = -1
        while self._end < 0:
            end = await self._reader.look(events.last_id)
            if self._end < 0:
                self._start = self._end = end

    def _text(self, place: int, prefix: str) -> bytes:
        """Return what stands in memory after a place. Most listeners are at the same."""
        key = (place, prefix)
        found = self._joined.get(key)
        if found is None:
            parts: list[bytes] = []
            for item in reversed(self._items):
                if item.id <= place:
                    break
                if item.type.startswith(prefix):
                    parts.append(item.text)
            found = self._joined[key] = b"".join(reversed(parts))
        return found

    async def _run(self) -> None:
        """Read what is new as long as anybody listens."""
        while self._listeners and not self._closing:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_EVERY):
                    await self._bell.wait()
            self._bell.clear()
            if self._end < 0:
                continue
            try:
                found = await self._reader.look(lambda store: [_item(one) for one in events.after(store, self._end)])
            except StoreError as error:
                logging.getLogger("control-plane").warning("No events are told: %s", error)
                await asyncio.sleep(_LOOK_EVERY)
                continue
            if found:
                await self._tell(found)
            await asyncio.sleep(_REST)

    async def _tell(self, found: list[_Item]) -> None:
        self._items.extend(found)
        self._end = found[-1].id
        while len(self._items) > _KEPT:
            self._start = self._items.popleft().id
        self._joined.clear()
        for number, wake in enumerate(tuple(self._listeners), 1):
            wake.set()
            if not number % _AT_ONCE:
                await asyncio.sleep(0)


def _item(envelope: Envelope) -> _Item:
    kind = topic(envelope.event)
    return _Item(
        envelope.id, kind, b"id: %d\nevent: %b\ndata: %b\n\n" % (envelope.id, kind.encode(), _encode(envelope))
    )


def _page(store: Store, place: int, prefix: str) -> tuple[bytes, int]:
    """Return the next events after a place, and the place behind them."""
    newest = events.last_id(store)
    found = events.after(store, place, _PAGE, prefix)
    behind = found[-1].id if len(found) == _PAGE else max(newest, found[-1].id if found else place)
    return b"".join(_item(one).text for one in found), behind
