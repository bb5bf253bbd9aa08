"""What decides in the world: the code that decides for real, given what it would see of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from failover.config import Config
from failover.core import homecoming, policy
from failover.core.choice import Candidate, Load, Rules, Swap
from failover.core.forecast import Forecast, forecast
from failover.core.homecoming import Seat
from failover.core.usage import Reading, newest, opened, worth_noting
from failover.replay.session import Session
from failover.replay.world import Order, World


class Pilot:
    """The policy of one configuration. bill, foresight: whether it is told what a move costs, and what is forecast."""

    def __init__(self, config: Config, bill: bool = True, foresight: bool = True) -> None:
        self._config, self._bill, self._foresight = config, bill, foresight
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
            thresholds = {"five_hour": account.thresholds.five_hour, "seven_day": account.thresholds.seven_day}
            readings = {window: reading for (name, window), reading in counting.items() if name == account.name}
            used = readings if needed and self._foresight else {}
            found.append(
                Candidate(
                    name=account.name,
                    priority=account.priority,
                    thresholds=thresholds,
                    readings=readings,
                    opened=tuple(sorted(window for name, window in over if name == account.name)),
                    sessions=len(here),
                    in_use=len(needed),
                    loads=tuple(Load(session=s.name, tokens=s.context) for s in needed) if self._bill else (),
                    enabled=account.enabled,
                    forecasts=self._forecasts(account.name, {w: thresholds[w] for w in used}, world.now),
                    limits=self._forecasts(account.name, dict.fromkeys(used, 100.0), world.now),
                    tokens_per_point=world.accounts[account.name].tokens_per_point() if self._bill else {},
                )
            )
        return found

    def _forecasts(self, account: str, thresholds: dict[str, float], now: float) -> dict[str, Forecast]:
        found = {w: forecast(self._history[account, w], threshold, now) for w, threshold in thresholds.items()}
        return {window: one for window, one in found.items() if one is not None}

    def _rules(self, world: World) -> Rules:
        given = self._config.failover
        return Rules(
            margin=given.margin,
            cooldown=given.cooldown,
            wait_if_reset_within=given.wait_if_reset_within,
            now=world.now,
            since_swap=None if self._swapped is None else world.now - self._swapped,
            since_continued=None if self._continued is None else world.now - self._continued,
            fail_back=given.fail_back,
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
    )
