"""The accounts as the policy sees them: configuration, readings that count, sessions that run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from failover.config import Config
from failover.core.policy import Candidate, needs
from failover.core.usage import fuse
from failover.host import process
from failover.host.process import ProcessId
from failover.store import sessions, swaps, tasks, usage
from failover.store.db import Store
from failover.store.sessions import Placement

#: How long an account that turned out to be no target is none for the policy (milliseconds).
_TROUBLE_LASTS_MS = 1_800_000


def candidates(config: Config, store: Store, now: float) -> list[Candidate]:
    """Return every configured account with what is known of it. now: epoch seconds."""
    fused = fuse(usage.bearing(store, int(now * 1000)), now)
    trouble = swaps.troubled(store, int(now * 1000) - _TROUBLE_LASTS_MS)
    running = running_placements(store)
    needed = movable(config, store, running)
    on, using = Counter(p.account for p in running), Counter(p.account for p in needed)
    return [
        Candidate(
            name=account.name,
            priority=account.priority,
            thresholds={"five_hour": account.thresholds.five_hour, "seven_day": account.thresholds.seven_day},
            readings={window: reading for (name, window), reading in fused.counting.items() if name == account.name},
            opened=tuple(sorted(window for name, window in fused.opened if name == account.name)),
            sessions=on[account.name],
            in_use=using[account.name],
            trouble=trouble.get(account.name, ""),
            enabled=account.enabled,
        )
        for account in config.accounts
    ]


def running_placements(store: Store) -> list[Placement]:
    """Return the placements of sessions that use their account; one that is just being started does."""
    return [p for p in sessions.placements(store).values() if _runs(p)]


def movable(config: Config, store: Store, placed: Sequence[Placement]) -> list[Placement]:
    """Return those of `placed` that have to leave an account at its threshold (see `failover.idle_sessions`)."""
    mode = config.failover.idle_sessions
    if mode == "move":
        return list(placed)
    seen = sessions.sightings(store)
    waiting = tasks.projects_with_queued(store) if mode == "lazy" else frozenset()
    return [
        p for p in placed if needs(seen[p.session].state if p.session in seen else "unknown", mode, p.cwd in waiting)
    ]


def _runs(placement: Placement) -> bool:
    if placement.wanted != "running":
        return False
    return not placement.pid or process.alive(ProcessId(placement.pid, placement.start))
