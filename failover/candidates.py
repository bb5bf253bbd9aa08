"""The accounts as the policy sees them: configuration, readings that count, sessions that run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from failover.config import Config
from failover.core.choice import Candidate, Load, Rules
from failover.core.cost import per_point
from failover.core.forecast import Forecast, forecast
from failover.core.policy import needs
from failover.core.usage import fuse
from failover.host import process
from failover.host.process import ProcessId
from failover.store import choices, flags, sessions, tasks, usage, verdicts
from failover.store.db import Store
from failover.store.sessions import Placement, Sighting

#: So many of the last readings of a window tell what counts now, and so many what is to be expected.
_PRESENT, _HISTORY = 60, 400

#: How long an account that turned out to be no target is none for the policy (milliseconds).
_TROUBLE_LASTS_MS = 1_800_000


def rules(config: Config, now: float) -> Rules:
    """Return what the configuration says of every decision. now: epoch seconds."""
    said = config.failover
    return Rules(
        strategy=said.strategy,
        margin=said.margin,
        cooldown=said.cooldown,
        wait_if_reset_within=said.wait_if_reset_within,
        now=now,
        fail_back=said.fail_back,
        forecast=said.forecast,
        parallel=said.max_parallel,
    )


def candidates(config: Config, store: Store, now: float) -> list[Candidate]:
    """Return every configured account with what is known of it, but for forecasts. now: epoch seconds."""
    thresholds = {account.name: account.limits(config.failover.models) for account in config.accounts}
    recent = [
        reading
        for name, windows in thresholds.items()
        for window in windows
        for reading in usage.newest_of(store, name, window, _PRESENT)
    ]
    fused = fuse(recent, now)
    bills = verdicts.bills(store)
    trouble = verdicts.troubled(store, int(now * 1000) - _TROUBLE_LASTS_MS)
    off = flags.disabled(store, int(now * 1000))
    running = running_placements(store)
    needed = movable(config, store, running)
    on, using = Counter(p.account for p in running), Counter(p.account for p in needed)
    tokens, costs = usage.recache_tokens(store), choices.costs(store)
    found = []
    for account in config.accounts:
        readings = {window: reading for (name, window), reading in fused.counting.items() if name == account.name}
        since_ms = max((reading.observed_ms for reading in readings.values()), default=0)
        found.append(
            Candidate(
                name=account.name,
                priority=account.priority,
                thresholds=thresholds[account.name],
                readings=readings,
                opened=tuple(sorted(window for name, window in fused.opened if name == account.name)),
                sessions=on[account.name],
                in_use=using[account.name],
                loads=tuple(
                    Load(session=p.session, tokens=tokens.get(p.session, 0), pinned=p.pinned == p.account)
                    for p in needed
                    if p.account == account.name
                ),
                trouble=trouble.get(account.name, ""),
                enabled=account.enabled and account.name not in off,
                paid=account.is_paid,
                use=account.paid,
                tokens_per_point={
                    window: cost
                    for window in thresholds[account.name]
                    if (one := costs.get((account.name, window))) and (cost := per_point(one))
                },
                reserve=account.reserve,
                standby=account.standby,
                owed=sum(tokens for at_ms, tokens in bills.get(account.name, ()) if at_ms > since_ms),
            )
        )
    return found


def foresee(store: Store, account: Candidate, window: str, now: float) -> tuple[Forecast | None, Forecast | None]:
    """Return when a window is expected at its threshold, and when at its limit. now: epoch seconds."""
    history = usage.newest_of(store, account.name, window, _HISTORY)
    return forecast(history, account.leaves_at(window), now), forecast(history, 100.0, now)


def running_placements(store: Store) -> list[Placement]:
    """Return the placements of sessions that use their account; one that is just being started does."""
    seen = sessions.sightings(store)
    return [p for p in sessions.placements(store).values() if _runs(p, seen.get(p.session))]


def telling(store: Store) -> set[str]:
    """Return the accounts on which a session runs that tells what is used of them: one with hooks of ours.

    One that was adopted has none until its next start.
    """
    return {p.account for p in running_placements(store) if p.launch}


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


def _runs(placement: Placement, seen: Sighting | None) -> bool:
    if placement.wanted != "running":
        return False
    if seen is not None and (seen.pid, seen.start) == (placement.pid, placement.start):
        # Deaths are seen as they come; a hundred looks into /proc would be most of what this costs.
        return seen.state not in ("exited", "stopped")
    return not placement.pid or process.alive(ProcessId(placement.pid, placement.start))
