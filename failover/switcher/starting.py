"""Start sessions that do not run, each in its last conversation if it has one."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import msgspec

from failover.candidates import candidates, rules
from failover.claude import registry, transcript
from failover.clock import Clock
from failover.config import Config
from failover.core import policy
from failover.errors import HostError
from failover.events import SessionLaunched, SessionTurned
from failover.host import process
from failover.host.process import ProcessId
from failover.host.tmux import Pane
from failover.store import sessions, swaps
from failover.store.db import Store
from failover.store.sessions import Placement
from failover.switcher.launcher import Launcher, new_launch_id


class Starter:
    """Carries out `launch`."""

    def __init__(self, config: Config, store: Store, clock: Clock, launcher: Launcher) -> None:
        self._config, self._store, self._clock, self._launcher = config, store, clock, launcher

    def start_all(self, names: Sequence[str], to: str) -> tuple[Literal["done", "failed"], str]:
        """Start the sessions named, all if none is, on account `to` (empty: theirs, or the policy's choice).

        Return the outcome and what was done. Raises UsageError for a name that the configuration does not know.
        """
        account = self._config.account(to).name if to else ""
        specs = [self._config.session(name) for name in names] if names else list(self._config.sessions)
        placements = sessions.placements(self._store)
        started, running, failed = [], [], []
        for spec in specs:
            last = placements.get(spec.name)
            if last and last.pid and process.alive(ProcessId(last.pid, last.start)):
                running.append(spec.name)
                continue
            if last and last.cwd not in (str(spec.project), *map(str, spec.serves)):
                last = None  # a conversation belongs to its folder
            conversation, cwd = (last.conversation, last.cwd) if last else (str(uuid.uuid4()), str(spec.project))
            if transcript.holds_nothing(self._transcript(cwd, conversation)):
                conversation = str(uuid.uuid4())
            placement = Placement(
                session=spec.name,
                account=account or self._own(last.account if last else "", spec.account or "") or self._preferred(),
                conversation=conversation,
                cwd=cwd,
                wanted="running",
                launch=new_launch_id(),
                pinned=account or (last.pinned if last else ""),
                carried=last.carried if last else "",
                since_size=transcript.size(self._transcript(cwd, conversation)),
            )
            try:
                self._start(placement)
                started.append(spec.name)
            except HostError as error:
                failed.append(str(error))
        words = [f"started {len(started)} sessions"]
        words += [f"{len(running)} run already"] if running else []
        return "failed" if failed else "done", "; ".join(words + failed)

    def _transcript(self, cwd: str, conversation: str) -> Path | None:
        return transcript.locate(self._config.shared_dir, Path(cwd), conversation)

    def _start(self, placement: Placement) -> None:
        prompt = self._owed(placement)
        with self._store.transaction() as tx:
            sessions.place(tx, placement)
        pane = self._launcher.start(placement, prompt)
        found = process.identify(pane.pid)
        if found is None:
            raise HostError(
                f"{placement.session}: it ended at once; look at its pane: tmux attach -t {placement.session}"
            )
        self._started(placement, pane, found)

    def take_in(self) -> str:
        """Note the processes of launches that a switcher carried out and was killed before it could; "" for none."""
        taken = []
        for placement in sessions.placements(self._store).values():
            unknown = placement.wanted == "running" and not placement.pid
            if unknown and (found := self._launcher.running(placement)):
                self._started(placement, *found)
                taken.append(placement.session)
        return f"took in {', '.join(taken)}, which an earlier switcher had started" if taken else ""

    def follow(self) -> str:
        """Note where people went on with another conversation in a session of ours (`/clear`, `/resume`); "" for none.

        The binary's registry says so of the very process, and so do its hooks, where it has ours; a move resumes that
        conversation then.
        """
        placed = [one for one in sessions.placements(self._store).values() if one.wanted == "running" and one.pid]
        if not placed:
            return ""
        activities, turned = sessions.activities(self._store), []
        for one in placed:
            activity, here = activities.get(one.session), (one.launch, one.conversation)
            heard = (activity.launch, activity.conversation) if activity else ("", "")
            if one.launch and (heard == here or heard[0] != one.launch):
                continue  # no hook of it speaks of another conversation
            entry = registry.read_file(self._config.shared_dir / "sessions" / f"{one.pid}.json")
            if entry is None or entry.conversation == one.conversation or entry.status == "unknown":
                continue
            if one.launch and heard[1] != entry.conversation:
                continue
            if entry.start != one.start or not process.alive(ProcessId(one.pid, one.start)):
                continue
            size = transcript.size(self._transcript(one.cwd, entry.conversation))
            with self._store.transaction() as tx:
                now = msgspec.structs.replace(one, conversation=entry.conversation, since_size=size)
                sessions.place(tx, now)
                tx.emit(
                    SessionTurned(
                        session=one.session, account=one.account, was=one.conversation, conversation=entry.conversation
                    )
                )
            turned.append(f"{one.session} is in another conversation now ({entry.conversation})")
        return "; ".join(turned)

    def _started(self, placement: Placement, pane: Pane, found: ProcessId) -> None:
        server = process.identify(pane.server) or ProcessId(0, 0)
        known = {"pane": pane.pane_id, "pid": found.pid, "start": found.start}
        with self._store.transaction() as tx:
            sessions.place(
                tx,
                msgspec.structs.replace(placement, **known, server_pid=server.pid, server_start=server.start),
            )
            tx.emit(
                SessionLaunched(
                    session=placement.session,
                    account=placement.account,
                    conversation=placement.conversation,
                    pid=found.pid,
                )
            )

    def _owed(self, placement: Placement) -> str:
        """Return what the session has still to be told since it was stopped, by order or for want of a target.

        Nothing, when somebody has gone on with the conversation since.
        """
        text, since_size = swaps.owed(self._store, placement.session, placement.conversation)
        path = self._transcript(placement.cwd, placement.conversation)
        if not text or path is None:
            return text
        return "" if transcript.ending(path).went_on_since(since_size) else text

    def _own(self, *names: str) -> str:
        """Return the first of these accounts that exists and is enabled, empty when none is."""
        views = candidates(self._config, self._store, self._clock.epoch())
        enabled = {view.name for view in views if view.enabled}
        return next((name for name in names if name in enabled), "")

    def _preferred(self) -> str:
        """Return the account with room that the policy would choose, else the most preferred one."""
        now = self._clock.epoch()
        return policy.preferred(candidates(self._config, self._store, now), rules(self._config, now)).name
