"""Processes of sessions that are gone: the binary of a launch of ours that nobody owns and nobody can be at.

Ours is what bears the mark of a launch in its arguments: the path of a settings file in this state dir. What the tools
of a session started is never touched: its environment alone could prove whose it is, and that may hold a login, which
is not read.
"""

from __future__ import annotations

import signal
from pathlib import Path

from failover.claude import launch
from failover.core.retention import Bearer, is_orphan
from failover.host import process
from failover.host.process import ProcessId
from failover.janitor.ground import Finding, Ground
from failover.store import flags, sessions, swaps

#: SIGKILL this long after SIGTERM (seconds; measured: SIGTERM takes up to 1.8 s).
GRACE = 20.0


class Orphans:
    """Tells them to end, and ends them when they do not."""

    kind = "orphaned processes"
    rows = False

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._told: dict[ProcessId, float] = {}  # when it was told to end (monotonic)
        self._found: dict[str, ProcessId] = {}

    @property
    def waits(self) -> bool:
        """Say whether one was told to end and may not have done so."""
        return bool(self._told)

    def find(self) -> list[Finding]:
        """Return the processes that belong to nobody. Where the setting or a pause forbids it, none."""
        self._told = {one: at for one, at in self._told.items() if process.alive(one)}
        self._found = {}
        config, store = self._ground.config, self._ground.store
        if config.janitor.orphans == "leave" or flags.paused(store) is not None:
            return []
        marked = {
            one: named
            for one, arguments in process.of_user().items()
            # The server of tmux keeps the arguments of the command that happened to start it.
            if Path(arguments[0]).name != "tmux" and (named := launch.launch_id_of(arguments, config.paths.launch_dir))
        }
        # Read after the processes: whoever was started meanwhile is not among those.
        placed, moves = sessions.placements(store), swaps.open_moves(store)
        pids = {p.pid for p in placed.values()} | {pid for move in moves for pid in (move.pid, move.new_pid)}
        launches = {(p.session, p.launch) for p in placed.values()} | {(move.session, move.launch) for move in moves}
        found = []
        for one, (session, mark) in sorted(marked.items(), key=lambda item: item[0].pid):
            bearer = Bearer(
                owned=not pids.isdisjoint((one.pid, *process.ancestors(one.pid))),
                current=(session, mark) in launches,
                terminal=_has_terminal(one),
                age=process.age(one),
            )
            if is_orphan(bearer):
                subject = f"process {one.pid} of session {session}, launch {mark}"
                self._found[subject] = one
                found.append(Finding(self.kind, subject, "no placement and no move has it, and it has no terminal"))
        return found

    def clear(self, finding: Finding) -> int:
        """Send SIGTERM, and at a later sweep SIGKILL; never that while a binary may be rewriting its login."""
        one, now = self._found[finding.subject], self._ground.clock.monotonic()
        if one not in self._told:
            self._told[one] = now
            return int(process.send_signal(one, signal.SIGTERM))
        if now - self._told[one] < GRACE or self._refreshing():
            return 0
        return int(process.send_signal(one, signal.SIGKILL))

    def _refreshing(self) -> bool:
        return any((account.config_dir / ".oauth_refresh.lock").exists() for account in self._ground.config.accounts)


def _has_terminal(one: ProcessId) -> bool:
    """Say whether a process, or one that it started, has a terminal: a person may be at either."""
    return process.has_terminal(one) or any(_has_terminal(child) for child in process.children(one.pid))
