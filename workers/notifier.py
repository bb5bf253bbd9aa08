"""notifier: tells people and programs of what happened, each sink at its own pace, nothing lost over a restart."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence

from failover.core.notice import KINDS
from failover.events import Envelope
from failover.host.wake import pipe
from failover.notify.delivery import Delivery
from failover.notify.intake import Intake
from failover.notify.roles import RoleWatch
from failover.runtime import SETTLE, Host, run
from failover.store import outbox

#: How long the end waits for what is under way, all sinks together (seconds).
_LAST_WORDS = 2.0
#: What happens within this time after a look is looked at together (seconds).
_REST = 0.25


class Notifier:
    """Events become notices that wait in the outbox; from there each sink has a thread of its own."""

    name = "notifier"
    topics: tuple[str, ...] = KINDS

    def __init__(self, host: Host) -> None:
        self._store, self._clock = host.store, host.clock
        self._bell, self._wake = pipe()
        self._intake = Intake(host.config, host.store, host.clock)
        self._roles = RoleWatch(host.store, host.clock, self.name)
        self._deliveries = [Delivery(spec, host.store, host.clock, self._wake) for spec in host.config.notify]

    def cycle(self, heard: Sequence[Envelope]) -> str:
        """Look at what is new, and send what is due."""
        with contextlib.suppress(BlockingIOError):
            while os.read(self._bell, 64):
                pass
        wrong = self._roles.look()
        self._intake.cycle()
        said = [delivery.cycle() for delivery in self._deliveries]
        return "; ".join(one for one in (*said, wrong) if one)

    def wake_after(self) -> float:
        """Return the seconds until a sink that failed is tried again, at most five."""
        rows = outbox.sinks(self._store)
        failed = [one for one in self._deliveries if rows[one.spec.name].failures and not one.is_busy]
        return min([5.0, *(max(0.05, one.due_in(rows[one.spec.name])) for one in failed)])

    def descriptors(self) -> Sequence[int]:
        """Return what is readable when a sink has answered."""
        return (self._bell,)

    def close(self) -> None:
        """Note what was under way, as far as it comes to its end."""
        until = self._clock.monotonic() + _LAST_WORDS
        for delivery in self._deliveries:
            delivery.close(max(0.0, until - self._clock.monotonic()))
        if not any(delivery.is_busy for delivery in self._deliveries):  # else a thread still holds the other end
            os.close(self._bell)
            os.close(self._wake)


def main() -> None:
    """Run the role."""
    run("notifier", Notifier, rest=_REST, settle=SETTLE)


if __name__ == "__main__":
    main()
