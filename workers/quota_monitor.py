"""quota-monitor: readings of each account's windows, and the wish for a swap when policy says so."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from failover.candidates import candidates
from failover.core import policy
from failover.core.policy import Rules, Stay
from failover.core.usage import WINDOWS, Reading, worth_noting
from failover.events import AllExhausted, Envelope, SwapWanted, UsageRead
from failover.runtime import Host, run
from failover.store import flags, sessions, swaps, usage
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
        self._swap_seen: tuple[int, float] | None = None  # (started_ms, monotonic when it was first seen)
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
        decision = policy.decide(candidates(self._config, self._store, self._clock.epoch()), self._rules())
        if isinstance(decision, Stay):
            self._tell_exhausted(decision)
            return decision.reason
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
        if not worth_noting(self._last.get(key), reading):
            return False
        self._last[key] = reading
        return True

    def _pushed(self) -> list[Reading]:
        found: list[Reading] = []
        for row in usage.statuslines(self._store):
            if row.at_ms > self._taken.get(row.session, 0):
                self._taken[row.session] = row.at_ms
                found += _readings(row)
        return found

    def _limits(self) -> list[Reading]:
        """Return what sessions that a limit stopped tell of their account. The watcher saw the record itself."""
        placed = sessions.placements(self._store)
        return [
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

    def _rules(self) -> Rules:
        return Rules(
            margin=self._config.failover.margin,
            cooldown=self._config.failover.cooldown,
            wait_if_reset_within=self._config.failover.wait_if_reset_within,
            now=self._clock.epoch(),
            since_swap=self._since_swap(),
            paused=flags.paused(self._store) is not None,
            swapping=swaps.open_swap(self._store) is not None or bool(swaps.unserved_requests(self._store)),
        )

    def _since_swap(self) -> float | None:
        """Return the seconds since the last swap began: by the monotonic clock once this process has seen it."""
        started_ms = swaps.last_started_ms(self._store)
        if started_ms is None:
            return None
        if self._swap_seen is None or self._swap_seen[0] != started_ms:
            age = max(0.0, self._clock.epoch() - started_ms / 1000)
            self._swap_seen = (started_ms, self._clock.monotonic() - age)
        return self._clock.monotonic() - self._swap_seen[1]

    def _ask(self, decision: policy.Swap) -> str:
        with self._store.transaction() as tx:
            request = usage.request_swap(
                tx, self._store.now_ms(), decision.source, decision.target, decision.urgency, decision.reason
            )
            tx.emit(
                SwapWanted(
                    request=request,
                    source=decision.source,
                    target=decision.target,
                    urgency=decision.urgency,
                    reason=decision.reason,
                )
            )
        return f"asked for a swap from {decision.source} to {decision.target} because {decision.reason}"

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
