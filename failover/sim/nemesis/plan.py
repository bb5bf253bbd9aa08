"""What a run of the nemesis does and when: made from its seed alone, before anything is started.

Pure: equal arguments give equal plans. What an act meets when its time comes (which process has a role, which account
is in use) is found out then, so two runs of one seed do the same things to worlds that are not quite the same.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from failover.host.daemon import ROLES

#: A deck holds each fault as often as it comes in one round: rarely what all roles feel, every role once.
_DECK: dict[str, int] = {
    "kill-role": len(ROLES),
    "stop-role": 4,
    "garbage": 2,
    "throttle": 2,
    "crash-session": 2,
    "pause": 2,
    "clock": 2,
    "disk-full": 1,
    "kill-supervisord": 1,
    "down-up": 1,
}
FAULTS = tuple(_DECK)
#: What keeps sessions moving; the windows of accounts open again by themselves.
SWAPS = ("cross", "order", "cross", "spend-5h", "order-one", "spend-7d", "cross", "restart")
#: How far the time of day is set wrong (seconds): no run lasts half as long, so that a stamp tells that it is wrong.
HOUR, DAY = 3600, 86400
GARBAGE = ("bytes", "oversized", "nested", "wrong-shape", "forged", "flood", "sockets")


@dataclass(frozen=True)
class Act:
    """One thing to do. at: seconds from the start; kind: of FAULTS or SWAPS; how: whatever it needs to know."""

    at: float
    kind: str
    how: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return " ".join([self.kind, *(f"{key}={value}" for key, value in self.how.items())])


@dataclass(frozen=True)
class TaskSpec:
    """A task that a session can do: one tool after another, each of so many seconds."""

    name: str
    project: str
    steps: tuple[float, ...]


@dataclass(frozen=True)
class Pace:
    """How fast things happen (seconds from one to the next, at least and at most)."""

    faults: tuple[float, float] = (0.7, 2.3)
    swaps: tuple[float, float] = (4.0, 9.0)
    steps: tuple[float, float] = (0.3, 2.0)


SIMULATED = Pace()
#: Each start of the real binary costs seconds of a core.
REAL = Pace(faults=(3.0, 8.0), swaps=(15.0, 30.0), steps=(1.0, 4.0))


def acts(seed: int, seconds: float, sessions: Sequence[str], accounts: Sequence[str], pace: Pace) -> list[Act]:
    """Return all faults and swaps of a run of `seconds`, in order."""
    luck = random.Random(f"acts {seed}")
    found: list[Act] = []
    roles, kinds = _dealt(luck, ROLES), _dealt(luck, [kind for kind, times in _DECK.items() for _ in range(times)])
    names, bad = _dealt(luck, sessions), _dealt(luck, GARBAGE)
    at = 3.0 + luck.uniform(*pace.faults)
    while at < seconds:
        found.append(_fault(at, next(kinds), luck, roles, names, bad))
        at += luck.uniform(*pace.faults)
    swaps = _dealt(luck, SWAPS)
    at = 2.0 + luck.uniform(0, pace.swaps[0])
    while at < seconds:
        found.append(_swap(at, next(swaps), luck, names, accounts))
        at += luck.uniform(*pace.swaps)
    return sorted(found, key=lambda act: act.at)


def tasks(seed: int, projects: Sequence[str], pace: Pace) -> Iterator[TaskSpec]:
    """Yield tasks without end. One in twelve has a step that a hard deadline interrupts."""
    luck = random.Random(f"tasks {seed}")
    number = 0
    while True:
        number += 1
        steps = [round(luck.uniform(*pace.steps), 1) for _ in range(luck.randint(2, 5))]
        if luck.random() < 1 / 12:
            steps[luck.randrange(len(steps))] = 14.0
        yield TaskSpec(f"t{number:03}", luck.choice(projects), tuple(steps))


def _fault(
    at: float, kind: str, luck: random.Random, roles: Iterator[str], names: Iterator[str], bad: Iterator[str]
) -> Act:
    how: dict[str, Any] = {}
    match kind:
        case "kill-role":
            how = {"role": next(roles)}
        case "stop-role":
            how = {"role": luck.choice(ROLES), "seconds": round(luck.uniform(1, 5), 1)}
        case "garbage":
            how = {"sort": next(bad), "salt": luck.randrange(10**6)}
        case "throttle":
            how = {"mode": luck.choice(["429plain", "529"]), "seconds": round(luck.uniform(1, 4), 1)}
        case "crash-session":
            how = {"session": next(names), "seconds": round(luck.uniform(0.3, 2), 1)}
        case "clock":
            how = {"off_by": luck.choice([-DAY, -HOUR, HOUR, DAY]), "seconds": round(luck.uniform(1, 5), 1)}
        case "pause" | "disk-full":
            how = {"seconds": round(luck.uniform(1, 4), 1)}
        case "kill-supervisord" | "down-up":
            how = {"seconds": round(luck.uniform(0.1, 2), 1)}
    return Act(round(at, 2), kind, how)


def _swap(at: float, kind: str, luck: random.Random, names: Iterator[str], accounts: Sequence[str]) -> Act:
    how: dict[str, Any] = {}
    match kind:
        case "cross":
            how = {"used": round(luck.uniform(0.91, 0.97), 2)}
        case "order":
            how = {"to": luck.choice(list(accounts))}
        case "order-one":
            how = {"to": luck.choice(list(accounts)), "session": next(names)}
        case "restart":
            how = {"session": next(names)}
    return Act(round(at, 2), kind, how)


def _dealt(luck: random.Random, cards: Sequence[str]) -> Iterator[str]:
    """Deal cards without end; each comes once a round, in an order that changes."""
    while True:
        deck = list(cards)
        luck.shuffle(deck)
        yield from deck
