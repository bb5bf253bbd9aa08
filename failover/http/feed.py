"""The events as they come, for many listeners: read once from the store, encoded once, and resumed from any id.

The newest stand in memory. A listener that is behind them, since it comes back late or reads slowly, is served from the
store until it has caught up: what is kept for one listener is its place alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
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
#: How much is written to a listener at once (bytes), but for a single event that is longer.
_MOST_TEXT = 64 * 1024
#: A listener hears something at least this often (seconds).
_ALIVE_EVERY = 10.0
#: The store is looked at this often even when the bus told of nothing (seconds).
_LOOK_EVERY = 1.0
#: What happens within this time (seconds) is told together, at the cost of one event: for each listener a little more,
#: so that many cost no more than few.
_REST, _REST_EACH = 0.05, 0.001
#: How many listeners are told before the loop sees to its other work: hooks come in on it too.
_AT_ONCE = 4

_ALIVE = b": alive\n\n"
_encode = msgspec.json.Encoder().encode


class _Item(NamedTuple):
    id: int
    type: str
    text: bytes


class Feed:
    """The one reader of new events. All methods belong to the event loop's thread. history: for what is old; tune: told
    when the first listener comes, and when the last one has gone."""

    def __init__(self, reader: Reader, history: Reader, tune: Callable[[bool], None]) -> None:
        self._reader, self._history, self._tune = reader, history, tune
        self._bell = asyncio.Event()
        self._listeners: set[asyncio.Event] = set()
        self._task: asyncio.Task[None] | None = None
        # In memory are all events with an id above _start, up to _end.
        self._items: deque[_Item] = deque()
        self._start = self._end = 0
        self._joined: dict[tuple[int, str], tuple[bytes, int]] = {}
        self._bells = asyncio.Event()
        self.closing = False

    @property
    def full(self) -> bool:
        """Tell whether no further listener can be taken."""
        return len(self._listeners) >= MOST_LISTENERS

    def ring(self) -> None:
        """Look for new events: the bus told of some."""
        self._bell.set()
        self._bells.set()
        self._bells = asyncio.Event()

    def bell(self) -> asyncio.Event:
        """Return what is set at the next ring: whoever took it before he looked misses none."""
        return self._bells

    def close(self) -> None:
        """Let every listener go, and all who wait for the bell."""
        self.closing = True
        self.ring()
        for wake in self._listeners:
            wake.set()

    async def follow(self, after: int | None, prefix: str, welcome: Callable[[], bool]) -> AsyncIterator[bytes]:
        """Give events as text/event-stream: those after an id, or what comes next. prefix: of their types; welcome:
        whether to go on. An id that the store has not come to counts as its newest."""
        wake = asyncio.Event()
        self._listeners.add(wake)
        if len(self._listeners) == 1:
            self._tune(True)
        try:
            try:
                await self._begin()
            except StoreError:
                return  # the listener comes back
            place = self._end if after is None else min(max(after, 0), self._end)
            yield _ALIVE
            clock = asyncio.get_running_loop().time
            said = clock()
            while welcome() and not self.closing:
                wake.clear()
                text = b""
                if place < self._start:
                    try:
                        text, place = await self._history.look(lambda store, at=place: _page(store, at, prefix))  # type: ignore[misc]
                    except StoreError:
                        return  # the listener comes back with the last id that it heard
                elif place < self._end:
                    text, place = self._text(place, prefix)
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
            if not self._listeners and not self.closing:
                self._tune(False)

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

    def _text(self, place: int, prefix: str) -> tuple[bytes, int]:
        """Return what stands in memory after a place, and the place behind it. Most listeners are at the same."""
        key = (place, prefix)
        found = self._joined.get(key)
        if found is None:
            fitting, behind = _fitting([item for item in self._items if item.id > place], prefix)
            found = self._joined[key] = fitting, behind if behind is not None else self._end
        return found

    async def _run(self) -> None:
        """Read what is new as long as anybody listens."""
        while self._listeners and not self.closing:
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
            await asyncio.sleep(_REST + _REST_EACH * len(self._listeners))

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
    found = [_item(one) for one in events.after(store, place, _PAGE, prefix)]
    text, behind = _fitting(found, prefix)
    if behind is None:
        behind = found[-1].id if len(found) == _PAGE else max(newest, found[-1].id if found else place)
    return text, behind


def _fitting(items: Sequence[_Item], prefix: str) -> tuple[bytes, int | None]:
    """Return the text of the first items, as much as may wait for a listener that reads slowly; and the id of the last
    of them, None when that is all."""
    parts: list[bytes] = []
    size = 0
    for item in items:
        if item.type.startswith(prefix):
            parts.append(item.text)
            size += len(item.text)
            if size >= _MOST_TEXT:
                return b"".join(parts), item.id
    return b"".join(parts), None
