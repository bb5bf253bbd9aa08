"""session-watcher: what each session is doing, and that its process lives. It looks, and touches nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from failover.claude import registry, transcript
from failover.core.move import TERMINAL
from failover.core.session import Activity, SessionState, View, state
from failover.events import (
    HOOKS_OF_TURNS,
    Envelope,
    HookReceived,
    SessionDied,
    SessionStateChanged,
    sessions_named,
    subject,
)
from failover.host.deaths import Deaths
from failover.host.inotify import Watch
from failover.host.process import ProcessId
from failover.queue.status import StatusFiles
from failover.runtime import Host, run
from failover.store import sessions, swaps
from failover.store.sessions import Placement, Sighting

#: How long a registry entry without a status counts as that of a starting session (seconds).
_STARTS_WITHIN = 30.0
#: How long it is enough to look at those sessions of which something is heard or that change in the registry (seconds).
_ALL_EACH = 5.0
#: How soon after the projects' status.json were brought up to date they are again (seconds): in a swap of a hundred
#: sessions something changes twenty times a second, and each of them is told of with the other ninety-nine.
_FILES_REST = 2.0
#: What is heard within this time after a look is looked into together (seconds): a swap rings twenty times a second.
_REST = 0.1
#: How soon what is about to change without a bell is looked at again (seconds).
_AGAIN = 0.1


class SessionWatcher:
    """Registry, hooks, panes and pidfds into one row a session."""

    name = "session-watcher"
    topics: tuple[str, ...] = (
        *HOOKS_OF_TURNS,
        "session.launched",
        "session.adopted",
        "session.turned",
        *(
            f"swap.move-advanced/{state}"
            for state in sorted(TERMINAL | {"holding", "at_boundary", "dead", "answering"})
        ),
        "task.",
    )

    def __init__(self, host: Host) -> None:
        self._config, self._store, self._clock = host.config, host.store, host.clock
        self._registry = registry.Registry(host.config.shared_dir / "sessions")
        self._watch = self._watched()
        self._deaths = Deaths()
        self._status = StatusFiles(host.config, host.clock)
        self._filed, self._news = 0.0, False  # when they were brought up to date, and whether they are to be
        self._pending: set[str] = set()  # sessions of which something is about to change without a bell
        self._again = math.inf  # when they are looked at
        self._looked, self._owed = 0.0, False  # when all were looked at, and whether they are to be once more
        self._young: dict[str, tuple[ProcessId, float]] = {}  # session → process without a status, and since when

    def cycle(self, heard: Sequence[Envelope]) -> str:
        """Look at the sessions of which something was heard, or at every placed one, and write what changed."""
        at, deaths = self._clock.monotonic(), self._deaths.dead()
        self._news = self._news or any(not isinstance(one.event, HookReceived) for one in heard)
        of = self._concerned(heard, deaths, at)
        if of is not None and not of:
            return ", ".join(self._file(at))
        placed = sessions.placements(self._store, of)
        moving = swaps.away(self._store)
        pids = None if of is None else [one.pid for one in placed.values()]
        entries = {(entry.pid, entry.start): entry for entry in self._registry.read(pids)}
        activities = sessions.activities(self._store, of)
        last = sessions.sightings(self._store, of)
        self._pending -= self._pending if of is None else of
        if of is None:
            self._looked, self._owed = at, False
        # Asked last: who ended while the rest was read is dead, and not one that has yet to register.
        dead = self._deaths.dead()
        changed: list[Sighting] = []
        for name, placement in placed.items():
            entry = entries.get((placement.pid, placement.start))
            activity = activities.get(name)
            if activity is not None and activity.launch != placement.launch:
                activity = None
            alive = self._deaths.alive(ProcessId(placement.pid, placement.start), dead)
            now = self._see(placement, entry, activity, name in moving, alive, last.get(name))
            if _told(now) != _told(last.get(name)):
                changed.append(now)
        self._note(changed, last, placed)
        wanted = {ProcessId(one.pid, one.start): one.session for one in placed.values() if one.pid}
        self._deaths.hold(wanted, dead, everybody=of is None)
        self._again = at + _AGAIN if self._pending else math.inf
        self._news = self._news or bool(changed)
        return ", ".join([*(f"{one.name} is {one.state}" for one in changed), *self._file(at)])

    def _watched(self) -> Watch:
        return Watch([self._registry.folder], files=True)

    def _concerned(self, heard: Sequence[Envelope], deaths: set[ProcessId], at: float) -> frozenset[str] | None:
        """Return the sessions to be looked at, None for all: also where nothing is known of what woke this role."""
        # What becomes of tasks is told in the projects' files; a session shows by itself what it does.
        told = [one for one in heard if not subject(one.event).startswith("task.")]
        named = sessions_named(told) if told else frozenset[str]()
        rang = self._watch.drain()
        stirred = self._stirred() if rang or not self._watch.folders else frozenset[str]()
        due = frozenset(self._pending if at >= self._again else ())
        if deaths:
            # They are told at once. Where all have to be looked at, that is right after it.
            self._owed = self._owed or named is None or stirred is None
            return frozenset(self._deaths.owners(deaths)).union(named or (), stirred or (), due)
        known = heard or rang or due or (self._news and at >= self._filed + _FILES_REST)
        if self._owed or named is None or stirred is None or not known or at - self._looked >= _ALL_EACH:
            return None
        return named | stirred | due

    def _stirred(self) -> frozenset[str] | None:
        """Return the sessions whose entry in the registry changed, None where that may be any."""
        if not self._watch.folders and self._registry.folder.is_dir():
            self._watch.close()
            self._watch = self._watched()
            return None
        files = {Path(path).name for path in self._watch.changed()}
        if self._registry.folder.name in files:
            return None
        pids = {int(name.removesuffix(".json")) for name in files if name.removesuffix(".json").isdecimal()}
        # Who is not held yet was just started, or is somebody else's: the former is told of when he is placed.
        return frozenset(self._deaths.owners_of(pids))

    def _file(self, at: float) -> Sequence[str]:
        """Bring the projects' files up to date; return what could not be written, one sentence each."""
        if self._news and at - self._filed < _FILES_REST:
            return ()
        news, self._news = self._news, False
        self._filed = at if news else self._filed
        return self._status.update(self._store, news)

    def _see(
        self,
        placement: Placement,
        entry: registry.RegistryEntry | None,
        activity: Activity | None,
        moving: bool,
        alive: bool,
        last: Sighting | None,
    ) -> Sighting:
        limit = self._limit(placement, entry, activity)
        view = View(
            wanted=placement.wanted == "running",
            moving=moving,
            alive=alive,
            registered=entry is not None and not self._is_young(placement, entry),
            status=entry.status if entry else "",
            waiting_for=entry.waiting_for if entry else "",
            limited=limit is not None,
        )
        word: SessionState = "starting" if not placement.pid and view.wanted and not moving else state(view, activity)
        now_ms = self._store.now_ms()
        return Sighting(
            name=placement.session,
            state=word,
            since_ms=last.since_ms if last and last.state == word else now_ms,
            seen_ms=now_ms,
            conversation=entry.conversation if entry else placement.conversation,
            pid=placement.pid,
            start=placement.start,
            pane=placement.pane,
            waiting_for=view.waiting_for,
            limit_window=limit.type if limit else "",
            limit_resets=limit.resets_at or 0 if limit else 0,
            note=activity.failure if activity else "",
        )

    def _is_young(self, placement: Placement, entry: registry.RegistryEntry) -> bool:
        """Say whether the binary is still starting: for a moment its entry has no status (measured on 2.1.330)."""
        if entry.status != "unknown":
            self._young.pop(placement.session, None)
            return False
        one, now = ProcessId(entry.pid, entry.start), self._clock.monotonic()
        if self._young.get(placement.session, (None, 0.0))[0] != one:
            self._young[placement.session] = (one, now)
        return now - self._young[placement.session][1] < _STARTS_WITHIN

    def _limit(
        self, placement: Placement, entry: registry.RegistryEntry | None, activity: Activity | None
    ) -> transcript.Limit | None:
        """Return the limit that stopped the session's turn under its present account, if one did.

        Only its record tells a used-up quota from throttling. The transcript is read only where a turn may have
        failed; a record older than the launch speaks of the account that the session was moved away from. In another
        conversation, which a person went to, the hooks of this launch have to say so.
        """
        if entry is None or entry.status not in ("idle", "waiting"):
            return None
        if entry.status == "idle" and activity is not None and not activity.failure and not activity.gap:
            # A StopFailure may still be on its way; its own bell will bring us back.
            return None
        path = transcript.locate(self._config.shared_dir, Path(placement.cwd), entry.conversation)
        ending = transcript.ending(path) if path else None
        told = activity is not None and activity.failure == "rate_limit"
        own = entry.conversation == placement.conversation
        if ending is None or not (own or told) or not ending.is_limited_since(placement.since_size if own else 0):
            if told:  # the record reaches the disk up to 225 ms after its hook (measured)
                self._pending.add(placement.session)
            return None
        return ending.limit

    def _note(self, changed: Sequence[Sighting], last: dict[str, Sighting], placed: dict[str, Placement]) -> None:
        if not changed:
            return
        with self._store.transaction() as tx:
            for one in changed:
                sessions.sight(tx, one)
                was = last[one.name].state if one.name in last else "unknown"
                # First, so that who listens for deaths hears of it before roles are at work on the same cores.
                if one.state == "exited" and was != "exited" and one.pid:
                    tx.emit(SessionDied(session=one.name, pid=one.pid))
                if one.state != was:
                    account = placed[one.name].account
                    tx.emit(SessionStateChanged(session=one.name, state=one.state, was=was, account=account))

    def wake_after(self) -> float:
        """Return the seconds until the next look."""
        now = self._clock.monotonic()
        wakes = [self._looked + _ALL_EACH, self._again, self._filed + _FILES_REST if self._news else math.inf]
        return 0.0 if self._owed else max(0.0, min(wakes) - now)

    def descriptors(self) -> Sequence[int]:
        """Return what wakes it: changes of the registry, deaths."""
        return (self._watch.descriptor, *self._deaths.descriptors)

    def close(self) -> None:
        """Let the descriptors go."""
        self._watch.close()
        self._deaths.close()


def _told(sighting: Sighting | None) -> tuple[object, ...]:
    """Return what makes a sighting news."""
    if sighting is None:
        return ()
    return (
        sighting.state,
        sighting.conversation,
        sighting.pid,
        sighting.start,
        sighting.pane,
        sighting.waiting_for,
        sighting.limit_window,
        sighting.limit_resets,
        sighting.note,
    )


def main() -> None:
    """Run the role."""
    run("session-watcher", SessionWatcher, rest=_REST)


if __name__ == "__main__":
    main()
