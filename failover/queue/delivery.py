"""Hand a task to a session: row, marker, prompt; then see that it was taken, or take it back."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import msgspec

from failover.clock import Clock
from failover.config import Config
from failover.core.attempt import MARK, MAX_SENDS, Act, Anew, Delivery, deliver, deliver_anew, marker_text, prompt
from failover.core.task import Task
from failover.errors import HostError
from failover.events import TaskDispatched
from failover.host import process
from failover.host.tmux import Tmux
from failover.queue.folder import Marker, Queue
from failover.queue.scene import Scene
from failover.store import fresh, sessions, tasks
from failover.store.db import Store
from failover.store.fresh import FreshRequest

#: What the prompt box begins with, and nothing below it holds (2.1.330).
_BOX = "❯"
#: A session that did not take a prompt is left alone this long, twice as long each time, and at most (seconds).
_REST, _MOST_REST = 5.0, 300.0


@dataclass
class _Typed:
    phase: Literal["fresh", "pasted", "entered", "unknown"]
    at: float
    sends: int = 0


class Deliverer:
    """Carries prompts to sessions. What it remembers only spares time: after a restart it finds out by looking."""

    def __init__(self, config: Config, store: Store, clock: Clock, tmux: Tmux, queues: Mapping[str, Queue]) -> None:
        self._config, self._store, self._clock, self._tmux, self._queues = config, store, clock, tmux, queues
        self._typed: dict[int, _Typed] = {}
        self._rests: dict[str, tuple[float, float]] = {}  # session → (until, how long)
        self._later: dict[int, float] = {}  # task that could not be marked → until when it waits

    def forget(self, open_tasks: frozenset[int]) -> None:
        """Forget what was typed of tasks that are no longer being handed over."""
        for task in self._typed.keys() - open_tasks:
            del self._typed[task]

    def resting(self, session: str) -> bool:
        """Say whether a session did not take a prompt a moment ago."""
        return self._clock.monotonic() < self._rests.get(session, (0.0, 0.0))[0]

    def waits(self, task: int) -> bool:
        """Say whether a task could not be marked a moment ago."""
        return self._clock.monotonic() < self._later.get(task, 0.0)

    @property
    def types(self) -> bool:
        """Say whether a prompt is on its way."""
        return bool(self._typed)

    def wake_after(self) -> float:
        """Return the seconds until the next look at what was typed."""
        if any(typed.phase in ("fresh", "pasted") for typed in self._typed.values()):
            return 0.05
        return 0.25 if self._typed else 5.0

    def begin(self, task: Task, session: str, anew: bool, scene: Scene) -> str:
        """Write that `task` is being handed to `session`, and mark its file. Nothing is typed yet.

        anew: it begins a new conversation, so the prompt goes to the account-switcher, which alone starts processes.
        """
        placement, last_call = scene.placements[session], tasks.last_call(self._store)
        if late := self._late(task):
            return late
        handed = msgspec.structs.replace(
            task,
            state="delivering",
            attempt=task.attempt + 1,
            session=session,
            anew=anew,
            conversation=str(uuid.uuid4()) if anew else placement.conversation,
            launch=placement.launch,
            account=placement.account,
            cwd=task.project if anew else placement.cwd,
            since_call=task.since_call or last_call,
            handed_call=last_call,
            since_size=0 if anew else scene.size(placement),
            taken_call=0,
        )
        with self._store.transaction() as tx:
            tasks.save(tx, handed)
        queue = self._queues[task.project]
        marker = Marker(task.id, session, handed.attempt, self._store.now_ms())
        try:
            marked, why = queue.mark(task.name, marker), "its file has a marker of another's"
        except HostError as error:
            marked, why = False, str(error)
        if not marked:
            self._put_back(handed, why)
            self._later[task.id] = self._clock.monotonic() + _REST
            return f"task {task.id} waits: {why}"
        self._typed[task.id] = _Typed("fresh", self._clock.monotonic())
        if anew:
            self._ask(handed)
        return f"handing task {task.id} ({task.name}) to {session}" + (", in a new conversation" if anew else "")

    def _ask(self, task: Task) -> None:
        """Ask for the start of the task's conversation. Without its marker a task is not asked for."""
        with self._store.transaction() as tx:
            fresh.ask(
                tx,
                FreshRequest(
                    id=0,
                    task=task.id,
                    session=task.session,
                    launch=task.launch,
                    conversation=task.conversation,
                    cwd=task.cwd,
                    prompt=self._prompt(task),
                ),
            )

    def _prompt(self, task: Task) -> str:
        return prompt(task.id, task.attempt, str(self._queues[task.project].path(task.name)))

    def _late(self, task: Task) -> str:
        """Follow a task that was taken after all, after it had been taken back; by any session, looked at or not."""
        if not task.since_call:
            return ""
        found = tasks.prompt_with(self._store, marker_text(task.id, task.attempt + 1), task.since_call)
        if found is None:
            return ""
        session, call = found
        placement = sessions.placements(self._store, [session]).get(session)
        if placement is None:
            return ""
        again = msgspec.structs.replace(
            task,
            attempt=task.attempt + 1,
            session=session,
            anew=False,
            conversation=call.conversation,
            launch=call.launch,
            account=placement.account,
            cwd=placement.cwd,
        )
        self._taken(again, call.id)
        return f"{session} took task {task.id} after all"

    def look(self, task: Task, scene: Scene, paused: bool) -> str:
        """Take the next step with a task that is being handed over. Return what was done, empty for nothing."""
        typed = self._typed.setdefault(task.id, _Typed("unknown", self._clock.monotonic()))
        waited, timeout = self._clock.monotonic() - typed.at, self._config.dispatch.submit_timeout
        placement = scene.placements.get(task.session)
        text = marker_text(task.id, task.attempt)
        found = tasks.prompt_with(self._store, text, task.since_call)
        taken = found is not None
        # Known by the transcript alone, its turn began after this hand-over: what ended before it was another's.
        call = found[1].id if found else task.handed_call
        if task.anew:
            return self._look_anew(task, scene, paused, typed, taken, call)
        same = placement is not None and placement.launch == task.launch
        if not taken and placement and (typed.phase == "unknown" or waited >= timeout or not same):
            # Hooks may have been missed, and those of a launch that is over come no more; the transcript has it too, a
            # little later.
            taken = scene.written(placement, text, task.since_size)
        pane, shown = scene.screen(task.session)
        screen = _flat(shown)
        seen = Delivery(
            phase=typed.phase,
            taken=taken,
            idle=bool(pane),
            moving=scene.moving(task.session),
            same=same,
            paused=paused,
            shown=text in screen,
            left=MARK in (box := _box(screen)) and text not in box,
            waited=waited,
            sends=typed.sends,
        )
        return self._do(task, deliver(seen, timeout), typed, pane, call)

    def _look_anew(self, task: Task, scene: Scene, paused: bool, typed: _Typed, taken: bool, call: int) -> str:
        # First the request, then the rest: one that was taken up shows as a move, or as where that led to.
        asked = any(request.task == task.id for request in fresh.unserved(self._store))
        scene = scene.again()
        placement = scene.placements.get(task.session)
        placed = placement is not None and placement.conversation == task.conversation
        gone = scene.gone(task.session) and not scene.lost(task.session)
        if placement is not None and placed:
            taken = taken or scene.written(placement, marker_text(task.id, task.attempt), 0)
            task = msgspec.structs.replace(task, launch=placement.launch)
        seen = Anew(
            taken=taken,
            asked=asked and placement is not None and placement.launch == task.launch and not gone,
            moving=scene.moving(task.session),
            placed=placed,
            gone=gone,
            paused=paused,
            waited=self._clock.monotonic() - typed.at,
        )
        return self._do(task, deliver_anew(seen), typed, "", call)

    def _do(self, task: Task, act: Act, typed: _Typed, pane: str, call: int) -> str:
        match act.verb:
            case "taken":
                self._taken(task, call)
                return f"{task.session} took task {task.id} ({task.name}), attempt {task.attempt}"
            case "take_back":
                self._take_back(task, act.why)
                return f"took task {task.id} back from {task.session}: {act.why}"
            case "paste":
                # Noted first: a paste of which tmux did not answer may stand there all the same.
                typed.phase, typed.at, typed.sends = "pasted", self._clock.monotonic(), typed.sends + 1
                self._tmux.paste(pane, self._prompt(task))
            case "clear":
                # One shown line at a time, from the last one on (measured on 2.1.330).
                self._tmux.keys(pane, "C-u")
            case "enter":
                if typed.phase == "entered":
                    typed.sends = MAX_SENDS
                typed.phase, typed.at, typed.sends = "entered", self._clock.monotonic(), max(typed.sends, 1)
                self._tmux.keys(pane, "Enter")
        return ""

    def _taken(self, task: Task, call: int) -> None:
        running = msgspec.structs.replace(
            task,
            state="running",
            blocked="",
            taken_call=call,
            started_ms=self._store.now_ms(),
            started_mono=self._clock.monotonic(),
            host_boot=process.host_boot_id(),
        )
        with self._store.transaction() as tx:
            tasks.save(tx, running)
            fresh.take_back(tx, task.id)
            tx.emit(TaskDispatched(task=task.id, name=task.name, session=task.session, attempt=task.attempt))
        self._typed.pop(task.id, None)
        self._rests.pop(task.session, None)

    def _take_back(self, task: Task, why: str) -> None:
        self._put_back(task, why)
        lasting = min(max(self._rests.get(task.session, (0.0, _REST / 2))[1] * 2, _REST), _MOST_REST)
        self._rests[task.session] = (self._clock.monotonic() + lasting, lasting)

    def _put_back(self, task: Task, why: str) -> None:
        """Put a task that was not taken back into the queue; the attempt does not count."""
        back = msgspec.structs.replace(
            task,
            state="queued",
            attempt=task.attempt - 1,
            session="",
            launch="",
            account="",
            anew=False,
            blocked="",
            reason=why,
        )
        with self._store.transaction() as tx:
            tasks.save(tx, back)
            fresh.take_back(tx, task.id)
        # After the row: a marker that is left behind is known as this task's and replaced.
        self._queues[task.project].unmark(task.name)
        self._typed.pop(task.id, None)


def _box(screen: str) -> str:
    """Return what stands in the prompt box, empty where none is known."""
    _, found, rest = screen.rpartition(_BOX)
    return rest if found else ""


def _flat(screen: str) -> str:
    """Return what a pane shows as one line: a narrow pane breaks the marker."""
    return " ".join(screen.split())
