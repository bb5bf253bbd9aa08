"""A cell of the crash matrix, as data: which process is killed at which point of which swap, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Victim = Literal["account-switcher", "bus", "supervisord", "tmux"]
When = Literal["before", "after"]
VICTIMS: tuple[Victim, ...] = ("account-switcher", "bus", "supervisord", "tmux")
WHEN: tuple[When, ...] = ("before", "after")
#: Seconds from the kill within which the roles must work again and the swap have taken its next step.
RECOVERS_WITHIN = 5.0


@dataclass(frozen=True)
class Scenario:
    """A kind of swap.

    steps: the states that it leads its moves through (failover/core/move.py); ends: those in which they may end;
    target_mode: how the API treats the target's account (failover/sim/meter.py).
    """

    name: str
    steps: tuple[str, ...]
    ends: tuple[str, ...] = ("verified",)
    target_mode: str = "ok"


@dataclass(frozen=True)
class Cell:
    """Kill `victim` when a move enters `step`: before that is written, or after. Without a victim nothing is killed."""

    scenario: Scenario
    victim: Victim | None = None
    step: str = "verified"
    when: When = "after"


@dataclass
class Result:
    """What came of a cell.

    hit: the session whose move was at the point; back: seconds from the kill until what was killed worked again; moved:
    until the swap had taken its next step; end: until the swap's end; swap: from the swap's beginning to its end;
    undisturbed: the same where nothing is killed; problems: why it did not recover, in sentences.
    """

    victim: str
    step: str
    when: str
    scenario: str
    outcome: Literal["recovered", "slow", "failed", "skipped"] = "skipped"
    hit: str = ""
    back: float | None = None
    moved: float | None = None
    end: float | None = None
    swap: float | None = None
    undisturbed: float | None = None
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def recovery(self) -> float | None:
        """Return the seconds from the kill until all worked and the swap had gone on, None when it never came to it."""
        return None if self.back is None or self.moved is None else max(self.back, self.moved)


def blank(cell: Cell) -> Result:
    """Return the result of a cell that was not played."""
    scenario = cell.scenario.name
    return Result(cell.victim, cell.step, cell.when, scenario) if cell.victim else Result("(none)", "", "", scenario)
