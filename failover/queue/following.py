"""Follow tasks that sessions are at, and put them away when they end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from failover.claude import transcript
from failover.clock import Clock
from failover.core.attempt import Progress, follow, marker_text
from failover.core.session import HookCall
from failover.core.task import Figures, Finish, Past, Task, accounts_used
from failover.errors import HostError
from failover.events import TaskFinished
from failover.host import process
from failover.queue.folder import Queue
from failover.queue.scene import Scene, settled
from failover.store import fresh, tasks, usage
from failover.store.db import Store

#: How much of a session's last message is kept with a task (characters).
_MESSAGE = 16_000
#: How long a session must have been gone before its task is offered again (seconds): where it ended with its tmux
#: server, that may be seen a moment after it.
_GONE_FOR = 1.0


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in NAME.result.json. Times: epoch milliseconds; duration_s: of the last attempt; earlier: how it
    ended before it was retried."""

    task: int
    name: str
    outcome: Literal["done", "failed"]
    reason: str
    session: str
    accounts: tuple[str, ...]
    attempts: int
    queued_ms: int
    started_ms: int
    finished_ms: int
    duration_s: float
    message: str
    figures: Figures | None = None
    earlier: tuple[Past, ...] = ()


class _Context(msgspec.Struct, frozen=True):
    total_input_tokens: int | None = None
    total_output_tokens: int | None = None
    context_window_size: int | None = None
    used_percentage: float | None = None


class _Cost(msgspec.Struct, frozen=True):
    total_cost_usd: float | None = None


class _Statusline(msgspec.Struct, frozen=True):
    context_window: _Context = _Context()
    cost: _Cost = _Cost()


class Follower:
    """Decides what becomes of running tasks and does it."""

    def __init__(self, store: Store, clock: Clock, queues: Mapping[str, Queue]) -> None:
        self._store, self._clock, self._queues = store, clock, queues
        self._idle_since: dict[int, float] = {}
        self._gone_since: dict[int, float] = {}

    def wake_after(self) -> float:
        """Return the seconds until the next look: soon where an idle session's task is not at its end."""
        return 1.0 if self._idle_since or self._gone_since else 5.0

    def awaits(self, task: int) -> bool:
        """Say whether a task is to be looked at again soon, though nothing is heard of its session."""
        return task in self._idle_since or task in self._gone_since

    def look(self, task: Task, scene: Scene) -> str:
        """Take the next step with a running task. Return what was done, empty for nothing."""
        if task.finish is not None:
            return self._put_away(task, task.finish, scene)
        seen, message = self._see(task, scene)
        act = follow(task, seen)
        match act.verb:
            case "done" | "failed":
                outcome: Literal["done", "failed"] = "done" if act.verb == "done" else "failed"
                return self.end(task, outcome, act.why, scene, message, put_away=bool(seen.put_away))
            case "again":
                self._again(task, act.why)
                return f"task {task.id} ({task.name}) is offered again: {act.why}"
        return ""

    def _see(self, task: Task, scene: Scene) -> tuple[Progress, str]:
        queue = self._queues[task.project]
        activity = scene.activity(task.session)
        here = activity is None or activity.conversation == task.conversation
        rest = activity is not None and settled(activity)
        end = tasks.last_end(self._store, task.conversation, task.taken_call) if rest else None
        ended: Literal["Stop", "StopFailure", "quiet", ""] = ""
        message, error = "", ""
        # A failure may be old: the turn was taken up again, and its end fell into a time in which nobody listened.
        outlived = end is not None and end.hook == "StopFailure" and self._answered(task, scene)
        anew = scene.started_anew(task)
        gap = activity is None or activity.gap or outlived or anew
        if end is not None and not outlived:
            ended, message, error = _ended(end), end.message, end.error
        elif here and gap and (answer := self._quiet(task, scene)) is not None:
            ended, rest, message = "quiet", True, answer
        idle = scene.idle(task.session)
        now = self._clock.monotonic()
        if idle:
            self._idle_since.setdefault(task.id, now)
        else:
            self._idle_since.pop(task.id, None)
        if gone := scene.gone(task.session):
            self._gone_since.setdefault(task.id, now)
        else:
            self._gone_since.pop(task.id, None)
        return (
            Progress(
                put_away=queue.put_away(task.name, task.queued_ms),
                ended=ended,
                settled=rest,
                here=here,
                moving=scene.moving(task.session),
                lost=gone and scene.lost(task.session),
                gone=now - self._gone_since.get(task.id, now) >= _GONE_FOR,
                anew=anew,
                limited=scene.limited(task.session),
                error=error,
                idle_for=now - self._idle_since.get(task.id, now),
                running_for=process.seconds_since(self._clock, task),
            ),
            message,
        )

    def _answered(self, task: Task, scene: Scene) -> bool:
        """Say whether the transcript ends with an answer, and not with the error of a failed turn."""
        placement = scene.placements.get(task.session)
        if placement is None or placement.conversation != task.conversation:
            return False
        path = scene.transcript(placement)
        return path is not None and transcript.ending(path).last_kind == "assistant_text"

    def _quiet(self, task: Task, scene: Scene) -> str | None:
        """Return the last answer, where hooks were missed and the transcript shows that the task's turn has ended."""
        placement = scene.placements.get(task.session)
        if placement is None or placement.conversation != task.conversation or scene.quiet(placement) is None:
            return None
        # A prompt reaches the disk a little after its hook: until then the file ends with the answer before it.
        if not scene.written(placement, marker_text(task.id, task.attempt), task.since_size):
            return None
        path = scene.transcript(placement)
        return _last_answer([record for _, record in transcript.tail(path)]) if path else None

    def _again(self, task: Task, why: str) -> None:
        again = msgspec.structs.replace(
            task,
            state="queued",
            session="",
            conversation="",
            launch="",
            anew=False,
            since_call=0,
            taken_call=0,
            blocked="",
            reason=why,
        )
        with self._store.transaction() as tx:
            tasks.save(tx, again)
        self._queues[task.project].unmark(task.name)
        self._forget(task)

    def _forget(self, task: Task) -> None:
        self._idle_since.pop(task.id, None)
        self._gone_since.pop(task.id, None)

    def end(
        self,
        task: Task,
        outcome: Literal["done", "failed"],
        why: str,
        scene: Scene,
        message: str = "",
        put_away: bool = False,
    ) -> str:
        """End a task: first its row says how, then its file goes where it belongs, then the row is closed."""
        target = task.name if put_away else self._queues[task.project].free_name(task.name, outcome)
        finish = Finish(outcome, why, target, message[:_MESSAGE], self._figures(task))
        # Closing: from here on it only goes forward, whatever is killed.
        closing = msgspec.structs.replace(task, finish=finish, finished_ms=self._store.now_ms(), blocked="")
        with self._store.transaction() as tx:
            tasks.save(tx, closing)
            fresh.take_back(tx, task.id)
        return self._put_away(closing, finish, scene)

    def _figures(self, task: Task) -> Figures | None:
        """Return what the statusline of the task's conversation said since the attempt began."""
        row = next(iter(usage.statuslines(self._store, [task.session])), None)
        if row is None or row.conversation != task.conversation or not 0 < task.started_ms <= row.at_ms:
            return None
        try:
            told = msgspec.json.decode(row.body, type=_Statusline, strict=False)
        except msgspec.MsgspecError:
            return None  # of a version that says it otherwise
        return Figures(
            at_ms=row.at_ms,
            context_tokens=told.context_window.total_input_tokens,
            context_window=told.context_window.context_window_size,
            context_used=told.context_window.used_percentage,
            output_tokens=told.context_window.total_output_tokens,
            cost_usd=told.cost.total_cost_usd,
        )

    def _put_away(self, task: Task, finish: Finish, scene: Scene) -> str:
        placement = scene.placements.get(task.session)
        result = Result(
            task=task.id,
            name=task.name,
            outcome=finish.outcome,
            reason=finish.reason,
            session=task.session,
            accounts=accounts_used(
                task.account,
                tasks.moves_since(self._store, task.session, task.started_ms),
                placement.account if placement and placement.conversation == task.conversation else "",
            ),
            attempts=task.attempt,
            queued_ms=task.queued_ms,
            started_ms=task.started_ms,
            finished_ms=task.finished_ms,
            duration_s=round((task.finished_ms - task.started_ms) / 1000, 3) if task.started_ms else 0.0,
            message=finish.message,
            figures=finish.figures,
            earlier=task.history,
        )
        try:
            text = msgspec.json.format(msgspec.json.encode(result), indent=2) + b"\n"
            self._queues[task.project].finish(task.name, finish.outcome, finish.target, text)
        except HostError as error:
            return f"task {task.id} is {finish.outcome}, but {error}"
        with self._store.transaction() as tx:
            tasks.save(tx, msgspec.structs.replace(task, state=finish.outcome, reason=finish.reason))
            tx.emit(
                TaskFinished(
                    task=task.id, name=task.name, session=task.session, outcome=finish.outcome, reason=finish.reason
                )
            )
        self._forget(task)
        return f"task {task.id} ({task.name}) is {finish.outcome}: {finish.reason}"


def _ended(call: HookCall) -> Literal["Stop", "StopFailure", ""]:
    if call.hook == "StopFailure":
        return "StopFailure"
    return "" if call.background else "Stop"


def _last_answer(records: list[dict[str, object]]) -> str:
    """Return the text of the last answer in a transcript's records."""
    for record in reversed(records):
        message = record.get("message")
        if record.get("type") == "assistant" and isinstance(message, dict):
            blocks = message.get("content")
            if isinstance(blocks, list):
                texts = [b.get("text") for b in blocks if isinstance(b, dict) and b.get("type") == "text"]
                return "\n".join(text for text in texts if isinstance(text, str))
    return ""
