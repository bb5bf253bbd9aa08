"""Take on sessions that somebody else started: found by registry, process and pane, and not touched."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Literal

import msgspec

from failover.claude import carry, launch, registry, transcript
from failover.claude.registry import RegistryEntry
from failover.config import Config, SessionSpec
from failover.core.move import Carried
from failover.events import SessionAdopted
from failover.host import process
from failover.host.process import ProcessId
from failover.host.tmux import Pane
from failover.store import orders, sessions
from failover.store.db import Store
from failover.store.sessions import Placement
from failover.switcher.launcher import Launcher


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One session in the answer to an order. action: adopt, leave (there is nothing to adopt) or refuse; lacks: names
    of variables of its environment that look like secrets, which its next start does not get."""

    session: str
    action: Literal["adopt", "leave", "refuse"]
    why: str
    account: str = ""
    conversation: str = ""
    pid: int = 0
    lacks: tuple[str, ...] = ()


class Judged(msgspec.Struct, frozen=True):
    """A session, what is made of it, and its place once it is adopted."""

    part: Part
    placement: Placement | None = None


class _No(Exception):
    """A session is not adopted; the text says why."""


class Adopter:
    """Looks at sessions, and notes those that can be adopted."""

    def __init__(self, config: Config, store: Store, launcher: Launcher) -> None:
        self._config, self._store, self._launcher = config, store, launcher

    def judged(self, names: Sequence[str]) -> list[Judged]:
        """Judge the sessions named, all of the configuration if none is. Raises UsageError for an unknown name,
        HostError."""
        specs = [self._config.session(name) for name in dict.fromkeys(names)] if names else self._config.sessions
        look = _Look(self._config, self._store, self._launcher)
        return [self._judge(spec, look, bool(names)) for spec in specs]

    def take_on(self, judged: Sequence[Judged]) -> None:
        """Note the places of those that can be adopted."""
        with self._store.transaction() as tx:
            for placed in (one.placement for one in judged if one.placement is not None):
                sessions.place(tx, placed)
                tx.emit(
                    SessionAdopted(
                        session=placed.session,
                        account=placed.account,
                        conversation=placed.conversation,
                        pid=placed.pid,
                    )
                )

    def _judge(self, spec: SessionSpec, look: _Look, named: bool) -> Judged:
        pane, last = look.panes.get(spec.name), look.placements.get(spec.name)
        if pane is None or pane.dead:
            why = "it has no tmux session" if pane is None else "the process in its pane has ended"
            return Judged(Part(session=spec.name, action="refuse" if named else "leave", why=why))
        if last is not None and last.pid and process.alive(ProcessId(last.pid, last.start)):
            return Judged(Part(session=spec.name, action="leave", why="it is ours already", account=last.account))
        try:
            return self._found(spec, pane, look.binary_in(pane), last, look)
        except (_No, carry.NotCarried) as no:
            return Judged(Part(session=spec.name, action="refuse", why=str(no)))

    def _found(
        self, spec: SessionSpec, pane: Pane, entry: RegistryEntry, last: Placement | None, look: _Look
    ) -> Judged:
        one, words = ProcessId(entry.pid, entry.start), process.cmdline(ProcessId(entry.pid, entry.start))
        environ = process.environ(one)
        if entry.status == "unknown" or not environ:
            raise _No(f"pid {one.pid} is starting, or ending; try again")
        if others := look.elsewhere(entry):
            raise _No(f"its conversation is open elsewhere too (pid {others[0]}); end that one")
        if entry.cwd not in map(os.path.realpath, (spec.project, *spec.serves)):
            raise _No(f"it works in {entry.cwd}, and the configuration has it in {spec.project}; change it there")
        account = self._account(Path(environ.get("CLAUDE_CONFIG_DIR") or Path.home() / ".claude"))
        mark = launch.launch_id_of(words, self._config.paths.launch_dir)
        if mark and mark[0] != spec.name:
            raise _No(f"it was started as the session {mark[0]}")
        brought = None if mark else self._brought(words, environ, pane, one)
        if brought and (asked := self._untrusted(carry.added_dirs(brought.args, Path(entry.cwd)))):
            raise _No(
                f"it was started with --add-dir {asked}, and its next start would ask whether that is trusted; "
                "name it under projects in the configuration"
            )
        path = transcript.locate(self._config.shared_dir, Path(entry.cwd), entry.conversation)
        placed = Placement(
            session=spec.name,
            account=account,
            conversation=entry.conversation,
            cwd=entry.cwd,
            wanted="running",
            launch=mark[1] if mark else "",
            pinned=last.pinned if last else "",
            pane=pane.pane_id,
            pid=one.pid,
            start=one.start,
            since_size=_since_size(path, one, self._store.now_ms()),
            server_pid=pane.server,
            server_start=found.start if (found := process.identify(pane.server)) else 0,
            carried=msgspec.json.encode(brought).decode() if brought else "",
        )
        lacks = carry.left_behind(environ) if brought else ()
        why = f"it is {entry.status}, pid {one.pid}"
        if lacks:
            why += f"; its next start lacks {', '.join(lacks)}: they look like secrets, and are not copied"
        part = Part(
            session=spec.name,
            action="adopt",
            why=why,
            account=account,
            conversation=entry.conversation,
            pid=one.pid,
            lacks=lacks,
        )
        return Judged(part, placed)

    def _account(self, config_dir: Path) -> str:
        real = os.path.realpath(config_dir)
        for account in self._config.accounts:
            if os.path.realpath(account.config_dir) == real and not account.env_file:
                return account.name
        raise _No(f"its config dir {real} is no account's; add it with: claude-failover accounts add")

    def _untrusted(self, folders: Sequence[Path]) -> Path | None:
        """Return one of the folders that the configuration does not trust (its projects, and what is below them)."""
        ours = {*self._config.projects, *(spec.project for spec in self._config.sessions)}
        trusted = {Path(os.path.realpath(folder)) for folder in ours}
        real = [Path(os.path.realpath(folder)) for folder in folders]
        return next((folder for folder in real if not trusted.intersection((folder, *folder.parents))), None)

    @staticmethod
    def _brought(words: Sequence[str], environ: dict[str, str], pane: Pane, one: ProcessId) -> Carried:
        wrapper = process.identify(pane.pid) if pane.pid != one.pid else None
        return Carried(
            args=carry.arguments(carry.words(words)),
            env=carry.environment(environ),
            wrapper_pid=wrapper.pid if wrapper else 0,
            wrapper_start=wrapper.start if wrapper else 0,
        )


class _Look:
    """One look at the host, for all sessions."""

    def __init__(self, config: Config, store: Store, launcher: Launcher) -> None:
        self._config, self._store, self._launcher = config, store, launcher

    @cached_property
    def panes(self) -> dict[str, Pane]:
        return self._launcher.tmux.panes()

    @cached_property
    def placements(self) -> dict[str, Placement]:
        return sessions.placements(self._store)

    @cached_property
    def _entries(self) -> list[RegistryEntry]:
        entries = registry.read_all(self._config.shared_dir / "sessions")
        return [entry for entry in entries if process.alive(ProcessId(entry.pid, entry.start))]

    def binary_in(self, pane: Pane) -> RegistryEntry:
        """Return the binary that runs in a pane, itself or below what runs there. Raises _No."""
        above = {entry.pid: process.ancestors(entry.pid) for entry in self._entries}
        inside = [entry for entry in self._entries if pane.pid in (entry.pid, *above[entry.pid])]
        pids = {entry.pid for entry in inside}
        # One that a session started by itself is that session's affair.
        inside = [entry for entry in inside if not pids.intersection(above[entry.pid])]
        if len(inside) > 1:
            raise _No(f"several run in its pane (pids {', '.join(str(entry.pid) for entry in inside)})")
        if not inside:
            raise _No(
                "no claude runs in its pane that the shared tree knows of; if one does, link its config dir with: "
                "claude-failover accounts link"
            )
        return inside[0]

    def elsewhere(self, entry: RegistryEntry) -> list[int]:
        """Return other live processes on the conversation of an entry."""
        named = {one.pid for one in process.with_argument(entry.conversation)}
        named |= {other.pid for other in self._entries if other.conversation == entry.conversation}
        server = {pane.server for pane in self.panes.values()}  # it keeps the arguments of whoever started it
        family = {entry.pid, *process.ancestors(entry.pid)}
        return sorted(pid for pid in named - family - server if entry.pid not in process.ancestors(pid))


def _since_size(path: Path | None, one: ProcessId, now_ms: int) -> int:
    """Return how long the transcript was when the process was started (bytes), as far as that bears on a used-up limit:
    one that an earlier process met speaks of that one's account."""
    limit = transcript.ending(path).limit if path else None
    began_ms = now_ms - process.age(one) * 1000
    return transcript.size(path) if limit is not None and limit.at_ms < began_ms else 0


def summary(judged: Sequence[Judged], dry_run: bool) -> tuple[orders.Outcome, str]:
    """Return what became of an order to adopt, or would."""
    parts = [one.part for one in judged]
    taken, refused = ([p for p in parts if p.action == action] for action in ("adopt", "refuse"))
    words = [f"{'would adopt' if dry_run else 'adopted'} {len(taken)} sessions" if taken else "nothing to adopt"]
    if refused:
        words.append(f"not {', '.join(f'{part.session} ({part.why})' for part in refused)}")
    return ("refused" if refused else "done"), "; ".join(words)
