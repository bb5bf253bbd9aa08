"""Decide by policy whether sessions should run elsewhere, ask for it, and keep why."""

from __future__ import annotations

import msgspec

from failover.candidates import candidates, rules, running_placements
from failover.core import homecoming, policy
from failover.core.choice import Candidate, Decision, Rules, Stay, Swap
from failover.core.homecoming import Seat
from failover.events import AllExhausted, AvailableAgain, SwapWanted
from failover.host import process
from failover.quota.costs import CostMeter
from failover.quota.foresight import Foresight
from failover.runtime import Host
from failover.store import choices, events, flags, sessions, swaps, usage
from failover.store.swaps import SwapRow

#: The sentences of a decision that stands are brought up to date this often (milliseconds).
_RENEWED_EACH_MS = 10_000


class Decider:
    """Looks at the accounts, asks the policy, and writes down what it says."""

    def __init__(self, host: Host) -> None:
        self._config, self._store, self._clock = host.config, host.store, host.clock
        self._exhausted = events.told_exhausted(host.store)
        self._foresight = Foresight(host.store, host.clock)
        self._costs = CostMeter()
        self._standing = choices.latest(host.store)

    def cycle(self) -> str:
        """Decide, and ask for a swap if one is due. Return what was decided in one sentence."""
        accounts = candidates(self._config, self._store, self._clock.epoch())
        self._learn(accounts)
        rules = self._rules()
        if rules.forecast:
            accounts = self._foresight.of(accounts)
        decision = policy.decide(accounts, rules)
        if isinstance(decision, Stay):
            if not (rules.paused or rules.swapping):  # then nobody has looked at the accounts
                self._tell_exhausted(decision)
            if rules.paused or rules.swapping:
                return decision.reason
            seats = self._seats()
            better = homecoming.continued(accounts, seats, rules) or homecoming.fail_back(accounts, seats, rules)
            if better is None:
                self._keep(decision)
                return decision.reason
            return self._ask(better)
        if decision.source == self._exhausted:
            self._tell_available(f"they move to {decision.target}")
        return self._ask(decision)

    def _learn(self, accounts: list[Candidate]) -> None:
        """Note what the windows that rose have cost."""
        self._costs.count(usage.statuslines(self._store))
        if learned := self._costs.settle(accounts, choices.costs(self._store)):
            with self._store.transaction() as tx:
                for cost in learned:
                    choices.save_cost(tx, cost)

    def _rules(self) -> Rules:
        said = rules(self._config, self._clock.epoch())
        return msgspec.structs.replace(
            said,
            since_swap=self._since(swaps.last_swap(self._store)),
            since_continued=self._since(swaps.last_continued(self._store)),
            boundary=self._foresight.boundary(self._config.failover.deadline.soft) if said.forecast else 0.0,
            paused=flags.paused(self._store) is not None,
            swapping=swaps.open_swap(self._store) is not None or bool(swaps.unserved_requests(self._store)),
        )

    def _since(self, row: SwapRow | None) -> float | None:
        """Return the seconds since a swap began, None when there was none."""
        return process.seconds_since(self._clock, row) if row else None

    def _seats(self) -> list[Seat]:
        """Return the running sessions whose account the configuration knows, with where they belong."""
        names = {account.name for account in self._config.accounts}
        tied = {spec.name: spec.account or "" for spec in self._config.sessions}
        seen, tokens = sessions.sightings(self._store), usage.recache_tokens(self._store)
        return [
            Seat(
                session=p.session,
                account=p.account,
                state=seen[p.session].state,
                home=p.pinned if p.pinned in names else tied.get(p.session, ""),
                limit_resets=seen[p.session].limit_resets,
                asks=seen[p.session].waiting_for != "",
                tokens=tokens.get(p.session, 0),
            )
            for p in running_placements(self._store)
            if p.account in names and p.session in seen and seen[p.session].pid == p.pid
        ]

    def _keep(self, decision: Decision) -> None:
        """Keep why, where it is another decision than the one that stands, or its sentences have aged."""
        now_ms, standing = self._store.now_ms(), self._standing
        if standing is not None and choices.same(standing, decision):
            told = (standing.reason, standing.verdicts) == (decision.reason, decision.verdicts)
            if told or 0 <= now_ms - standing.at_ms < _RENEWED_EACH_MS:
                return
        with self._store.transaction() as tx:
            self._standing = choices.keep(tx, standing, decision, now_ms)

    def _ask(self, wanted: Swap) -> str:
        with self._store.transaction() as tx:
            self._standing = choices.keep(tx, None, wanted, self._store.now_ms())
            request = usage.request_swap(tx, self._store.now_ms(), wanted)
            tx.emit(
                SwapWanted(
                    request=request,
                    source=wanted.source,
                    target=wanted.target,
                    urgency=wanted.urgency,
                    reason=wanted.reason,
                )
            )
        if wanted.source == wanted.target:
            return f"asked to continue {', '.join(wanted.sessions)} because {wanted.reason}"
        return f"asked for a swap from {wanted.source} to {wanted.target} because {wanted.reason}"

    def _tell_exhausted(self, stay: Stay) -> None:
        """Report once that there is nowhere to go, and again only after that had ended."""
        if not stay.exhausted:
            if self._exhausted and not stay.source:
                self._tell_available(stay.reason)
        elif self._exhausted != stay.source:
            self._exhausted = stay.source
            with self._store.transaction() as tx:
                tx.emit(AllExhausted(source=stay.source, until=stay.until, reason=stay.reason))

    def _tell_available(self, reason: str) -> None:
        """Report that there is somewhere to go again."""
        with self._store.transaction() as tx:
            tx.emit(AvailableAgain(source=self._exhausted, reason=reason))
        self._exhausted = ""
