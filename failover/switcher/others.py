"""Who else is on a conversation: it is never resumed while an old process, or a stranger's, may live on it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from functools import cached_property

from failover.claude.registry import Registry
from failover.host import process
from failover.host.process import ProcessId

#: How long a look at the arguments of all processes is good (seconds). A launch takes one or two hundredths; where many
#: go at once, the last of them must not rest on what was so before the first.
_GOOD_FOR = 0.1


class Others:
    """One look at the registry and at the arguments of all processes, shared by all who ask."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._lines: Sequence[tuple[int, bytes]] = ()
        self._until = 0.0  # monotonic seconds
        self._found: dict[tuple[str, frozenset[int]], tuple[int, ...]] = {}

    @cached_property
    def _registered(self) -> Mapping[str, Sequence[ProcessId]]:
        """The processes by what the registry says that they are on. Some are dead: who was killed leaves his entry."""
        found: dict[str, list[ProcessId]] = {}
        for entry in self._registry.read():
            found.setdefault(entry.conversation, []).append(ProcessId(entry.pid, entry.start))
        return found

    @property
    def lines(self) -> Sequence[tuple[int, bytes]]:
        """The numbers and arguments of all processes, now or a moment ago. A hundred moves ask for one conversation
        each."""
        if (now := time.monotonic()) >= self._until:
            self._until, self._found = now + _GOOD_FOR, {}
            self._lines = tuple(process.command_lines())
        return self._lines

    def on(self, conversation: str, ours: set[int]) -> tuple[int, ...]:
        """Return the live processes on a conversation, by registry and by arguments, less `ours`."""
        lines, asked = self.lines, (conversation, frozenset(ours))
        if asked not in self._found:
            self._found[asked] = self._look(lines, conversation, ours)
        return self._found[asked]

    def _look(self, lines: Sequence[tuple[int, bytes]], conversation: str, ours: set[int]) -> tuple[int, ...]:
        """Look for the processes on a conversation, less `ours`.

        A child of ours has our arguments until it becomes another program: it is ours too. It may have done so, or have
        died, before its parent is asked for, so whoever is found is looked at once more after that.
        """
        found = set(self._registered.get(conversation, ()))
        named = set(process.among(lines, conversation))
        strangers = [one for one in found | named if not ours.intersection((one.pid, *process.ancestors(one.pid)))]
        return tuple(
            sorted(
                one.pid
                for one in strangers
                if (process.alive(one) if one in found else conversation in process.cmdline(one))
            )
        )
