"""From events to notices that wait for sinks: each event is looked at once, in the transaction that notes that."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import msgspec

from failover.clock import Clock
from failover.config import Config
from failover.core.folding import Fold, ended, is_over, settled_by, take
from failover.core.move import Move
from failover.core.notice import KINDS, Notice, notice
from failover.core.posting import LONGEST, cut
from failover.core.routing import Subject, render, subject, takes
from failover.events import Envelope, NoticesDropped, SessionDied, SessionStateChanged, topic
from failover.redact import redact
from failover.store import events, outbox, sessions, tasks
from failover.store.db import Store, Transaction
from failover.store.outbox import Post, SinkRow

#: Events taken from the store at a time.
_BATCH = 500
#: How many events of other kinds may have gone by before it is noted how far we came.
_LAG = 1000


class Intake:
    """Goes through the events. Of its transactions each does a batch: the notices, and how far it came."""

    def __init__(self, config: Config, store: Store, clock: Clock) -> None:
        self._config, self._store, self._clock = config, store, clock
        self._sinks = {spec.name: spec for spec in config.notify}
        self._begin()

    def _begin(self) -> None:
        """Take up the sinks of the configuration: a new one is not told of the past."""
        known, last = outbox.sinks(self._store), events.last_id(self._store)
        first = self._store.one("SELECT min(id) FROM events")[0] or last + 1
        with self._store.transaction() as tx:
            outbox.forget_others(tx, list(self._sinks))
            for name in self._sinks:
                row = known.get(name)
                if row is None or row.came_to > last:  # the second: of another store
                    outbox.keep_sink(tx, SinkRow(name=name, came_to=last))
                elif row.came_to + 1 < first:
                    lost = first - row.came_to - 1
                    why = "they were past their time (retention.events) before the notifier came to look"
                    outbox.keep_sink(tx, msgspec.structs.replace(row, came_to=first - 1))
                    tx.emit(NoticesDropped(sink=name, count=lost, what="event", since_ms=row.told_ms, reason=why))

    def cycle(self) -> None:
        """Look at what is new, and at what has rested long enough."""
        if not self._sinks:
            return
        while self._batch():
            pass
        self._rested()

    def _batch(self) -> bool:
        """Look at some events; return whether there may be more."""
        rows = outbox.sinks(self._store)
        low, last = min(row.came_to for row in rows.values()), events.last_id(self._store)
        batch = events.of_types(self._store, low, KINDS, _BATCH)
        more = len(batch) == _BATCH
        if not batch and last - low < _LAG:
            return False
        came_to = batch[-1].id if more else max(last, batch[-1].id if batch else 0)
        with self._store.transaction() as tx:
            folds = outbox.folds(self._store)
            for envelope in batch:
                self._look(tx, envelope, folds, rows)
            for row in rows.values():
                if row.came_to < came_to:
                    tx.execute("UPDATE sinks SET came_to = ? WHERE name = ?", (came_to, row.name))
        return more

    def _look(self, tx: Transaction, envelope: Envelope, folds: dict[str, Fold], rows: Mapping[str, SinkRow]) -> None:
        event = envelope.event
        if isinstance(event, SessionStateChanged):
            for name in settled_by(event.session, event.state):
                if name in folds and folds[name].settling:
                    del folds[name]
                    outbox.drop_fold(tx, name)
        found = self._notice(envelope)
        if found is None:
            return
        if found.fold:
            settles_ms = int(found.settles * 1000)
            now, fold = take(folds.get(found.fold), found.fold, envelope.id, envelope.at_ms, settles_ms)
            folds[found.fold] = fold
            outbox.keep_fold(tx, fold)
            if not now:
                return
        self._route(tx, envelope, found, rows)

    def _notice(self, envelope: Envelope) -> Notice | None:
        event = envelope.event
        if isinstance(event, SessionDied) and planned(self._store, event):
            return None
        if isinstance(event, SessionStateChanged) and event.state == "waiting" and self._has_task(event.session):
            return None  # what its task waits for is told of the task
        return notice(topic(event), msgspec.to_builtins(event), _utc)

    def _has_task(self, session: str) -> bool:
        return any(task.session == session for task in tasks.handed_over(self._store))

    def _route(
        self, tx: Transaction, envelope: Envelope, found: Notice, rows: Mapping[str, SinkRow], more: str | None = None
    ) -> None:
        """Let a notice wait for the sinks that want it. more: words that are added to one that is told late."""
        kind, told = topic(envelope.event), msgspec.to_builtins(envelope.event)
        about = subject(told, self._projects(told))
        for name, spec in self._sinks.items():
            old = envelope.id <= rows[name].came_to and more is None
            if old or not takes(spec.rules, name, kind, found.severity, about):
                continue
            text = found.text
            if template := spec.templates.get(kind):
                text = render(template, {**told, **_common(envelope, found, about)})
            post = Post(
                id=0, event=envelope.id, at_ms=envelope.at_ms, since_ms=self._store.now_ms(), type=kind,
                severity=found.severity, text=cut(redact(text), LONGEST) + (more or ""), about=about,
            )  # fmt: skip
            outbox.add(tx, name, post)

    def _projects(self, told: Mapping[str, Any]) -> list[str]:
        """Return the projects that an event is about: its own, its task's, those of its sessions."""
        found = [told["project"]] if told.get("project") else []
        if told.get("task") and (task := tasks.get(self._store, told["task"])) is not None:
            return [*found, task.project]
        names = {told.get("session"), *(told.get("sessions") or ())}
        placed = sessions.placements(self._store)
        configured = {spec.name: str(spec.project) for spec in self._config.sessions}
        for name in sorted(name for name in names if name):
            found.append(placed[name].cwd if name in placed else configured.get(name, ""))
        return found

    def _rested(self) -> None:
        """Tell what happened again while it rested, or has lasted long enough."""
        now = self._store.now_ms()
        over = [fold for fold in outbox.folds(self._store).values() if is_over(fold, now)]
        if not over:
            return
        rows = outbox.sinks(self._store)
        with self._store.transaction() as tx:
            for fold in over:
                words, after = ended(fold, now)
                if words is not None and (envelope := events.get(self._store, fold.event)) is not None:
                    found = self._notice(envelope)
                    if found is not None:
                        self._route(tx, envelope, found, rows, words)
                if after is None:
                    outbox.drop_fold(tx, fold.name)
                else:
                    outbox.keep_fold(tx, after)


def planned(store: Store, event: SessionDied) -> bool:
    """Say whether a process was ended by a move of its session, which is no death to tell of."""
    rows = store.query("SELECT body FROM moves WHERE session = ? ORDER BY id DESC LIMIT 20", (event.session,))
    return any(msgspec.json.decode(row["body"], type=Move).pid == event.pid for row in rows)


def _common(envelope: Envelope, found: Notice, about: Subject) -> dict[str, Any]:
    return {
        "account": about.accounts,
        "at": _utc(envelope.at_ms // 1000),
        "project": about.projects,
        "session": about.sessions,
        "severity": found.severity,
        "text": found.text,
        "type": topic(envelope.event),
    }


def _utc(epoch: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(epoch))
