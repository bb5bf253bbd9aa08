"""The tasks."""

from __future__ import annotations

from collections.abc import Sequence

from litestar import get
from litestar.handlers import BaseRouteHandler
from litestar.params import Parameter

from failover.http import views
from failover.http.problem import Trouble
from failover.http.routes.context import Context


def handlers(context: Context) -> Sequence[BaseRouteHandler]:
    """Return the routes of this topic."""

    @get("/v1/tasks", summary="Tasks, open ones first")
    async def tasks(limit: int = Parameter(default=200, ge=1, le=10_000)) -> Sequence[views.TaskView]:
        """Return tasks, open ones first."""
        return await context.reader.look(lambda store: views.tasks(store, limit))

    @get("/v1/tasks/{number:int}", summary="One task")
    async def task(number: int) -> views.TaskView:
        """Return one task with its history."""
        found = await context.reader.look(lambda store: views.task(store, number))
        if found is None:
            raise Trouble(404, f"there is no task {number}")
        return found

    return tasks, task
