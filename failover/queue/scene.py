"""One look at the sessions, for the dispatcher: who is idle for certain, who is being moved, who is gone."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from functools import cached_property
from pathlib import Path

from failover.candidates import candidates, rules
from failover.claude import transcript
from failover.claude.registry import Registry, RegistryEntry
from failover.claude.transcript import Ending
from failover.clock import Clock
from failover.config import Config
from failover.core.dispatch import Seat
from failover.core.policy import idle_for
from failover.core.restore import keeps_task
from failover.core.session import Activity
from failover.core.task import Task
from failover.events import Envelope, HookReceived, MoveAdvanced, SessionStateChanged
from failover.host.tmux import Tmux
from failover.queue.serving import Serving
from failover.store import sessions, swaps, tasks
from failover.store.db import Store
from failover.store.sessions import Placement, Sighting

#: A transcript to which nothing was added for this long is at rest (seconds; records are on disk within 0.3 s).
_AT_REST = 5.0
#: Of a transcript's growth since a task was handed over, this much is searched for its marker (bytes).
_SEARCHED = 8 * 1024 * 1024
_ADOPTED = "was adopted and not started anew yet"
#: How long what is known of the accounts is good (seconds), while nothing is heard of them.
_LOW_FOR = 5.0


class Lows:
    """Which accounts get no work, and why. All sessions and readings are looked at for it, so it is not asked anew for
    each task that ends."""

    def __init__(self, config: Config, store: Store, clock: Clock) -> None:
        self._config, self._store, self._clock = config, store, clock
        self._found: dict[str, str] = {}
        self._until = 0.0

    def hear(self, heard: Sequence[Envelope]) -> None:
        """Look anew where something was heard that may concern an account."""
        if not all(isinstance(one.event, HookReceived | SessionStateChanged | MoveAdvanced) for one in heard):
            self._until = 0.0

    def now(self) -> dict[str, str]:
        """Return why an account gets no work, by name."""
        if self._clock.monotonic() >= self._until:
            now = self._store.now_ms() / 1000
            self._found = idle_for(candidates(self._config, self._store, now), rules(self._config, now))
            self._until = self._clock.monotonic() + _LOW_FOR
        return self._found


class Scene:
    """What one cycle of the dispatcher sees. Made anew for each."""

    def __init__(
        self,
        config: Config,
        store: Store,
        tmux: Tmux,
        registry: Registry,
        lows: Lows,
        of: Collection[str] | None = None,
    ) -> None:
        """registry, lows: as the last look left them; of: the only sessions that are asked about, None for all."""
        self._config, self._store, self._tmux, self._registry, self._lows = config, store, tmux, registry, lows
        self._of = of
        # In this order, since a move may begin or end in between: a death that a move brought about is never seen
        # without that move or the place that it led to, nor a move's end without that place.
        self._sightings = sessions.sightings(store, of)
        self._moving = tasks.moving_sessions(store)
        self._held = swaps.held_conversations(store)
        self.placements = sessions.placements(store, of)
        self._activities = sessions.activities(store, of)

    def again(self) -> Scene:
        """Return a new look."""
        return Scene(self._config, self._store, self._tmux, self._registry, self._lows, self._of)

    @cached_property
    def _configured(self) -> frozenset[str]:
        return frozenset(spec.name for spec in self._config.sessions)

    @cached_property
    def _registered(self) -> dict[tuple[int, int], RegistryEntry]:
        return {(entry.pid, entry.start): entry for entry in self._registry.read()}

    def seat(self, session: str, serving: Serving, task: int, resting: bool) -> Seat:
        """Return a session as somebody who could do a task."""
        placement, serves, moving = self.placements.get(session), serving.projects[session], self.moving(session)
        # Of one that has a task, or that is at something else, no more matters: what is known of its account is dear.
        if placement is None or task or moving or not self.idle(session):
            return Seat(session=session, serves=serves, at="", idle=False, task=task, moving=moving)
        return Seat(
            session=session,
            serves=serves,
            at=serving.at(placement.cwd),
            idle=True,
            low=self._lows.now().get(placement.account, "") if placement.launch else _ADOPTED,
            resting=resting,
        )

    def moving(self, session: str) -> bool:
        """Say whether a move or a hold concerns a session."""
        placement = self.placements.get(session)
        return session in self._moving or (placement is not None and placement.conversation in self._held)

    def activity(self, session: str) -> Activity | None:
        """Return what the hooks of the session's present launch add up to."""
        placement, activity = self.placements.get(session), self._activities.get(session)
        if placement is None or activity is None or activity.launch != placement.launch:
            return None
        return activity

    def sighting(self, session: str) -> Sighting | None:
        """Return how a session was last seen, if that speaks of the process that it is placed on."""
        placement, sighting = self.placements.get(session), self._sightings.get(session)
        if placement is None or sighting is None:
            return None
        return sighting if (sighting.pid, sighting.start) == (placement.pid, placement.start) else None

    def idle(self, session: str) -> bool:
        """Say whether a session is proven idle: the registry says so, and its hooks do not say otherwise."""
        placement, sighting = self.placements.get(session), self.sighting(session)
        if placement is None or sighting is None or placement.wanted != "running" or not placement.pid:
            return False
        activity = self.activity(session)
        if activity is not None and activity.gap and not settled(activity):
            return self.quiet(placement) is not None  # the end of what it did may be what was missed
        return sighting.state == "idle" and (activity is None or settled(activity))

    def lost(self, session: str) -> bool:
        """Say whether a session ended with its tmux server and will be brought back, its task with it."""
        placement = self.placements.get(session)
        if placement is None or session not in self._configured:
            return False
        may, given_up = self._config.sessions_restart == "auto", bool(placement.given_up)
        return keeps_task(lost=sessions.is_lost(placement), may=may, given_up=given_up)

    def gone(self, session: str) -> bool:
        """Say whether a session's process ended, with no move that would start it again."""
        if self.moving(session):
            return False
        if session not in self.placements:
            return True
        sighting = self.sighting(session)
        return sighting is not None and sighting.state in ("exited", "stopped")

    def started_anew(self, task: Task) -> bool:
        """Say whether a task's session was started anew since it was given the task: moved, or by hand after a crash.

        What the earlier process did last may not have been heard.
        """
        placement = self.placements.get(task.session)
        return placement is not None and placement.launch != task.launch

    def limited(self, session: str) -> bool:
        """Say whether a used-up limit stopped a session's turn."""
        sighting = self.sighting(session)
        return sighting is not None and (sighting.state == "limited" or bool(sighting.limit_window))

    def quiet(self, placement: Placement) -> Ending | None:
        """Return the transcript's end where registry and transcript agree that nothing goes on (hooks not asked)."""
        entry = self._registered.get((placement.pid, placement.start))
        if entry is None or entry.status != "idle" or (path := self.transcript(placement)) is None:
            return None
        try:
            # A time in the future is of before the clock was set back.
            if 0 <= time.time() - path.stat().st_mtime < _AT_REST:
                return None
        except OSError:
            return None
        end = transcript.ending(path)
        busy = end.queued_prompts or end.undelivered or end.background or end.open_tools
        return end if end.last_kind == "assistant_text" and not busy else None

    def transcript(self, placement: Placement) -> Path | None:
        """Return the transcript of a session's conversation."""
        return transcript.locate(self._config.shared_dir, Path(placement.cwd), placement.conversation)

    def written(self, placement: Placement, text: str, after: int) -> bool:
        """Say whether the transcript holds `text` behind its first `after` bytes."""
        path = self.transcript(placement)
        if path is None:
            return False
        try:
            with path.open("rb") as stream:
                stream.seek(after)
                return text.encode() in stream.read(_SEARCHED)
        except OSError:
            return False

    def size(self, placement: Placement) -> int:
        """Return how long a session's transcript is (bytes), 0 when there is none."""
        path = self.transcript(placement)
        try:
            return path.stat().st_size if path else 0
        except OSError:
            return 0

    def screen(self, session: str) -> tuple[str, str]:
        """Return the pane of a session that is idle for certain, and what it shows; nothing where its process does not
        have the pane."""
        placement = self.placements.get(session)
        if placement is None or not placement.pane or not self.idle(session):
            return "", ""
        shown = self._tmux.screen(placement.pane)
        if shown is None or shown.dead or shown.pid != placement.pid:
            return "", ""
        return placement.pane, shown.text


def settled(activity: Activity) -> bool:
    """Say whether no turn, sub-agent, background task or question is open."""
    busy = activity.turn or activity.agents or activity.undelivered or activity.background
    return not (busy or activity.held or activity.asking or activity.ended)
