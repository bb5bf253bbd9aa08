"""The ends of many processes, each told by a descriptor that is held of it."""

from __future__ import annotations

import os
import select
from collections.abc import Collection, Iterable, Mapping, Sequence

from failover.host import process
from failover.host.process import ProcessId


class Deaths:
    """Descriptors of processes, and to whom (a session) each belongs."""

    def __init__(self) -> None:
        self._ends: dict[ProcessId, int] = {}
        self._of: dict[ProcessId, str] = {}

    @property
    def descriptors(self) -> Sequence[int]:
        """Return what becomes readable when one of them ends."""
        return tuple(self._ends.values())

    def dead(self) -> set[ProcessId]:
        """Return the processes whose descriptor tells of their end."""
        poll = select.poll()
        for descriptor in self._ends.values():
            poll.register(descriptor, select.POLLIN)
        readable = {descriptor for descriptor, _ in poll.poll(0)}
        return {one for one, descriptor in self._ends.items() if descriptor in readable} if readable else set()

    def alive(self, one: ProcessId, dead: Collection[ProcessId]) -> bool:
        """Say whether a process lives: one poll has told it of all that are held, the others are looked up.

        Hundreds of looks into /proc would be half of a cycle.
        """
        return one not in dead if one in self._ends else process.alive(one)

    def owners(self, dead: Iterable[ProcessId]) -> set[str]:
        """Return whose processes these are; they are held."""
        return {self._of[one] for one in dead}

    def owners_of(self, pids: Collection[int]) -> set[str]:
        """Return whose processes have these numbers, of those that are held."""
        return {owner for one, owner in self._of.items() if one.pid in pids}

    def hold(self, wanted: Mapping[ProcessId, str], dead: Collection[ProcessId], everybody: bool) -> None:
        """Hold these processes; let those go whose death was seen, not those that died since: they wake once more.

        everybody: whether these are all that there are; else it goes by their owners.
        """
        owners = set(wanted.values())
        for one in list(self._ends):
            if (everybody and one not in wanted) or (one in dead and (everybody or self._of[one] in owners)):
                os.close(self._ends.pop(one))
                del self._of[one]
        for one in wanted.keys() - self._ends.keys():
            if (descriptor := process.open_end(one)) is not None:
                self._ends[one], self._of[one] = descriptor, wanted[one]

    def close(self) -> None:
        """Let all go."""
        for descriptor in self._ends.values():
            os.close(descriptor)
