"""The memory of each role over a long run, and whether it stays flat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median

from failover.host.process import ProcessId
from failover.host.resources import proportional
from failover.host.roles import ROLES
from failover.sim.world import World

#: A role's memory counts as flat when the last quarter of the run lies at most this far above the second one.
FLAT_WITHIN = 1.05
MIB = 2**20


class Memory:
    """Samples of the roles of one daemon. samples: role → MiB of PSS, in the order in which they were taken."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.roles = self._processes()
        self.samples: dict[str, list[float]] = {}

    def sample(self) -> None:
        """Look at each role once; one that has ended is left out."""
        for role, one in self.roles.items():
            if (share := proportional(one)) is not None:
                self.samples.setdefault(role, []).append(share / MIB)

    def quarters(self) -> dict[str, list[float]]:
        """Return the median of each quarter of the run, by role."""
        return {role: quarters(samples) for role, samples in self.samples.items()}

    def started_anew(self) -> bool:
        """Say whether a role is another process than at the beginning."""
        return self._processes() != self.roles

    def _processes(self) -> dict[str, ProcessId]:
        rows = self._world.query("SELECT role, pid, start FROM roles")
        return {row["role"]: ProcessId(row["pid"], row["start"]) for row in rows if row["role"] in ROLES}


def quarters(samples: Sequence[float]) -> list[float]:
    """Return the median of each quarter of a run."""
    size = max(1, len(samples) // 4)
    return [round(median(samples[min(place * size, len(samples) - 1) :][:size]), 2) for place in range(4)]


def grown(by_role: Mapping[str, Sequence[float]]) -> dict[str, Sequence[float]]:
    """Return the quarters of those roles whose memory is not flat."""
    return {role: found for role, found in by_role.items() if found[3] > found[1] * FLAT_WITHIN}
