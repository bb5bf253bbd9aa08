"""janitor: deletes history past its time and markers that nobody needs, in small steps; each sweep is an event."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence

from failover.core.retention import CHECKPOINTS_KEPT, Row, expired, stale_marker, surplus
from failover.errors import HostError
from failover.events import Envelope, JanitorTroubled, Swept
from failover.queue.folder import Queue
from failover.runtime import Host, run
from failover.store import outbox, tasks

#: A sweep every so often, the first one soon after the start (seconds).
_EACH, _FIRST = 600.0, 20.0
#: Rows deleted in one transaction, and transactions of one kind in one cycle: other roles write in between.
_ROWS, _STEPS = 500, 40
#: A write-ahead log longer than this is cut to nothing (bytes); a shorter one is used over and over by SQLite.
_LONG_LOG = 64 * 1024 * 1024


class Janitor:
    """Sweeps, and rests."""

    name = "janitor"
    topics: tuple[str, ...] = ()

    def __init__(self, host: Host) -> None:
        self._config, self._store, self._clock, self._paths = host.config, host.store, host.clock, host.paths
        self._queues = {str(project): Queue(project) for project in host.config.projects}
        self._due = host.clock.monotonic() + _FIRST
        self._trouble = ""

    def cycle(self, heard: Sequence[Envelope]) -> str:
        """Sweep, if it is time."""
        if self._clock.monotonic() < self._due:
            return ""
        return self.sweep()

    def sweep(self) -> str:
        """Delete what may go; return what was deleted."""
        keep, now = self._config.retention, self._store.now_ms()
        events = self._expire("events", "at_ms", now - int(keep.events * 1000), self._needed_event())
        # A notifier that has not come by for as long as a sink is waited for keeps nothing any more.
        longest = max([keep.events, *(spec.give_up_after for spec in self._config.notify)])
        events += self._expire("events", "at_ms", now - int(longest * 1000), None)
        swept = {
            "events": events,
            "readings": self._expire("readings", "observed_ms", now - int(keep.readings * 1000), None),
            "decisions": self._expire("decisions", "at_ms", now - int(keep.events * 1000), None),
            "hook calls": self._expire("hook_calls", "at_ms", now - int(keep.hook_calls * 1000), self._needed_call()),
            "checkpoints": self._checkpoints(now - int(keep.checkpoints * 1000)),
        }
        swept["costs"] = self._costs(now - int(keep.readings * 1000))
        trouble: list[str] = []
        swept["markers"] = self._markers(trouble)
        self._tell(trouble)
        self._shorten_log()
        more = any(count >= _ROWS * _STEPS for count in swept.values())
        self._due = self._clock.monotonic() + (1.0 if more else _EACH)
        said = [f"{count} {what}" for what, count in swept.items() if count]
        return "; ".join([*(["deleted " + ", ".join(said)] if said else []), *trouble])

    def _costs(self, before_ms: int) -> int:
        """Delete what was spent on days long past, and how far conversations were counted that no session is in."""
        with self._store.transaction() as tx:
            past = tx.execute("DELETE FROM spent WHERE day < ?", (before_ms // 86_400_000,)).rowcount
            counted = tx.execute(
                "DELETE FROM charged WHERE at_ms < ? AND conversation NOT IN (SELECT conversation FROM statuslines)",
                (before_ms,),
            ).rowcount
        return past + counted

    def _needed_event(self) -> int | None:
        """Return the first event that the notifier has not looked at, None when nobody waits for one."""
        rows, names = outbox.sinks(self._store), {spec.name for spec in self._config.notify}
        return min((row.came_to + 1 for row in rows.values() if row.name in names), default=None)

    def _needed_call(self) -> int | None:
        """Return the first hook call that an open task is followed by."""
        since = [task.since_call for task in tasks.open_tasks(self._store) if task.since_call]
        return min(since, default=None)

    def _expire(self, table: str, at: str, before_ms: int, needed: int | None) -> int:
        """Delete the oldest rows of a table; the newest reading of each window and the decision that stands stay."""
        kept = {
            "readings": " WHERE id NOT IN (SELECT max(id) FROM readings GROUP BY account, window)",
            "decisions": " WHERE id NOT IN (SELECT max(id) FROM decisions)",
        }.get(table, "")

        def oldest() -> list[int]:
            rows = self._store.query(f"SELECT id, {at} AS at_ms FROM {table}{kept} ORDER BY id LIMIT {_ROWS}")
            return expired([Row(row["id"], row["at_ms"]) for row in rows], before_ms, needed)

        return self._delete(table, oldest)

    def _checkpoints(self, before_ms: int) -> int:
        names = [row[0] for row in self._store.query("SELECT DISTINCT session FROM checkpoints")]

        def left_over() -> list[int]:
            found: list[int] = []
            for name in names:
                rows = self._store.query(
                    "SELECT id, at_ms FROM checkpoints WHERE session = ? ORDER BY id DESC LIMIT ?",
                    (name, CHECKPOINTS_KEPT + _ROWS),
                )
                found += surplus([Row(row["id"], row["at_ms"]) for row in rows], before_ms)
                if len(found) >= _ROWS:
                    break
            return found[:_ROWS]

        return self._delete("checkpoints", left_over)

    def _delete(self, table: str, choose: Callable[[], list[int]]) -> int:
        """Delete what `choose` names, a little at a time; report it with the last step."""
        count = 0
        for _ in range(_STEPS):
            chosen = choose()
            if not chosen:
                break
            with self._store.transaction() as tx:
                tx.execute(f"DELETE FROM {table} WHERE id IN ({', '.join('?' * len(chosen))})", chosen)
                tx.emit(Swept(what=table, count=len(chosen)))
            count += len(chosen)
            if len(chosen) < _ROWS:
                break
        return count

    def _markers(self, trouble: list[str]) -> int:
        """Remove markers that stand for no open task."""
        names, count = tasks.open_names(self._store), 0
        for project, queue in self._queues.items():
            try:
                for left in queue.markers(self._clock.epoch()):
                    task = tasks.get(self._store, left.marker.task) if left.marker else None
                    ours = task is not None and task.name == left.name and task.project == project
                    if stale_marker(
                        open_task=left.name in names.get(project, {}),
                        closed_task=ours and task is not None and task.state in ("done", "failed"),
                        file_there=queue.holds(left.name),
                        age=left.age,
                        longest=self._config.dispatch.task_timeout,
                    ):
                        queue.unmark(left.name)
                        count += 1
            except (HostError, OSError) as error:
                trouble.append(str(error))
        if count:
            with self._store.transaction() as tx:
                tx.emit(Swept(what="markers", count=count))
        return count

    def _tell(self, trouble: Sequence[str]) -> None:
        """Report what could not be removed, when it is something else than last time."""
        sentence = "; ".join(trouble)
        if sentence and sentence != self._trouble:
            with self._store.transaction() as tx:
                tx.emit(JanitorTroubled(sentence=sentence))
        self._trouble = sentence

    def _shorten_log(self) -> None:
        log = self._paths.store.with_name(self._paths.store.name + "-wal")
        with contextlib.suppress(OSError):
            self._store.one(f"PRAGMA wal_checkpoint({'TRUNCATE' if log.stat().st_size > _LONG_LOG else 'PASSIVE'})")

    def wake_after(self) -> float:
        """Return the seconds until the next sweep."""
        return max(self._due - self._clock.monotonic(), 0.0)

    def descriptors(self) -> Sequence[int]:
        """Return nothing: it goes by the clock."""
        return ()

    def close(self) -> None:
        """Hold nothing."""


def main() -> None:
    """Run the role."""
    run("janitor", Janitor)


if __name__ == "__main__":
    main()
