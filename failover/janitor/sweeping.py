"""All sweeps, one after another; one that fails does not keep the others from their work."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from failover.errors import HostError
from failover.events import Swept
from failover.janitor import finished, history, leftovers, markers, of_claude, orphans, upkeep
from failover.janitor.ground import MOST, Finding, Ground, Sweep

#: Names that an event tells.
_NAMES = 20


class Done(msgspec.Struct, frozen=True):
    """What a sweep did. more: something is left that a sweep was too short for; troubles: what could not be done."""

    findings: tuple[Finding, ...]
    sentence: str
    more: bool
    troubles: tuple[str, ...] = ()


class Sweeper:
    """Finds and clears. A dry run makes one of its own and only finds."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._orphans = orphans.Orphans(ground)
        self._sweeps: list[Sweep] = [
            # In such an order that none changes what a later one finds: a dry run tells just what is done.
            upkeep.OldBackups(ground),
            upkeep.Backups(ground),  # before any row goes
            markers.Markers(ground),
            finished.Finished(ground),
            leftovers.Parts(ground),
            leftovers.Launches(ground),
            leftovers.Logs(ground),
            of_claude.Registry(ground),
            of_claude.Links(ground),
            self._orphans,
            *history.histories(ground),
        ]

    @property
    def waits(self) -> bool:
        """Say whether a process was told to end and is to be looked at again soon."""
        return self._orphans.waits

    def find(self) -> tuple[list[Finding], list[str]]:
        """Return what a sweep would do now, and what it could not look at."""
        found = [one for sweep in self._sweeps for one in self._found(sweep)]
        return found, self._troubles()

    def sweep(self) -> Done:
        """Do it all. Raises StoreError."""
        done, more, said = list[Finding](), False, list[str]()
        for sweep in self._sweeps:
            cleared = list(self._clear(sweep))
            count = sum(one.count for one in cleared)
            more = more or count >= MOST
            done += cleared
            if count:
                said.append(f"{count} {sweep.kind}")
            if count and not sweep.rows:
                names = tuple(one.subject for one in cleared[:_NAMES])
                with self._ground.store.transaction() as tx:
                    tx.emit(Swept(what=sweep.kind, count=count, names=names))
        upkeep.shorten_log(self._ground)
        troubles = self._troubles()
        sentence = "; ".join([*(["swept " + ", ".join(said)] if said else []), *troubles])
        return Done(tuple(done), sentence, more, tuple(troubles))

    def _clear(self, sweep: Sweep) -> Iterator[Finding]:
        for one in self._found(sweep):
            try:
                count = sweep.clear(one)
            except HostError as error:
                self._ground.troubles.append(str(error))
                continue
            if count:
                yield msgspec.structs.replace(one, count=count)

    def _found(self, sweep: Sweep) -> list[Finding]:
        try:
            return sweep.find()
        except HostError as error:
            self._ground.troubles.append(str(error))
            return []

    def _troubles(self) -> list[str]:
        told = list(dict.fromkeys(self._ground.troubles))
        self._ground.troubles.clear()
        return told
