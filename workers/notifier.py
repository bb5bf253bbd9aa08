"""notifier: tells people of what happened, each sink at its own pace, nothing lost or doubled over a restart."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from failover.core.move import Move
from failover.core.notice import notice
from failover.errors import HostError
from failover.events import Envelope, SessionDied, topic
from failover.notify import file
from failover.runtime import Host, run
from failover.store import events
from failover.store.db import Store

#: Events taken from the store at a time.
_BATCH = 500
#: A sink that could not be written is tried again after this long (seconds).
_RETRY = 5.0


class Notifier:
    """Goes through the events once for each sink. How far it came is in the outbox."""

    name = "notifier"
    topics: tuple[str, ...] = ("swap.started", "swap.finished", "usage.all-exhausted", "session.died", "task.finished",
                               "operator.", "account.")  # fmt: skip

    def __init__(self, host: Host) -> None:
        self._store, self._clock = host.store, host.clock
        self._sinks = {file.key(spec.path): spec.path for spec in host.config.notify}
        # What was written by a process that was killed before it could note that.
        self._known: dict[str, set[int]] = {}
        self._retry: dict[str, float] = {}

    def cycle(self, heard: Sequence[Envelope]) -> str:
        """Tell every sink what it was not told yet."""
        said: list[str] = []
        for key, path in self._sinks.items():
            if self._clock.monotonic() < self._retry.get(key, 0.0):
                continue
            try:
                if count := self._serve(key, path):
                    said.append(f"told {path} of {count} event{'' if count == 1 else 's'}")
            except HostError as error:  # one sink's trouble must not hold the others up
                self._retry[key] = self._clock.monotonic() + _RETRY
                said.append(str(error))
        return "; ".join(said)

    def _serve(self, key: str, path: Path) -> int:
        told = self._store.one("SELECT max(event) FROM outbox WHERE sink = ?", (key,))[0]
        if told is None:
            # A new sink is not told of the past.
            self._came_to(key, events.last_id(self._store))
            return 0
        count = 0
        while batch := events.after(self._store, told, _BATCH):
            for envelope in batch:
                try:
                    count += self._tell(key, path, envelope)
                except HostError:
                    if envelope.id - 1 > told:
                        self._came_to(key, envelope.id - 1)
                    raise
            told = batch[-1].id
            self._came_to(key, told)
        return count

    def _tell(self, key: str, path: Path, envelope: Envelope) -> bool:
        event = envelope.event
        told: dict[str, Any] = msgspec.to_builtins(event)
        found = notice(topic(event), told, _utc)
        if found is None or (isinstance(event, SessionDied) and planned(self._store, event)):
            return False
        if key not in self._known:
            self._known[key] = set(file.known(path))
        if envelope.id in self._known[key]:
            return False
        line = file.Line(
            event=envelope.id, at_ms=envelope.at_ms, type=topic(event), severity=found.severity, text=found.text
        )
        file.send(path, line)
        self._known[key].add(envelope.id)
        return True

    def _came_to(self, key: str, event: int) -> None:
        with self._store.transaction() as tx:
            tx.execute("DELETE FROM outbox WHERE sink = ?", (key,))
            tx.execute("INSERT INTO outbox (event, sink, sent_ms) VALUES (?, ?, ?)", (event, key, self._store.now_ms()))
        if key in self._known:
            self._known[key].clear()

    def wake_after(self) -> float:
        """Return the seconds until the next look."""
        return 5.0

    def descriptors(self) -> Sequence[int]:
        """Return nothing: the bus is enough."""
        return ()

    def close(self) -> None:
        """Hold nothing."""


def planned(store: Store, event: SessionDied) -> bool:
    """Say whether a process was ended by a move of its session, which is no death to tell of."""
    rows = store.query("SELECT body FROM moves WHERE session = ? ORDER BY id DESC LIMIT 20", (event.session,))
    return any(msgspec.json.decode(row["body"], type=Move).pid == event.pid for row in rows)


def _utc(epoch: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(epoch))


def main() -> None:
    """Run the role."""
    run("notifier", Notifier)


if __name__ == "__main__":
    main()
