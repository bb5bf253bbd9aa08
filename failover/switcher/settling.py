"""What a step of a move settles: the data that it adds to the move, and the session's place that goes with it."""

from __future__ import annotations

import msgspec

from failover.core.move import Move, Step
from failover.core.prompt import Templates
from failover.errors import HostError
from failover.events import SessionLaunched
from failover.host import process
from failover.store import sessions
from failover.store.db import Store, Transaction
from failover.store.sessions import Placement
from failover.switcher import replaying
from failover.switcher.launcher import new_launch_id
from failover.switcher.look import Scene


class Settler:
    """Settles steps, in the transaction that writes them to the journal."""

    def __init__(self, store: Store, templates: Templates) -> None:
        self._store, self._templates = store, templates

    def settle(self, tx: Transaction, move: Move, moved: Move, step: Step, scene: Scene) -> Move:
        """Return the move with what the step settles; `move`: as it was, `moved`: in its new state."""
        replace = msgspec.structs.replace
        match step.event:
            case "bound":
                return replace(moved, outcome=step.outcome, limited=scene.seen(move).limited)
            case "note":
                return replaying.note(self._store, moved, scene.activity(move))
            case "lost":
                ending = scene.ending(move)
                lost = replaying.note_lost(self._store, moved, scene.activity(move), ending)
                lost = replaying.compose(self._store, lost, ending, self._templates)
                return replace(lost, since_size=scene.size(move))
            case "died" | "again":
                composed = replaying.compose(self._store, moved, scene.ending(move), self._templates)
                return replaying.begin_anew(replace(composed, since_size=scene.size(move)))
            case "relaunch":
                # A launch of which nothing was seen may still come about (a tmux that hung): it keeps its name.
                again = move.launch and not move.new_pid and step.target == move.target
                launch = move.launch if again else new_launch_id()
                moved = replace(moved, target=step.target, launch=launch, new_pid=0, new_start=0)
                moved = replace(moved, launches=move.launches + 1)
                sessions.place(tx, placement(moved, scene))
            case "launched":
                found, pane = scene.process_of(move), scene.pane(move.session)
                if found is None:
                    raise HostError(f"{move.session}: its new process ended while it was looked at")
                moved = replace(moved, new_pid=found.pid, new_start=found.start)
                if pane is not None and (server := process.identify(pane.server)) is not None:
                    moved = replace(moved, server_pid=server.pid, server_start=server.start)
                sessions.place(tx, placement(moved, scene))
                tx.emit(
                    SessionLaunched(
                        session=move.session, account=move.target, conversation=move.conversation, pid=found.pid
                    )
                )
            case "leave" | "park":
                seen = scene.seen(move)
                if seen.refusal != "service":
                    moved = replace(moved, refused=(*move.refused, move.target))
                if seen.reached is not None:
                    moved = replace(moved, limits=(*move.limits, seen.reached))
                if step.target and step.target != move.target:
                    moved = replace(moved, target=step.target, launches=0)
            case "end":
                sessions.place(tx, replace(placement(moved, scene), wanted="stopped", pid=0, start=0))
        return moved


def placement(move: Move, scene: Scene) -> Placement:
    """Return where a move leaves its session."""
    pane = scene.pane(move.session)
    return Placement(
        session=move.session,
        account=move.target or move.source,
        conversation=move.conversation,
        cwd=move.cwd,
        wanted="running",
        launch=move.launch,
        pinned=move.pinned,
        carried=move.carried,
        pane=pane.pane_id if pane else "",
        pid=move.new_pid,
        start=move.new_start,
        since_size=move.since_size,
        server_pid=move.server_pid,
        server_start=move.server_start,
    )
