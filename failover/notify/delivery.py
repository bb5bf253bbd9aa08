"""What waits for one sink is sent to it in order, with patience, and noted when it has it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, tzinfo
from itertools import groupby
from zoneinfo import ZoneInfo

import msgspec

from failover.clock import Clock
from failover.core.posting import DEAD_AFTER, Parcel, back_off, plan, sent, summary
from failover.events import NoticesDropped, SinkFailing, SinkRecovered
from failover.host.process import host_boot_id
from failover.notify.courier import Courier, Outcome
from failover.notify.message import Message
from failover.notify.spec import SinkSpec
from failover.store import outbox
from failover.store.db import Store, Transaction
from failover.store.outbox import Post, SinkRow

#: Notices that are looked at together, and messages that are handed over at a time.
_LOOKED_AT, _AT_ONCE = 1000, 50
#: Of a sink that is not reached the oldest notices beyond this many are given up.
_MOST_WAITING = 50_000


class Delivery:
    """One sink. What is sent together is written down before; what it has is noted before the next round begins.

    So a message is sent a second time, under the same key, only when this process ends between the two.
    """

    def __init__(
        self, spec: SinkSpec, store: Store, clock: Clock, wake: int, draw: Callable[[], float] = random.random
    ) -> None:
        self.spec, self._store, self._clock, self._draw = spec, store, clock, draw
        self._courier = Courier(spec, wake)
        self._parcels: dict[str, list[Post]] = {}
        # What is not yet noted: a store that cannot be written for a while must not make anything be sent twice.
        self._outcomes: list[Outcome] = []
        self._zone: tzinfo = ZoneInfo(spec.quiet.zone) if spec.quiet else UTC
        self._boot = host_boot_id()

    def cycle(self) -> str:
        """Note what arrived, and send what is due; return what was done."""
        said = self._settle()
        row = outbox.sinks(self._store)[self.spec.name]
        if row.failures:
            self._give_up(row)
        if not self.is_busy and self.due_in(row) <= 0:
            self._send(row)
        return said

    @property
    def is_busy(self) -> bool:
        """Say whether something is under way; its outcome will tell."""
        return self._courier.is_busy or bool(self._outcomes)

    def due_in(self, row: SinkRow) -> float:
        """Return the seconds until the sink may be tried; another start of the host has forgotten them."""
        return row.due_mono - self._clock.monotonic() if row.host_boot == self._boot else 0.0

    def close(self, timeout: float) -> None:
        """Wait a while for what is under way, and note it."""
        self._courier.join(timeout)
        self._settle()

    # -- out ----------------------------------------------------------------------------------------

    def _send(self, row: SinkRow) -> None:
        waiting = outbox.waiting(self._store, self.spec.name, _LOOKED_AT)
        if not waiting:
            return
        decided = sorted((post for post in waiting if post.parcel), key=lambda post: (post.parcel, post.id))
        if not decided:
            decided = self._decide(waiting, row)
        groups = [list(posts) for _, posts in groupby(decided, key=lambda post: post.parcel)][:_AT_ONCE]
        self._parcels = {self._key(posts): posts for posts in groups}
        if groups:
            self._courier.carry([self._message(key, posts) for key, posts in self._parcels.items()])

    def _decide(self, waiting: Sequence[Post], row: SinkRow) -> list[Post]:
        """Write down what is sent next, and in which parcels."""
        local = datetime.fromtimestamp(self._clock.epoch(), self._zone)
        decision = plan(
            [post.waiting for post in waiting], row.recent, self.spec.quiet, self.spec.digest,
            minute=local.hour * 60 + local.minute, now_ms=self._store.now_ms(),
        )  # fmt: skip
        parcels = decision.parcels[:_AT_ONCE]
        if not parcels and not decision.hold:
            return []
        with self._store.transaction() as tx:
            outbox.hold(tx, decision.hold)
            for parcel in parcels:
                outbox.put_together(tx, parcel.ids)
        by_id = {post.id: post for post in waiting}
        return [msgspec.structs.replace(by_id[one], parcel=parcel.ids[-1]) for parcel in parcels for one in parcel.ids]

    def _key(self, posts: Sequence[Post]) -> str:
        """Return the idempotency key. The time tells stores apart that counted their events from 1 again."""
        first, last = posts[0], posts[-1]
        which = str(last.event) if len(posts) == 1 else f"{first.event}-{last.event}"
        return f"{self.spec.name}/{which}/{last.at_ms}"

    def _message(self, key: str, posts: Sequence[Post]) -> Message:
        last = posts[-1]
        severity, text, kind = last.severity, last.text, last.type
        if len(posts) > 1:
            severity, text = summary([post.waiting for post in posts])
            kind = "digest"
        return Message(
            key=key,
            event=last.event,
            at_ms=last.at_ms,
            type=kind,
            severity=severity,
            text=text,
            count=len(posts),
            accounts=_all(post.about.accounts for post in posts),
            sessions=_all(post.about.sessions for post in posts),
            projects=_all(post.about.projects for post in posts),
            task=last.about.task if len(posts) == 1 else 0,
            swap=last.about.swap if len(posts) == 1 else 0,
        )

    # -- back ---------------------------------------------------------------------------------------

    def _settle(self) -> str:
        """Note what became of messages."""
        self._outcomes += self._courier.take()
        if not self._outcomes:
            return ""
        told, trouble = 0, ""
        with self._store.transaction() as tx:
            row = outbox.sinks(self._store)[self.spec.name]
            for outcome in self._outcomes:
                posts = self._parcels[outcome.key]
                if outcome.rejected:
                    trouble = f"{self.spec.name} rejected {outcome.key} for good: {outcome.trouble}"
                    row = self._rejected(tx, row, posts, outcome.trouble)
                elif outcome.trouble:
                    trouble = f"{self.spec.name}: {outcome.trouble}"
                    row = self._failed(tx, row, outcome)
                else:
                    told += len(posts)
                    row = self._told(tx, row, posts)
            outbox.keep_sink(tx, row)
        self._outcomes.clear()
        said = [f"told {self.spec.name} of {told} notice{'' if told == 1 else 's'}"] if told else []
        return "; ".join([*said, *([trouble] if trouble else [])])

    def _told(self, tx: Transaction, row: SinkRow, posts: Sequence[Post]) -> SinkRow:
        now = self._store.now_ms()
        outbox.remove(tx, [post.id for post in posts])
        if row.reported:
            tx.emit(SinkRecovered(sink=row.name))
        if row.dropped:
            days = self.spec.give_up_after / 86400
            why = f"it could not be told for {days:g} days, or too many waited"
            since = row.dropped_ms
            tx.emit(NoticesDropped(sink=row.name, count=row.dropped, what="notice", since_ms=since, reason=why))
        parcel = Parcel(tuple(post.id for post in posts), digest=len(posts) > 1)
        return msgspec.structs.replace(
            row, told=posts[-1].event, told_ms=now, failures=0, failing_ms=0, reported=False, error="", due_mono=0.0,
            recent=tuple(sent(row.recent, parcel, self.spec.digest, now)), dropped=0, dropped_ms=0,
        )  # fmt: skip

    def _rejected(self, tx: Transaction, row: SinkRow, posts: Sequence[Post], why: str) -> SinkRow:
        outbox.remove(tx, [post.id for post in posts])
        if row.reported:
            tx.emit(SinkRecovered(sink=row.name))  # it answers
        # Of a notice about notices nothing is told: two sinks that reject everything would tell of each other for ever.
        if why != row.error and not all(post.type.startswith("notifier.") for post in posts):
            dropped = NoticesDropped(
                sink=row.name,
                count=len(posts),
                what="notice",
                since_ms=posts[0].at_ms,
                reason=f"it was rejected: {why}",
            )
            tx.emit(dropped)
        return msgspec.structs.replace(row, failures=0, failing_ms=0, reported=False, error=why, due_mono=0.0)

    def _failed(self, tx: Transaction, row: SinkRow, outcome: Outcome) -> SinkRow:
        now, failures = self._store.now_ms(), row.failures + 1
        since = row.failing_ms or now
        wait = max(back_off(failures, self._draw()), outcome.retry_after or 0.0)
        dead = failures > 2 and now - since >= DEAD_AFTER * 1000
        if dead and not row.reported:
            waiting = outbox.backlog(self._store).get(row.name, 0)
            tx.emit(SinkFailing(sink=row.name, waiting=waiting, reason=outcome.trouble))
        return msgspec.structs.replace(
            row, failures=failures, failing_ms=since, reported=row.reported or dead, error=outcome.trouble,
            due_mono=self._clock.monotonic() + wait, host_boot=self._boot,
        )  # fmt: skip

    def _give_up(self, row: SinkRow) -> None:
        """Drop what a sink that fails has not taken in all that time, and count it."""
        if self.is_busy:
            return
        before = self._store.now_ms() - int(self.spec.give_up_after * 1000)
        found = outbox.overdue(self._store, row.name, before, _MOST_WAITING)
        if found is None:
            return
        last, count, since = found
        with self._store.transaction() as tx:
            outbox.drop_to(tx, row.name, last)
            since = row.dropped_ms or since
            outbox.keep_sink(tx, msgspec.structs.replace(row, dropped=row.dropped + count, dropped_ms=since))


def _all(names: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one for some in names for one in some))
