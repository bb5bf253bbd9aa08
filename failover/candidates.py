"""The accounts as the policy sees them: configuration, readings that count, sessions that run."""

from __future__ import annotations

from collections import Counter

from failover.config import Config
from failover.core.policy import Candidate
from failover.core.usage import newest
from failover.host import process
from failover.host.process import ProcessId
from failover.store import sessions, usage
from failover.store.db import Store
from failover.store.sessions import Placement

#: No window is longer than a week, so an older reading is void whatever it says (milliseconds).
_LONGEST_WINDOW_MS = 8 * 86400 * 1000


def candidates(config: Config, store: Store, now: float) -> list[Candidate]:
    """Return every configured account with what is known of it. now: epoch seconds."""
    counting = newest(usage.recent(store, int(now * 1000) - _LONGEST_WINDOW_MS), now)
    placed = Counter(p.account for p in sessions.placements(store).values() if _runs(p))
    return [
        Candidate(
            name=account.name,
            priority=account.priority,
            thresholds={"five_hour": account.thresholds.five_hour, "seven_day": account.thresholds.seven_day},
            readings={window: reading for (name, window), reading in counting.items() if name == account.name},
            sessions=placed[account.name],
            enabled=account.enabled,
        )
        for account in config.accounts
    ]


def _runs(placement: Placement) -> bool:
    """Say whether a session uses its account; one that is just being started does."""
    if placement.wanted != "running":
        return False
    return not placement.pid or process.alive(ProcessId(placement.pid, placement.start))
