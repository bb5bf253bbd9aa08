"""Look at the world: what registry, hooks, processes, panes and transcripts show of a move's session, now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from types import MappingProxyType

from failover.candidates import candidates, rules
from failover.claude import transcript
from failover.claude.registry import Registry, RegistryEntry
from failover.config import Config
from failover.core.choice import Candidate, Rules
from failover.core.move import BEFORE_DEATH, Move, Seen
from failover.core.session import Activity, Standing, standing
from failover.host import process
from failover.host.process import ProcessId
from failover.host.tmux import Pane, Tmux
from failover.store import sessions
from failover.store.db import Store
from failover.switcher import first_turn
from failover.switcher.launcher import bearer, wrapper_of
from failover.switcher.others import Others


class Scene:
    """One look, taken once a pass and shared by all moves. What costs is looked up only when it is asked for."""

    def __init__(
        self,
        config: Config,
        store: Store,
        tmux: Tmux,
        now: float,
        registry: Registry,
        made: Mapping[str, Pane] = MappingProxyType({}),
    ) -> None:
        """now: epoch seconds; registry: the binary's own, as the last look left it; made: the panes in which sessions
        were just started, as tmux told."""
        self._config, self._store, self._tmux, self._now, self._registry = config, store, tmux, now, registry
        self._made = made
        self._others = Others(registry)
        self._seen: dict[tuple[int, str], Seen] = {}

    @cached_property
    def panes(self) -> Mapping[str, Pane]:
        """The first pane of each tmux session."""
        return self._tmux.panes()

    def pane(self, session: str) -> Pane | None:
        """Return a session's pane. Where it was just started in one, tmux is not asked again."""
        return self._made.get(session) or self.panes.get(session)

    @property
    def lines(self) -> Sequence[tuple[int, bytes]]:
        """The numbers and arguments of all processes."""
        return self._others.lines

    @cached_property
    def accounts(self) -> Sequence[Candidate]:
        """The accounts as the policy sees them."""
        return candidates(self._config, self._store, self._now)

    @property
    def rules(self) -> Rules:
        """What the configuration says of every choice."""
        return rules(self._config, self._now)

    def is_spent(self, account: str) -> bool:
        """Say whether a window of an account is used up."""
        return any(r.used >= 100 for view in self.accounts if view.name == account for r in view.readings.values())

    def seen(self, move: Move) -> Seen:
        """Return what bears on the next step of `move`."""
        key = (move.id, move.state)
        if key not in self._seen:
            self._seen[key] = self._see(move)
        return self._seen[key]

    def _see(self, move: Move) -> Seen:
        if move.state in BEFORE_DEATH:
            return self._before(move)
        if move.state == "stopping":
            entry = self._entry(ProcessId(move.pid, move.start))
            wrapper = wrapper_of(move)
            alive = process.alive(ProcessId(move.pid, move.start)) or (wrapper is not None and process.alive(wrapper))
            return Seen(alive=alive, registered=entry is not None, status=entry.status if entry else "")
        if move.state == "leaving":
            return Seen(alive=process.alive(ProcessId(move.new_pid, move.new_start)))
        if move.state == "dead":
            closed = move.session not in self.panes and self._server_lives(move)
            late = self.process_of(move) if move.launch else None
            ours = {move.pid, move.new_pid, late.pid if late else 0}
            return Seen(elsewhere=self.elsewhere(move.conversation, ours), closed=closed)
        return self._after(move)

    def _entry(self, one: ProcessId) -> RegistryEntry | None:
        """Return the entry of a live process."""
        found = next(iter(self._registry.read([one.pid])), None) if process.alive(one) else None
        return found if found is not None and (found.pid, found.start) == (one.pid, one.start) else None

    def _server_lives(self, move: Move) -> bool:
        """Say whether the tmux server of the move's pane lives; one that is not known does."""
        return not move.server_pid or process.alive(ProcessId(move.server_pid, move.server_start))

    def activity(self, move: Move) -> Activity | None:
        """Return what the hooks of the process that is to be stopped add up to, None where none of it was heard."""
        activity, placed = self._told(move.session), sessions.placements(self._store, [move.session]).get(move.session)
        of_it = activity is not None and activity.conversation == move.conversation
        return activity if of_it and placed is not None and activity and activity.launch == placed.launch else None

    def _told(self, session: str) -> Activity | None:
        """Return what a session's hooks add up to. Few of a hundred are looked at in one pass, so each is asked for."""
        return sessions.activities(self._store, [session]).get(session)

    def is_writing(self, move: Move) -> bool:
        """Say whether the session is proven to be writing its answer: in a turn, in no tool, and no dialog open."""
        activity, pane = self.activity(move), self.panes.get(move.session)
        if activity is None or activity.unheard or activity.gap:
            return False
        at_it = activity.turn and not (activity.tool_open or activity.asking or activity.agents or activity.held)
        ending = self.ending(move)
        return (
            at_it
            and self.seen(move).status == "busy"
            and ending is not None
            and not ending.queued_prompts
            and pane is not None
            and (pane.pid, pane.pane_id) == (move.pid, move.pane)
        )

    def ending(self, move: Move) -> transcript.Ending | None:
        """Return how the conversation's transcript ends, None when it has none."""
        path = self._transcript(move)
        return transcript.ending(path) if path else None

    def size(self, move: Move) -> int:
        """Return how long the conversation's transcript is (bytes)."""
        return transcript.size(self._transcript(move))

    def _transcript(self, move: Move) -> Path | None:
        return transcript.locate(self._config.shared_dir, Path(move.cwd), move.conversation)

    def elsewhere(self, conversation: str, ours: set[int]) -> tuple[int, ...]:
        """Return the live processes on a conversation, less `ours` (see Others)."""
        return self._others.on(conversation, ours)

    def _before(self, move: Move) -> Seen:
        entry = self._entry(ProcessId(move.pid, move.start))
        if entry is None or entry.conversation != move.conversation:
            alive = process.alive(ProcessId(move.pid, move.start))
            why = "the registry does not have it on its conversation" if alive else "its process is gone"
            ours = {move.pid} if alive else set()
            return Seen(
                alive=alive,
                left_for=entry.conversation if entry else "",
                unregistered=entry is None and alive,
                server_died=not self._server_lives(move),
                elsewhere=self.elsewhere(move.conversation, ours) if move.kind == "restore" else (),
                standing=Standing(None, why),
            )
        if self._is_elsewhere_than_its_wrapper(move):
            why = "what it was started from is not in its pane any more"
            return Seen(alive=True, unregistered=True, standing=Standing(None, why))
        activity = self.activity(move)
        limited = quiet = False
        # Only a session that looks stopped is worth reading its transcript for.
        if entry.status in ("idle", "waiting"):
            ending = self.ending(move)
            limited = ending is not None and ending.is_limited_since(move.since_size)
            # A shell that runs on shows in the registry's status; other children may be the user's MCP servers.
            quiet = entry.status == "idle" and (ending is None or not ending.background)
        return Seen(
            alive=True,
            server_died=not self._server_lives(move),
            # While it only waits nothing rests on this, and it is the dearest look: every process is asked for it.
            elsewhere=() if move.state in ("queued", "holding") else self.elsewhere(move.conversation, {move.pid}),
            standing=standing(activity, entry.status, limited=limited, quiet=quiet),
            limited=limited,
            status=entry.status,
        )

    def _is_elsewhere_than_its_wrapper(self, move: Move) -> bool:
        """Say whether what an adopted session was started from, which has to end with it, is not in its pane."""
        wrapper = wrapper_of(move)
        if wrapper is None or not process.alive(wrapper):
            return False
        pane = self.panes.get(move.session)
        return pane is None or (pane.pid, pane.pane_id) != (wrapper.pid, move.pane)

    def process_of(self, move: Move) -> ProcessId | None:
        """Return the process that the move's launch made, if it lives.

        By the launch's mark only until it is known: a process that is just becoming another program shows no arguments
        for a moment, and lives.
        """
        if move.new_pid:
            known = ProcessId(move.new_pid, move.new_start)
            return known if process.alive(known) else None
        return bearer(self.pane(move.session), move.session, move.launch)

    def _after(self, move: Move) -> Seen:
        found = self.process_of(move)
        entry = self._entry(found) if found else None
        registered = entry is not None and entry.conversation == move.conversation
        status = entry.status if entry else ""
        activity = self._told(move.session)
        if activity is not None and activity.launch != move.launch:
            activity = None
        answered = activity is not None and (activity.tool != "" or activity.last_hook in first_turn.ANSWERED)
        failure = activity.failure if activity else ""
        if move.prompt and registered and status in ("idle", "waiting") and not (answered or failure):
            answered, failure = first_turn.unheard(move, self.ending(move))
        elif move.kind == "fresh" and found is None and not answered:
            answered = self._was_given(move)
        trouble, refusal, reached = first_turn.refusal(move, failure, self.ending(move) if failure else None)
        taken = (
            answered or bool(trouble) or (activity is not None and activity.turn) or (registered and status == "busy")
        )
        return Seen(
            launched=found is not None,
            registered=registered,
            status=status,
            taken=taken,
            answered=answered,
            trouble=trouble,
            refusal=refusal,
            reached=reached,
        )

    def _was_given(self, move: Move) -> bool:
        """Say whether a conversation's transcript has the prompt of the move's launch."""
        ending = self.ending(move)
        return ending is not None and ending.was_given(move.prompt, move.since_size)
