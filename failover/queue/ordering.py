"""Carry out a person's orders about tasks: cancel one, or queue a failed one anew."""

from __future__ import annotations

from collections.abc import Mapping

from failover.core.task import Task, not_retried, retried
from failover.errors import HostError, Refused
from failover.events import TaskRetried
from failover.queue.folder import Queue
from failover.queue.following import Follower
from failover.queue.scene import Scene
from failover.store import orders, tasks
from failover.store.db import Store
from failover.store.orders import Order


class TaskDesk:
    """Takes up orders about tasks, each to its end. One that was cut short by a kill is taken up again."""

    def __init__(self, store: Store, queues: Mapping[str, Queue], follower: Follower) -> None:
        self._store, self._queues, self._follower = store, queues, follower

    def look(self, scene: Scene) -> list[str]:
        """Carry out what was ordered; return what was done."""
        return [self._take(order, scene) for order in orders.pending_of_tasks(self._store)]

    def _take(self, order: Order, scene: Scene) -> str:
        outcome: orders.Outcome = "done"
        try:
            task = tasks.get(self._store, order.args.task)
            if task is None:
                raise Refused(f"there is no task {order.args.task}")
            if task.project not in self._queues:
                raise Refused(f"task {task.id} is of {task.project}, which is no longer in projects")
            if order.verb == "cancel":
                sentence = self._cancel(task, f"cancelled by {order.by}", scene)
            else:
                sentence = self._retry(task, order)
        except (Refused, HostError) as error:
            outcome, sentence = "refused" if isinstance(error, Refused) else "failed", str(error)
        with self._store.transaction() as tx:
            orders.finish_of_task(tx, order.id, self._store.now_ms(), outcome, sentence)
        return sentence

    def _cancel(self, task: Task, why: str, scene: Scene) -> str:
        """End a task. Its session is left alone: nothing is ever typed into a session that is at work."""
        if task.finish is None and task.state in ("queued", "delivering", "running"):
            if task.returning:
                self._queues[task.project].bring_back(task.returning, task.name)
            self._follower.end(task, "failed", why, scene)
        elif task.finish is None or task.finish.reason != why:
            raise Refused(f"task {task.id} is {task.finish.outcome if task.finish else task.state} already")
        elif task.state not in ("done", "failed"):
            self._follower.look(task, scene)  # a kill fell between its row and its file
        said = f"task {task.id} ({task.name}) is cancelled"
        if task.state == "queued" or not task.session:
            return said
        at = "may yet take it" if task.state == "delivering" else "may still be at it"
        return (
            f"{said}; {task.session} {at} and was left alone: to stop it, press Esc there (tmux attach -t "
            f"{task.session}) or: claude-failover sessions stop {task.session}"
        )

    def _retry(self, task: Task, order: Order) -> str:
        queue = self._queues[task.project]
        if not task.returning:
            if task.state != "failed":
                raise Refused(f"task {task.id} is {task.state}; only one that has failed can be tried again")
            if task.finish is None:
                raise Refused(
                    f"task {task.id} was never a task: mend its file in {queue.failed} and move it to {queue.inbox}"
                )
            if against := queue.against_return(task.finish.target, task.name):
                raise Refused(against)
            task = retried(task, self._store.now_ms())
            with self._store.transaction() as tx:
                tasks.save(tx, task)
        try:
            queue.bring_back(task.returning, task.name)
        except HostError:
            with self._store.transaction() as tx:
                tasks.save(tx, not_retried(task))
            raise
        sentence = f"task {task.id} ({task.name}) is queued again"
        with self._store.transaction() as tx:
            tasks.save(tx, tasks.returned(task))
            tx.emit(TaskRetried(task=task.id, name=task.name, by=order.by))
            orders.finish_of_task(tx, order.id, self._store.now_ms(), "done", sentence)
        return sentence
