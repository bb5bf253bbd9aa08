"""What decides in the world: the code that decides for real, given what it would see of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import msgspec

from failover import candidates
from failover.config import Config
from failover.core import homecoming, policy
from failover.core.choice import Candidate, Load, Rules, Swap
from failover.core.forecast import Forecast, forecast
from failover.core.homecoming import Seat
from failover.core.usage import Reading, newest, opened, worth_noting
from failover.replay.session import Session
from failover.replay.world import PARALLEL, Order, World

#: A forecast is made anew whenever something new was read of its window, and after so long (seconds).
_GOOD_FOR = {"five_hour": 900.0, "seven_day": 3600.0}


class Pilot:
    """The policy of one configuration.

    bill: whether it is told what the move of a context costs; boundary: seconds in which nine of ten working sessions
    reach one.
    """

    def __init__(self, config: Config, bill: bool, boundary: float) -> None:
        self._config, self._bill, self._boundary = config, bill, boundary
        self._made: dict[tuple[str, str], tuple[Reading, float, Forecast | None, Forecast | None]] = {}
        self._last: dict[tuple[str, str], Reading] = {}
        self._history: defaultdict[tuple[str, str], list[Reading]] = defaultdict(list)
        self._swapped: float | None = None
        self._continued: float | None = None

    def read(self, readings: Sequence[Reading]) -> None:
        """Note what is news, as the quota-monitor does. Of a period that is over only its last reading is kept."""
        for reading in readings:
            key = (reading.account, reading.window)
            last = self._last.get(key)
            if worth_noting(last, reading):
                if last is not None and last.resets_at != reading.resets_at:
                    self._history[key].clear()
                self._last[key] = reading
                self._history[key].append(reading)

    def look(self, world: World) -> Order | None:
        """Ask the policy, and then whether anything should go home or on."""
        accounts, rules = self._accounts(world), self._rules(world)
        decision = policy.decide(accounts, rules)
        if isinstance(decision, Swap):
            return self._order(world, decision)
        if rules.swapping:
            return None
        seats = [_seat(session) for session in world.sessions.values()]
        better = homecoming.continued(accounts, seats, rules) or homecoming.fail_back(accounts, seats, rules)
        return self._order(world, better) if better else None

    def _accounts(self, world: World) -> list[Candidate]:
        mode = self._config.failover.idle_sessions
        on: defaultdict[str, list[Session]] = defaultdict(list)
        for session in world.sessions.values():
            on[session.account.name].append(session)
        counting, over = newest(self._last.values(), world.now), opened(self._last.values(), world.now)
        found = []
        for account in self._config.accounts:
            here = on[account.name]
            needed = [session for session in here if policy.needs(session.state, mode, False)]
            readings = {window: reading for (name, window), reading in counting.items() if name == account.name}
            since = max((reading.observed_ms for reading in readings.values()), default=0) / 1000
            one = Candidate(
                name=account.name,
                priority=account.priority,
                thresholds=account.thresholds.of(()),
                readings=readings,
                opened=tuple(sorted(window for name, window in over if name == account.name)),
                sessions=len(here),
                in_use=len(needed),
                loads=tuple(Load(session=s.name, tokens=s.context if self._bill else 0) for s in needed),
                enabled=account.enabled,
                tokens_per_point=world.accounts[account.name].tokens_per_point() if self._bill else {},
                reserve=account.reserve,
                standby=account.standby,
                owed=sum(s.context for s in here if s.arrived >= since) if self._bill else 0,
            )
            found.append(self._foresee(one, world.now) if self._config.failover.forecast else one)
        return found

    def _foresee(self, account: Candidate, now: float) -> Candidate:
        """Return an account with its forecasts; they are kept while nothing new is read, but not for ever."""
        here: dict[str, Forecast] = {}
        ends: dict[str, Forecast] = {}
        for window, reading in account.counting:
            key = (account.name, window)
            told = self._made.get(key)
            if told is None or told[0] is not reading or now - told[1] >= _GOOD_FOR[window]:
                history = self._history[key]
                pair = (forecast(history, account.leaves_at(window), now), forecast(history, 100.0, now))
                told = self._made[key] = (reading, now, *pair)
            for one, into in zip(told[2:], (here, ends), strict=True):
                if one is not None:
                    into[window] = one
        return msgspec.structs.replace(account, forecasts=here, limits=ends)

    def _rules(self, world: World) -> Rules:
        return msgspec.structs.replace(
            candidates.rules(self._config, world.now),
            since_swap=None if self._swapped is None else world.now - self._swapped,
            since_continued=None if self._continued is None else world.now - self._continued,
            boundary=min(self._boundary, self._config.failover.deadline.soft),
            parallel=PARALLEL,
            swapping=bool(world.open_swap),
        )

    def _order(self, world: World, swap: Swap) -> Order:
        """Return what the account-switcher would make of a wish."""
        mode, given = self._config.failover.idle_sessions, self._config.failover
        if swap.source == swap.target:
            self._continued = world.now
        else:
            self._swapped = world.now
        names = swap.sessions or [
            session.name
            for session in world.sessions.values()
            if session.account.name == swap.source and policy.needs(session.state, mode, False)
        ]
        return Order(
            to={name: swap.shares.get(name, swap.target) for name in names},
            deadline=given.deadline.hard if swap.urgency == "hard" else given.deadline.soft,
            text=f"{swap.source} to {swap.target}",
        )


def _seat(session: Session) -> Seat:
    return Seat(
        session=session.name,
        account=session.account.name,
        state=session.state,
        limit_resets=session.limit_resets,
        asks=session.limit == "seven_day",
        tokens=session.context,
    )
