"""quota-monitor: readings of each account's windows, and the wish for a swap when policy says so."""

from __future__ import annotations

from collections.abc import Sequence

from failover.candidates import candidates, running_placements
from failover.core import homecoming, policy
from failover.core.homecoming import Seat
from failover.core.policy import Rules, Stay
from failover.events import AllExhausted, Envelope, SwapWanted
from failover.host import process
from failover.quota.ledger import Ledger
from failover.quota.poller import Poller
from failover.quota.sources import Statuslines, limits
from failover.runtime import Host, run
from failover.store import flags, sessions, swaps, usage
from failover.store.swaps import SwapRow


class QuotaMonitor:
    """Gathers readings and asks for a swap."""

    name = "quota-monitor"
    topics: tuple[str, ...] = ("usage.pushed", "session.", "swap.started", "swap.finished", "operator.")

    def __init__(self, host: Host) -> None:
        self._config, self._store, self._clock = host.config, host.store, host.clock
        self._ledger, self._statuslines, self._poller = Ledger(host.store), Statuslines(host.store), Poller(host)
        self._exhausted = ""

    def cycle(self, heard: Sequence[Envelope]) -> str:
        """Read what is new, decide, and ask for a swap if one is due."""
        self._ledger.keep([*self._statuslines.read(), *limits(self._store), *self._poller.step()])
        accounts, rules = candidates(self._config, self._store, self._clock.epoch()), self._rules()
        decision = policy.decide(accounts, rules)
        if isinstance(decision, Stay):
            self._tell_exhausted(decision)
            if rules.paused or rules.swapping:
                return decision.reason
            seats = self._seats()
            better = homecoming.continued(accounts, seats, rules) or homecoming.fail_back(accounts, seats, rules)
            return self._ask(better) if better else decision.reason
        self._exhausted = ""
        return self._ask(decision)

    def wake_after(self) -> float:
        """Return the seconds until the next look."""
        return 5.0

    def descriptors(self) -> Sequence[int]:
        """Return where the answer that is awaited comes in; all else that it reads rings."""
        return self._poller.descriptors()

    def close(self) -> None:
        """End what is being asked."""
        self._poller.close()

    def _seats(self) -> list[Seat]:
        """Return the running sessions whose account the configuration knows, with where they belong."""
        names = {account.name for account in self._config.accounts}
        tied = {spec.name: spec.account or "" for spec in self._config.sessions}
        seen = sessions.sightings(self._store)
        return [
            Seat(
                session=p.session,
                account=p.account,
                state=seen[p.session].state,
                home=p.pinned if p.pinned in names else tied.get(p.session, ""),
                limit_resets=seen[p.session].limit_resets,
                asks=seen[p.session].waiting_for != "",
            )
            for p in running_placements(self._store)
            if p.account in names and p.session in seen and seen[p.session].pid == p.pid
        ]

    def _rules(self) -> Rules:
        return Rules(
            margin=self._config.failover.margin,
            cooldown=self._config.failover.cooldown,
            wait_if_reset_within=self._config.failover.wait_if_reset_within,
            now=self._clock.epoch(),
            since_swap=self._since(swaps.last_swap(self._store)),
            since_continued=self._since(swaps.last_continued(self._store)),
            fail_back=self._config.failover.fail_back,
            paused=flags.paused(self._store) is not None,
            swapping=swaps.open_swap(self._store) is not None or bool(swaps.unserved_requests(self._store)),
        )

    def _since(self, row: SwapRow | None) -> float | None:
        """Return the seconds since a swap began, None when there was none."""
        return process.seconds_since(self._clock, row) if row else None

    def _ask(self, wanted: policy.Swap) -> str:
        with self._store.transaction() as tx:
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
            self._exhausted = "" if not stay.source else self._exhausted
        elif self._exhausted != stay.source:
            self._exhausted = stay.source
            with self._store.transaction() as tx:
                tx.emit(AllExhausted(source=stay.source, until=stay.until, reason=stay.reason))


def main() -> None:
    """Run the role."""
    run("quota-monitor", QuotaMonitor)


if __name__ == "__main__":
    main()
