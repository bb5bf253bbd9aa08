"""dispatcher: task files to idle sessions, and then to done/ or failed/. It types; it starts and stops nothing."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from typing import ParamSpec, get_args

from failover.claude.registry import Registry
from failover.core.dispatch import against, assign
from failover.core.move import TERMINAL
from failover.core.session import GO_ON, SessionState
from failover.core.task import Task
from failover.errors import HostError
from failover.events import (
    HOOKS_OF_TURNS,
    Envelope,
    HookReceived,
    MoveAdvanced,
    SessionStateChanged,
    UsageRead,
    sessions_named,
)
from failover.host.tmux import Tmux
from failover.queue.blocking import Blocking
from failover.queue.delivery import Deliverer
from failover.queue.folder import Queue
from failover.queue.following import Follower
from failover.queue.intake import Intake
from failover.queue.ordering import TaskDesk
from failover.queue.scene import Lows, Scene
from failover.runtime import SETTLE, Host, run
from failover.store import flags, tasks

P = ParamSpec("P")

#: How long it is enough to look at the sessions of which something is heard (seconds).
_ALL_EACH = 5.0
#: What is read of accounts is looked into together, and while a prompt is typed all else is (seconds).
_REST = 1.0
_TAKEN_AWAY = "its file was taken out of the inbox before it was handed to a session"


class Dispatcher:
    """Looks at inboxes, hands out, follows."""

    name = "dispatcher"
    topics: tuple[str, ...] = (
        *HOOKS_OF_TURNS,
        *(f"session.changed/{state}" for state in get_args(SessionState) if state not in GO_ON),
        "session.adopted",
        "session.turned",
        "swap.started",
        "swap.finished",
        *(f"swap.move-advanced/{state}" for state in sorted(TERMINAL)),
        "operator.",
        "usage.read",
    )

    def __init__(self, host: Host) -> None:
        self._config, self._store, self._clock = host.config, host.store, host.clock
        self._queues = {str(project): Queue(project) for project in host.config.projects}
        self._tmux = Tmux(host.config.tmux.socket)
        self._intake = Intake(host.config, host.store, host.clock, self._queues)
        self._deliverer = Deliverer(host.config, host.store, host.clock, self._tmux, self._queues)
        self._follower = Follower(host.store, host.clock, self._queues)
        self._blocking = Blocking(host.store, host.clock)
        self._desk = TaskDesk(host.store, self._queues, self._follower)
        self._registry = Registry(host.config.shared_dir / "sessions")
        self._lows = Lows(host.config, host.store, host.clock)
        self._looked = 0.0  # when it was last seen who is free (monotonic)
        self._due = 0.0  # when all are to be looked at again (monotonic)

    def cycle(self, heard: Sequence[Envelope]) -> str:
        """Take up new files, then look after what is handed over, then hand out more."""
        now, due = self._clock.monotonic(), self._due
        self._due = 0.0  # where something goes wrong below, all is looked at next
        self._lows.hear(heard)
        said = self._intake.look()
        if any(isinstance(one.event, UsageRead) for one in heard):
            due = min(due, self._looked + _REST)
        # Called for no known reason, something may have been missed.
        known = heard or self._intake.stirred or self._deliverer.types
        if known and not said and now < due and not any(map(_frees, heard)):
            did = self._look_briefly(_ended(heard))
            self._due = due
            return "; ".join(filter(None, did))
        of = self._concerned(heard) if known and not said and now < due else None
        self._looked, paused = now, flags.paused(self._store) is not None
        scene = self._scene(of)
        said += self._desk.look(scene)
        handed = self._look_after(scene, paused, of, said)
        self._hand_out(scene, handed, paused, of, said)
        self._due = math.inf if of is None else due
        return "; ".join(filter(None, said))

    def _scene(self, of: Collection[str] | None = None) -> Scene:
        return Scene(self._config, self._store, self._tmux, self._registry, self._lows, of)

    def _look_briefly(self, ended: Collection[str]) -> list[str]:
        """Take the next step with the prompts that are on their way, and with the tasks of sessions whose turn ended:
        only those sessions are looked at, and nobody is given anything new."""
        given = tasks.being_handed_over(self._store) if self._deliverer.types else []
        given += [task for task in tasks.handed_over(self._store, ended) if task.state == "running"] if ended else []
        given = [task for task in given if task.project in self._queues]
        if not given:
            return []
        scene, paused = self._scene({task.session for task in given}), flags.paused(self._store) is not None
        return [
            _guarded(task, self._follower.look, task, scene)
            if task.state == "running"
            else _guarded(task, self._deliverer.look, task, scene, paused)
            for task in given
        ]

    def _concerned(self, heard: Sequence[Envelope]) -> frozenset[str] | None:
        """Return the sessions that may be free now, or whose tasks may be at their end; None: any."""
        named, dispatch = sessions_named([one for one in heard if _frees(one)]), self._config.dispatch
        # Where a project's tasks at work are limited, one that ends makes room for other sessions too.
        limited = dispatch.limits or dispatch.per_project is not None
        if named is None or limited:
            return None
        awaited = {
            task.session
            for task in tasks.handed_over(self._store)
            if task.state == "delivering" or self._follower.awaits(task.id) or self._blocking.awaits(task)
        }
        return named | _ended(heard) | awaited

    def _look_after(self, scene: Scene, paused: bool, of: frozenset[str] | None, said: list[str]) -> list[Task]:
        """Look at the tasks that sessions (all, or some) have. Return those that all of them have then."""
        handed, did = tasks.handed_over(self._store), []
        for task in handed:
            if task.project not in self._queues:
                continue  # no longer served; it waits until the project is in the configuration again
            if of is None or task.session in of:
                if task.state == "delivering":
                    did.append(_guarded(task, self._deliverer.look, task, scene, paused))
                else:
                    did.append(_guarded(task, self._follower.look, task, scene))
        if any(did):  # whoever changes a task says so
            handed = tasks.handed_over(self._store)
        said += did
        for task in handed:
            if of is None or task.session in of:
                said.append(self._blocking.look(task, scene))
        for memory in (self._blocking, self._deliverer):
            memory.forget(frozenset(task.id for task in handed))
        return handed

    def _hand_out(
        self, scene: Scene, handed: Sequence[Task], paused: bool, of: frozenset[str] | None, said: list[str]
    ) -> None:
        """Give sessions (all, or some) that are free what waits for them."""
        if paused or not tasks.any_queued(self._store):
            return
        serving, busy = self._intake.serving, {task.session: task.id for task in handed}
        seats = [
            scene.seat(session, serving, busy.get(session, 0), self._deliverer.resting(session))
            for session in serving.projects
            if of is None or session in of
        ]
        free: dict[frozenset[str], list[str]] = {}
        for seat in seats:
            if not against(seat):
                free.setdefault(serving.projects[seat.session], []).append(seat.session)
        room = self._room(handed)
        full = {project for project, left in room.items() if left <= 0}
        waiting = {
            task.id: task
            for projects, names in free.items()
            for task in tasks.next_queued(self._store, projects - full, names)
            if not (task.returning or self._deliverer.waits(task.id))
        }
        for one in assign(waiting.values(), seats, paused=paused, room=room):
            task = waiting[one.task]
            if not self._queues[task.project].holds(task.name):
                said.append(_guarded(task, self._follower.end, task, "failed", _TAKEN_AWAY, scene))
                continue
            said.append(_guarded(task, self._deliverer.begin, task, one.session, one.anew, scene))
            if (begun := tasks.get(self._store, task.id)) and begun.state == "delivering":
                said.append(_guarded(begun, self._deliverer.look, begun, scene, paused))

    def _room(self, handed: Sequence[Task]) -> dict[str, int]:
        """Return how many more tasks each project may have at work, where that is limited."""
        dispatch = self._config.dispatch
        at_work = Counter(task.project for task in handed)
        limits = {str(limit.project): limit.at_once for limit in dispatch.limits}
        if dispatch.per_project is not None:
            limits = dict.fromkeys(self._queues, dispatch.per_project) | limits
        return {project: limit - at_work[project] for project, limit in limits.items()}

    def wake_after(self) -> float:
        """Return the seconds until the next look."""
        now = self._clock.monotonic()
        self._due = min(self._due, now + min(_ALL_EACH, self._follower.wake_after(), self._blocking.wake_after()))
        if self._deliverer.types:  # what was missed meanwhile is not missed for long
            self._due = min(self._due, self._looked + _REST)
        return min(self._due - now, self._intake.wake_after(), self._deliverer.wake_after())

    def descriptors(self) -> Sequence[int]:
        """Return what wakes it: changes in an inbox."""
        return (self._intake.descriptor,)

    def close(self) -> None:
        """Let the watch go; what is with a session is found again by looking."""
        self._intake.close()


def _frees(told: Envelope) -> bool:
    """Say whether what was heard may free a session, or concern more than one: not what is read of accounts, nor that a
    session was moved in the middle of its turn, nor any hook (the state that follows from it is told too)."""
    match told.event:
        case MoveAdvanced():
            return told.event.state in TERMINAL and told.event.was != "answering"
        case SessionStateChanged():
            return told.event.state not in GO_ON
    return not isinstance(told.event, UsageRead | HookReceived)


def _ended(heard: Sequence[Envelope]) -> frozenset[str]:
    """Return the sessions in which a turn ended, and perhaps a task with it."""
    hooks = (one.event for one in heard if isinstance(one.event, HookReceived))
    return frozenset(hook.session for hook in hooks if hook.hook in ("Stop", "StopFailure"))


def _guarded(task: Task, step: Callable[P, str], *args: P.args, **kwargs: P.kwargs) -> str:
    """Take a step with one task; its trouble must not keep the others waiting."""
    try:
        return step(*args, **kwargs)
    except HostError as error:
        return f"task {task.id}: {error}"


def main() -> None:
    """Run the role."""
    run("dispatcher", Dispatcher, settle=SETTLE)


if __name__ == "__main__":
    main()
