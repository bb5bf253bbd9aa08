"""The accounts as the policy sees them: configuration, readings that count, sessions that run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from failover.config import Account, Config
from failover.core.policy import Candidate, needs
from failover.core.usage import newest, opened
from failover.host import process
from failover.host.process import ProcessId
from failover.store import flags, sessions, swaps, tasks, usage
from failover.store.db import Store
from failover.store.sessions import Placement

#: No window is longer than a week, so an older reading is void whatever it says (milliseconds).
_LONGEST_WINDOW_MS = 8 * 86400 * 1000

#: How long an account that turned out to be no target is none for the policy (milliseconds).
_TROUBLE_LASTS_MS = 1_800_000


def candidates(config: Config, store: Store, now: float) -> list[Candidate]:
    """Return every configured account with what is known of it. now: epoch seconds."""
    recent = usage.recent(store, int(now * 1000) - _LONGEST_WINDOW_MS)
    counting, over = newest(recent, now), opened(recent, now)
    trouble = swaps.troubled(store, int(now * 1000) - _TROUBLE_LASTS_MS)
    off = flags.disabled(store, int(now * 1000))
    running = running_placements(store)
    needed = movable(config, store, running)
    on, using = Counter(p.account for p in running), Counter(p.account for p in needed)
    return [
        Candidate(
            name=account.name,
            priority=account.priority,
            thresholds=_thresholds(account),
            readings={window: reading for (name, window), reading in counting.items() if name == account.name},
            opened=tuple(sorted(window for name, window in over if name == account.name)),
            sessions=on[account.name],
            in_use=using[account.name],
            trouble=trouble.get(account.name, ""),
            enabled=account.enabled and account.name not in off,
            paid=account.is_paid,
            use=account.paid,
        )
        for account in config.accounts
    ]


def _thresholds(account: Account) -> dict[str, float]:
    """Return the thresholds of the windows that an account has: those of a plan, or the money that it may cost."""
    limits = account.thresholds
    if account.is_paid:
        return {"spend": limits.spend} if account.cap_usd_per_day else {}
    return {"five_hour": limits.five_hour, "seven_day": limits.seven_day}


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
