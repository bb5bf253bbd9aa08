"""The world that policies are tried in: sessions that work through their demand on accounts that run out.

Nothing is drawn here: the same demand and the same decisions give the same result. Things happen in the order of time;
a pilot (failover/replay/pilot.py) sees of the world what the daemon sees of the real one, and gives orders.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import Protocol

import msgspec

from failover.core.usage import Reading
from failover.replay.account import Account
from failover.replay.demand import Demand
from failover.replay.session import Session

#: How long a moved session is away (seconds; 1.9 s were measured with Claude Code 2.1.330), and how many at a time.
AWAY, PARALLEL = 2.0, 2
#: The pilot looks at most this often (seconds), but at once when a limit is met; the daemon looks each 5 s.
LOOK_EVERY = 60.0
#: When an account without a live session is asked for its use, counted from a reset; and at the latest (seconds).
ASKED_AFTER, ASKED_EVERY = 300, 3600
#: When a session that a weekly limit stopped is looked at again, counted from its reset (seconds).
_LOOKED_AFTER = 35
_SAMPLES = 360


class Order(msgspec.Struct, frozen=True):
    """What a pilot wants done: each session to its account; who has reached no boundary after `deadline` seconds stays.

    text: for the record; one whose account stays the same is started again.
    """

    to: Mapping[str, str]
    deadline: float
    text: str


class Pilot(Protocol):
    """Who decides in a world."""

    def read(self, readings: Sequence[Reading]) -> None:
        """Take in what was read."""

    def look(self, world: World) -> Order | None:
        """Return what should be moved now."""


class Record:
    """What happened. done, recached: tokens; swaps, moves, limits: how many; swapped: when (epoch seconds) and what;
    samples: now and then the time, the work done so far (tokens), and the percent used of each account's windows."""

    def __init__(self) -> None:
        self.done = self.recached = self.swaps = self.moves = self.limits = 0
        self.swapped: list[tuple[float, str]] = []
        self.samples: list[tuple[float, int, tuple[tuple[float, ...], ...]]] = []


class World:
    """One run of a demand under one pilot. now: epoch seconds; open_swap: the sessions that it has still to move."""

    def __init__(self, demand: Demand, names: Sequence[str], first: str, pilot: Pilot) -> None:
        self.demand, self._pilot = demand, pilot
        self.now: float = demand.start
        self.accounts = {n: Account(n, quota, demand.start) for n, quota in zip(names, demand.accounts, strict=True)}
        self.sessions = {
            name: Session(name, turns, self.accounts[first], demand.start) for name, turns in demand.sessions().items()
        }
        self.record = Record()
        self.open_swap: set[str] = set()
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()
        self._places = [0.0] * PARALLEL
        self._looks_at = 0.0

    def run(self, tick: Callable[[float], None] = lambda share: None) -> Record:
        """Play it to its end and return what happened. tick: told now and then how much of it is over (0 to 1)."""
        end = self.demand.start + self.demand.seconds
        for account in self.accounts.values():
            self._ask(account)
        for session in self.sessions.values():
            self._at(session.ready, self._go_on, session)
        self._sample(tick)
        while self._events and self._events[0][0] < end:
            self.now, _, happen = heapq.heappop(self._events)
            happen()
        self.now = end
        for session in self.sessions.values():
            session.unblock(end)
        self._sample(tick)
        return self.record

    def _at(self, when: float, happen: Callable[..., None], *of: object) -> None:
        heapq.heappush(self._events, (when, next(self._order), lambda: happen(*of)))

    def _sample(self, tick: Callable[[float], None]) -> None:
        for account in self.accounts.values():
            account.take(0, self.now)
        used = tuple(account.percents() for account in self.accounts.values())
        self.record.samples.append((self.now, self.record.done, used))
        tick((self.now - self.demand.start) / self.demand.seconds)
        self._at(self.now + self.demand.seconds / _SAMPLES, self._sample, tick)

    # What sessions do.

    def _go_on(self, session: Session) -> None:
        """Let a session that stands begin its next batch if there is work: its request is paid for, its tools run."""
        if session.state != "idle" or session.ready > self.now:
            return
        account, again, work = session.account, session.recache(self.now), session.wanted()
        taken = account.take(again + work, self.now)
        recached = min(again, taken)
        self.record.recached += recached
        self.record.done += taken - recached
        session.paid += taken - recached
        self._tell(account, "statusline")
        if taken < again + work:
            self._stop_at_limit(session)
            return
        session.cached, session.state = self.now, "working"
        session.unblock(self.now)
        self._at(self.now + session.turn.seconds / session.turn.batches, self._boundary, session)

    def _boundary(self, session: Session) -> None:
        session.state = "idle"
        session.batch_done()
        if session.leaving is not None:
            self._move(session, session.leaving)
        elif session.ready > self.now:
            self._at(session.ready, self._go_on, session)
            self._look_soon()
        else:
            self._go_on(session)

    def _stop_at_limit(self, session: Session) -> None:
        """Stop a session whose request was refused. The binary goes on by itself after a 5-hour limit, not after a
        weekly one (2.1.330)."""
        window = session.account.full()
        self.record.limits += 1
        session.state, session.limit, session.limit_resets = "limited", window.name, window.resets
        session.block(self.now)
        if window.name == "five_hour":
            self._at(window.resets, self._resume, session, session.limit_resets)
        self._at(window.resets + _LOOKED_AFTER, self._look_soon)
        self._tell(session.account, "limit record")
        self._at(self.now, self._look)

    def _resume(self, session: Session, resets: int) -> None:
        if session.state == "limited" and session.limit_resets == resets:
            self._arrive(session)

    # What is done to them.

    def _obey(self, order: Order) -> None:
        """Begin a swap: who stands moves now, who works at the next boundary."""
        moved = [name for name, to in order.to.items() if self.sessions[name].account.name != to]
        if moved:
            self.record.swaps += 1
            self.record.swapped.append((self.now, order.text))
        self.open_swap = set(order.to)
        for name, to in order.to.items():
            session, target = self.sessions[name], self.accounts[to]
            if session.state == "working":
                session.leaving = target
            else:
                self._move(session, target)
        self._at(self.now + order.deadline, self._give_up, self.open_swap)

    def _move(self, session: Session, target: Account) -> None:
        """Stop a session and start it again on `target`; so many are away at a time."""
        if session.ready <= self.now:
            session.block(self.now)
        session.state, session.leaving = "moving", None
        if session.account is not target:
            self.record.moves += 1
            session.account, session.cached = target, None
        place = self._places.index(min(self._places))
        self._places[place] = max(self.now, self._places[place]) + AWAY
        self._at(self._places[place], self._arrive, session)

    def _arrive(self, session: Session) -> None:
        if session.cached is None:
            session.arrived = self.now
        session.state, session.limit, session.limit_resets = "idle", "", 0
        self.open_swap.discard(session.name)
        if session.ready > self.now:
            self._at(session.ready, self._go_on, session)
        self._go_on(session)
        self._look_soon()

    def _give_up(self, swap: set[str]) -> None:
        """Let those stay that reached no boundary in time."""
        for name in swap if swap is self.open_swap else ():
            self.sessions[name].leaving = None
        swap.clear()
        self._look_soon()

    # What is seen of it.

    def _tell(self, account: Account, source: str) -> None:
        if news := account.news(self.now, source):
            self._pilot.read(news)
            self._look_soon()

    def _ask(self, account: Account) -> None:
        """Ask an account for its use, as the daemon does where no live session tells it."""
        if all(session.account is not account for session in self.sessions.values()) or self.now == self.demand.start:
            self._tell(account, "usage")
        again = min(self.now + ASKED_EVERY, account.next_reset(self.now) + ASKED_AFTER)
        self._at(again, self._ask, account)

    def _look_soon(self) -> None:
        """Let the pilot look before long; what else happens until then is looked at with it."""
        if self._looks_at <= self.now:
            self._looks_at = self.now + LOOK_EVERY
            self._at(self._looks_at, self._look)

    def _look(self) -> None:
        order = self._pilot.look(self)
        if order is not None:
            self._obey(order)
