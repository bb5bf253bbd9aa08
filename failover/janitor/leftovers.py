"""Files of ours that nobody needs any more: half-written ones, those of old launches, old logs."""

from __future__ import annotations

import contextlib
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path

from failover.claude import launch
from failover.core.retention import Log, lasting, past_logs
from failover.errors import HostError
from failover.host import process
from failover.host.roles import ROLES
from failover.janitor.ground import Finding, Ground, files, remove
from failover.queue import names
from failover.store import sessions, swaps

#: Whoever writes a file is done with it long before (seconds).
_PART_RESTS = 3600.0
_MB = 1_000_000


class FileSweep(ABC):
    """Sweeps of files: what is found is removed."""

    kind = ""
    rows = False

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._found: dict[str, Path] = {}

    def find(self) -> list[Finding]:
        """Return the files that may go."""
        self._found, found = {}, []
        for path, why in self._look():
            subject = names.shown(str(path))
            self._found[subject] = path
            found.append(Finding(self.kind, subject, why))
        return found

    def clear(self, finding: Finding) -> int:
        """Remove a file."""
        return remove(self._found[finding.subject])

    @abstractmethod
    def _look(self) -> Iterator[tuple[Path, str]]:
        """Yield each file that may go, and why."""

    def _old(self, folder: Path, pattern: re.Pattern[str], age: float) -> list[Path]:
        """Return the plain files of a folder that are named so and that old; what cannot be looked at is told."""
        old: list[Path] = []
        try:
            for one in files(folder):
                with contextlib.suppress(FileNotFoundError):  # gone while it was looked at
                    if pattern.fullmatch(one.name) and self._ground.age(one.stat(follow_symlinks=False)) > age:
                        old.append(folder / one.name)
        except (HostError, OSError) as error:
            self._ground.troubles.append(str(error))
        return sorted(old)


class Parts(FileSweep):
    """Files that a kill left half-written, by the names that only we give. Never in an inbox: there a `.part` is
    somebody's task on its way."""

    kind = "half-written files"
    _IN_STATE = re.compile(r"\..*\.part|supervisord\.conf\.part|\.state\.db\.\d+|token\.\d+(\.[0-9a-f]{8})?")
    #: As `replace` in failover/queue/folder.py names what becomes status.json, a result or a reason.
    _IN_QUEUE = re.compile(r"\..*(\.json|\.txt|-[0-9a-f]{12})\.part", re.DOTALL)

    def _look(self) -> Iterator[tuple[Path, str]]:
        config, why = self._ground.config, f"half-written for more than {lasting(_PART_RESTS)}"
        paths = config.paths
        folders = [(folder, self._IN_STATE) for folder in (paths.state_dir, paths.launch_dir, paths.backup_dir)]
        for project in config.projects:
            root = project / ".agent-queue"
            folders += [(folder, self._IN_QUEUE) for folder in (root, root / "done", root / "failed")]
        for folder, pattern in folders:
            for path in self._old(folder, pattern, _PART_RESTS):
                yield path, why


class Launches(FileSweep):
    """Files with which sessions were started. The binary reads them at its start only; a prompt that was too long for a
    command line may be read later, by the conversation that it was handed to."""

    kind = "launch files"
    _NAME = re.compile(r"(?P<session>.+)\.(?P<launch>[0-9a-f]{12})\.(settings\.json|sh|prompt\.txt)")

    def _look(self) -> Iterator[tuple[Path, str]]:
        config, store = self._ground.config, self._ground.store
        folder, longest = config.paths.launch_dir, config.retention.launches
        old = self._old(folder, self._NAME, longest)
        if not old:
            return
        needed = {placed.launch for placed in sessions.placements(store).values()}
        needed |= {move.launch for move in swaps.open_moves(store)}
        needed |= {found[1] for arguments in process.of_user().values()
                   if (found := launch.launch_id_of(arguments, folder))}  # fmt: skip
        for path in old:
            named = self._NAME.fullmatch(path.name)
            if named and named["launch"] not in needed:
                yield path, f"no launch needs it for more than {lasting(longest)} (retention.launches)"


class Logs(FileSweep):
    """Logs that nobody writes into. supervisord turns over those that it writes (5 MB, two older ones each)."""

    kind = "logs"

    def _look(self) -> Iterator[tuple[Path, str]]:
        ground, folder = self._ground, self._ground.config.paths.log_dir
        longest, room = ground.config.retention.logs, ground.config.janitor.logs_mb
        in_use = {"supervisord.out", *(f"{name}.log" for name in (*ROLES, "supervisord"))}
        logs = []
        try:
            for one in files(folder):
                info = one.stat(follow_symlinks=False)
                logs.append(Log(one.name, info.st_size, ground.age(info), one.name in in_use))
        except (HostError, OSError) as error:
            ground.troubles.append(str(error))
            return
        whys = {
            "age": f"not written into for more than {lasting(longest)} (retention.logs)",
            "size": f"the logs are more than {room} MB (janitor.logs_mb)",
        }
        for name, reason in past_logs(logs, longest, room * _MB):
            yield folder / name, whys[reason]
