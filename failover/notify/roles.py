"""Roles of the daemon that do not run, or are started over and over: seen from the store, without asking supervisord
(an XML-RPC client would cost the role 4 MiB, an event listener a process of its own)."""

from __future__ import annotations

from collections import deque

from failover.clock import Clock
from failover.core.liveness import LOOP, verdict
from failover.events import AnyEvent, RoleFailing, RoleRecovered, RoleStarted
from failover.host.process import ProcessId, alive
from failover.store import events
from failover.store.db import Store

_SAID = """
    SELECT type, json_extract(body, '$.role') AS role FROM events WHERE id IN (
        SELECT max(id) FROM events WHERE type IN ('role.failing', 'role.recovered')
        GROUP BY json_extract(body, '$.role'))
"""
#: How far back the first look goes for starts (events).
_BACK = 5000
_BATCH = 1000


class RoleWatch:
    """Each role's row names its process, and each start is an event."""

    def __init__(self, store: Store, clock: Clock, own: str) -> None:
        """own: the role that looks; it is never gone."""
        self._store, self._clock, self._own = store, clock, own
        self._failing = {row["role"] for row in store.query(_SAID) if row["type"] == "role.failing"}
        self._gone: dict[str, float] = {}
        self._pids: dict[str, int] = {}
        self._starts: dict[str, deque[int]] = {}
        self._seen = max(0, events.last_id(store) - _BACK)

    def look(self) -> str:
        """Report what has changed; return what is wrong now."""
        now, now_ms = self._clock.monotonic(), self._store.now_ms()
        self._hear_starts()
        found: list[AnyEvent] = []
        for row in self._store.query("SELECT role, pid, start FROM roles ORDER BY role"):
            role = row["role"]
            gone_for = None
            if role == self._own or alive(ProcessId(row["pid"], row["start"])):
                self._gone.pop(role, None)
            else:
                gone_for = now - self._gone.setdefault(role, now)
            wrong = verdict(self._starts.get(role, ()), now_ms, gone_for, role in self._failing)
            if wrong is not None and role not in self._failing:
                self._failing.add(role)
                found.append(RoleFailing(role=role, starts=wrong.starts))
            elif wrong is None and role in self._failing:
                self._failing.discard(role)
                found.append(RoleRecovered(role=role))
        if found:
            with self._store.transaction() as tx:
                for event in found:
                    tx.emit(event)
        return f"not in order: {', '.join(sorted(self._failing))}" if self._failing else ""

    def _hear_starts(self) -> None:
        """Note what was started since the last look. Starts are rare: how far the others came counts too, or each look
        would go through all that happened since the last start."""
        last = events.last_id(self._store)
        while batch := events.of_types(self._store, self._seen, ("role.started",), _BATCH):
            for envelope in batch:
                self._seen = envelope.id
                event = envelope.event
                # A role that took a changed configuration is the same process.
                if isinstance(event, RoleStarted) and self._pids.get(event.role) != event.pid:
                    self._pids[event.role] = event.pid
                    self._starts.setdefault(event.role, deque(maxlen=2 * LOOP)).append(envelope.at_ms)
        self._seen = max(self._seen, last)
