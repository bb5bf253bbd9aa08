"""quota-monitor: readings of each account's windows, and the wish for a swap when policy says so."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from failover.candidates import candidates, running_placements
from failover.core import homecoming, policy
from failover.core.homecoming import Seat
from failover.core.policy import Rules, Stay
from failover.core.usage import WINDOWS, Reading, worth_noting
from failover.events import AllExhausted, Envelope, SwapWanted, UsageRead
from failover.host import process
from failover.runtime import Host, run
from failover.store import flags, sessions, swaps, usage
from failover.store.swaps import SwapRow
from failover.store.usage import StatuslineRow


class _Window(msgspec.Struct, frozen=True):
    used_percentage: float
    resets_at: int | None = None


class _Body(msgspec.Struct, frozen=True):
    rate_limits: dict[str, _Window | None] | None = None


_body = msgspec.json.Decoder(_Body, strict=False)


class QuotaMonitor:
    """Fuses statusline pushes and limit records, and asks for a swap."""

    name = "quota-monitor"
    topics: tuple[str, ...] = ("usage.pushed", "session.", "swap.started", "swap.finished", "operator.")

    def __init__(self, host: Host) -> None:
        self._config, self._store, self._clock = host.config, host.store, host.clock
        self._taken: dict[str, int] = {}  # session → at_ms of the push that was read last
        self._last: dict[tuple[str, str], Reading] = {}
        self._exhausted = ""

    def cycle(self, heard: Sequence[Envelope]) -> str:
        """Read what is new, decide, and ask for a swap if one is due."""
        noted = [reading for reading in (*self._pushed(), *self._limits()) if self._is_news(reading)]
        if noted:
            with self._store.transaction() as tx:
                for reading in noted:
                    usage.note(tx, reading)
                    tx.emit(
                        UsageRead(
                            account=reading.account,
                            window=reading.window,
                            used=reading.used,
                            resets_at=reading.resets_at,
                            source=reading.source,
                        )
                    )
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
        """Return nothing: all it reads rings."""
        return ()

    def close(self) -> None:
        """Hold nothing."""

    def _is_news(self, reading: Reading) -> bool:
        key = (reading.account, reading.window)
        last = self._last.get(key)
        if last is not None and last.observed_ms > self._store.now_ms():
            last = msgspec.structs.replace(last, observed_ms=0)  # the clock was set back: it says nothing of the order
        if not worth_noting(last, reading):
            return False
        self._last[key] = reading
        return True

    def _pushed(self) -> list[Reading]:
        found: list[Reading] = []
        for row in usage.statuslines(self._store):
            if row.at_ms != self._taken.get(row.session):
                self._taken[row.session] = row.at_ms
                found += _readings(row)
        return found

    def _limits(self) -> list[Reading]:
        """Return what sessions tell of the account on which a limit stopped them: those that still stand there (the
        watcher saw the record itself), and those that were moved on."""
        placed = sessions.placements(self._store)
        met = [
            Reading(
                account=one.account,
                window=one.window,
                used=100.0,
                resets_at=one.resets_at,
                observed_ms=one.at_ms,
                source="limit record",
            )
            for one in swaps.limits_met(self._store)
            if one.window in WINDOWS
        ]
        return met + [
            Reading(
                account=placed[name].account,
                window=seen.limit_window,
                used=100.0,
                resets_at=seen.limit_resets or None,
                observed_ms=seen.since_ms,
                source="limit record",
            )
            for name, seen in sessions.sightings(self._store).items()
            if seen.state == "limited"
            and seen.limit_window in WINDOWS
            and name in placed
            and (seen.pid, seen.start) == (placed[name].pid, placed[name].start)
        ]

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


def _readings(row: StatuslineRow) -> list[Reading]:
    """Return what a push tells; the account is the one that its launch was given, never guessed."""
    try:
        limits = _body.decode(row.body).rate_limits or {}
    except msgspec.MsgspecError:
        return []
    return [
        Reading(
            account=row.account,
            window=name,
            used=window.used_percentage,
            resets_at=window.resets_at,
            observed_ms=row.at_ms,
            source="statusline",
        )
        for name, window in limits.items()
        if name in WINDOWS and window is not None and 0 <= window.used_percentage <= 1000
    ]


def main() -> None:
    """Run the role."""
    run("quota-monitor", QuotaMonitor)


if __name__ == "__main__":
    main()
