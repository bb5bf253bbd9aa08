"""One demand under several policies, and what came of it in figures."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from failover.candidates import rules
from failover.core import policy
from failover.core.boundary import reach
from failover.core.choice import Candidate
from failover.replay.demand import Demand
from failover.replay.pilot import Pilot
from failover.replay.policies import Policy
from failover.replay.world import Record, World


class Unused(msgspec.Struct, frozen=True):
    """What was left of a window when its periods ended. periods: how many; percent: of their quota."""

    periods: int
    tokens: int
    percent: float


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a demand under one policy.

    asked, done, left, recached: tokens (as in failover/replay/demand.py); blocked: seconds, of all sessions, in which
    one would have worked if a limit or a move had let it; swaps: decisions to move; moves: of sessions; limits: how
    often a session was stopped by one; unused: by window.
    """

    policy: str
    asked: int
    done: int
    left: int
    blocked: float
    swaps: int
    moves: int
    limits: int
    recached: int
    unused: dict[str, Unused]


def play(demand: Demand, given: Policy, tick: Callable[[float], None] = lambda share: None) -> tuple[Result, Record]:
    """Return what comes of a demand under a policy. tick: told now and then how much of it is over (0 to 1)."""
    lengths = [turn.seconds / turn.batches for turn in demand.turns for _ in range(turn.batches)]
    names = [account.name for account in given.config.accounts]
    world = World(demand, names, _first(given), Pilot(given.config, given.bill, reach(lengths)))
    record = world.run(tick)
    asked = sum(turn.tokens for turn in demand.turns)
    windows: dict[str, Unused] = {}
    for place, name in enumerate(("five_hour", "seven_day")):
        ended = [account.windows[place] for account in world.accounts.values()]
        quota, unused = sum(w.ended * w.quota for w in ended), sum(w.unused for w in ended)
        windows[name] = Unused(sum(w.ended for w in ended), unused, round(100 * unused / quota, 1) if quota else 0.0)
    result = Result(
        policy=given.name,
        asked=asked,
        done=record.done,
        left=sum(session.left() for session in world.sessions.values()),
        blocked=round(sum(session.blocked for session in world.sessions.values()), 1),
        swaps=record.swaps,
        moves=record.moves,
        limits=record.limits,
        recached=record.recached,
        unused=windows,
    )
    spent = sum(account.spent for account in world.accounts.values())
    if result.done + result.left != asked or result.done + result.recached != spent:
        raise AssertionError(f"the simulator lost count of tokens: {result}, {spent} spent")
    return result, record


def compare(
    demand: Demand, policies: Sequence[Policy], tick: Callable[[Sequence[float]], None] = lambda shares: None
) -> list[tuple[Result, Record]]:
    """Return what comes of a demand under each policy; each is played by a process of its own, as many as there are
    cores. tick: told ten times a second how much of each is over (0 to 1)."""
    fork = multiprocessing.get_context("fork")
    shares: Any = fork.Array("d", len(policies))
    with fork.Pool(min(len(policies), os.cpu_count() or 1), _share_with, (demand, shares)) as pool:
        waited = pool.map_async(_play, enumerate(policies), chunksize=1)
        while not waited.ready():
            waited.wait(0.1)
            tick(list(shares))
        return waited.get()


_shared: list[Any] = []


def _share_with(demand: Demand, shares: Any) -> None:
    """Prepare a process that plays: an interrupt is the business of the one that waits for it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.disable()  # there are no cycles to find, and a short life ends them all
    _shared[:] = demand, shares


def _play(numbered: tuple[int, Policy]) -> tuple[Result, Record]:
    demand, shares = _shared
    place, given = numbered

    def tick(share: float) -> None:
        shares[place] = share

    return play(demand, given, tick)


def _first(given: Policy) -> str:
    """Return the account on which all sessions start: nothing is known of any."""
    views = [
        Candidate(
            name=one.name, priority=one.priority, thresholds=one.thresholds.of(()), readings={}, sessions=0, in_use=0,
            enabled=one.enabled, standby=one.standby,
        )
        for one in given.config.accounts
    ]  # fmt: skip
    return policy.preferred(views, rules(given.config, 0.0)).name
