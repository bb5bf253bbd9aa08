"""quota-monitor: readings of each account's windows, and the wish for a swap when policy says so."""

from __future__ import annotations

from collections.abc import Sequence

from failover.events import Envelope, SessionStateChanged, StatuslinePushed
from failover.quota import spending
from failover.quota.decider import Decider
from failover.quota.ledger import Ledger
from failover.quota.logins import LoginWatch
from failover.quota.poller import Poller
from failover.quota.sources import Statuslines, limits
from failover.runtime import Host, run

_AT_REST = 5.0
#: How long what tells nothing new is let go by before everything is looked at again (seconds).
_REST = 1.0


class QuotaMonitor:
    """Gathers readings and asks for a swap."""

    name = "quota-monitor"
    topics: tuple[str, ...] = (
        "usage.pushed",
        *(f"session.changed/{state}" for state in ("limited", "idle", "exited")),
        "session.adopted",
        "swap.started",
        "swap.finished",
        "operator.",
    )

    def __init__(self, host: Host) -> None:
        self._config, self._store, self._clock = host.config, host.store, host.clock
        self._ledger = Ledger(host.store, [account.name for account in host.config.accounts])
        self._statuslines, self._poller = Statuslines(host.store), Poller(host)
        self._decider = Decider(host)
        self._logins = LoginWatch(host.config, host.store, host.clock)
        self._looked, self._wakes_in = 0.0, _AT_REST

    def cycle(self, heard: Sequence[Envelope]) -> str:
        """Read what is new, decide, and ask for a swap if one is due."""
        now, self._wakes_in = self._clock.monotonic(), _AT_REST
        pushed = {one.event.session for one in heard if isinstance(one.event, StatuslinePushed)}
        # A hundred sessions push dozens of times a second, mostly what is known, and begin and end their turns.
        rests = bool(heard) and all(map(_is_calm, heard)) and now - self._looked < _REST
        news = self._ledger.keep(self._statuslines.read(pushed if rests else None))
        if rests and not news:
            self._wakes_in = self._looked + _REST - now
            return ""
        self._looked = now
        costs = [[one] for one in spending.readings(self._config, self._store)]
        self._ledger.keep([*limits(self._store), *self._poller.step(), *costs])
        return "; ".join(filter(None, (self._logins.look(), self._decider.cycle())))

    def wake_after(self) -> float:
        """Return the seconds until the next look."""
        return self._wakes_in

    def descriptors(self) -> Sequence[int]:
        """Return where the answer that is awaited comes in; all else that it reads rings."""
        return self._poller.descriptors()

    def close(self) -> None:
        """End what is being asked."""
        self._poller.close()


def _is_calm(told: Envelope) -> bool:
    """Say whether what was heard asks for no decision at once, unless a reading comes of it."""
    if isinstance(told.event, SessionStateChanged):
        return told.event.state != "limited"
    return isinstance(told.event, StatuslinePushed)


def main() -> None:
    """Run the role."""
    run("quota-monitor", QuotaMonitor)


if __name__ == "__main__":
    main()
