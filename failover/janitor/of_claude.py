"""What Claude Code and our links left in its folders: entries of dead processes, links that lead nowhere."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from failover.claude import config_dir, registry
from failover.core.retention import lasting
from failover.host import process
from failover.host.process import ProcessId
from failover.janitor.leftovers import FileSweep
from failover.store import sessions

#: An entry younger than this is one that is just being looked at by others (seconds).
_ENTRY_RESTS = 600.0


class Registry(FileSweep):
    """`sessions/PID.json` of a binary that was killed, and the `PID.HEX.key` beside it, which is not opened.

    Only a clean exit removes them, and no later start of the binary does (measured on 2.1.330). Only entries of
    conversations of ours, and only those whose process (number and start) is proven dead on this host.
    """

    kind = "registry entries"

    def _look(self) -> Iterator[tuple[Path, str]]:
        folder = self._ground.config.shared_dir / "sessions"
        entries = [one for one in registry.read_all(folder) if one.start and not _lives(one)]
        ours = sessions.conversations(self._ground.store) if entries else frozenset()
        for entry in entries:
            if entry.path.name != f"{entry.pid}.json" or entry.conversation not in ours:
                continue
            # Its keys first: without the entry nobody could tell whose they are.
            names = re.compile(rf"{entry.pid}\.[0-9a-f]{{64}}\.key"), re.compile(rf"{entry.pid}\.json")
            for name in names:
                for path in self._old(folder, name, _ENTRY_RESTS):
                    yield path, f"process {entry.pid} is dead for more than {lasting(_ENTRY_RESTS)}"


class Links(FileSweep):
    """Links of ours in accounts' config dirs whose target somebody took out of the shared tree.

    Only of what a user may have made: the folders that the binary needs are made again, under their links.
    """

    kind = "links"

    def _look(self) -> Iterator[tuple[Path, str]]:
        shared = self._ground.config.shared_dir.absolute()
        for account in self._ground.config.accounts:
            for name in config_dir.OWN:
                path, target = account.config_dir / name, shared / name
                if path.is_symlink() and path.readlink() == target and not os.path.lexists(target):
                    yield path, f"{target} is not there any more"


def _lives(entry: registry.RegistryEntry) -> bool:
    return process.alive(ProcessId(entry.pid, entry.start))
