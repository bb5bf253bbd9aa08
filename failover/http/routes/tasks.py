"""The tasks, and how one is added."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
from litestar import get, post
from litestar.handlers import BaseRouteHandler
from litestar.openapi.spec import Example
from litestar.params import Body, Parameter

from failover.config_yaml import is_name
from failover.errors import HostError, Refused, UsageError
from failover.http import views
from failover.http.problem import Trouble
from failover.http.routes.context import Context
from failover.http.routes.spec import MOST, Number, Text, answers, page
from failover.queue import adding


class TaskRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A task to be done. text: what is to be done; project: whose, where there are several; name: its file's without
    .md, without it the time; priority: higher ones go first; session: the only one that may do it."""

    text: Annotated[str, msgspec.Meta(min_length=1)]
    project: str = ""
    name: str = ""
    priority: Annotated[int, msgspec.Meta(ge=-1_000_000, le=1_000_000)] = 0
    session: str = ""


class TaskAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Where the task was put. It has a number once the dispatcher has seen it: `/v1/tasks?project=…&name=…`."""

    file: str
    project: str
    name: str


_EXAMPLE = Example(
    summary="A task", value={"text": "Mend the failing test in tests/test_a.py.", "project": "~/src/app", "priority": 5}
)


def handlers(context: Context) -> Sequence[BaseRouteHandler]:
    """Return the routes of this topic."""
    config = context.config

    @get("/v1/tasks", tags=["tasks"], summary="Tasks, open ones first", responses=answers(400))
    async def tasks(
        limit: int = Parameter(default=200, ge=1, le=10_000),
        after: str = Parameter(default="", max_length=80, description="From the Link header of the page before."),
        project: Text = "",
        name: Text = "",
    ) -> Sequence[views.TaskView]:
        """Return tasks: the open ones by priority, then the newest of the others. The Link header leads on."""
        place = _place(after)
        found = await context.history.look(
            lambda store: views.tasks(store, limit + 1, after=place, project=project, name=name)
        )
        query = {"project": project, "name": name}
        return page("/v1/tasks", found, limit, query, ("after", _behind))  # type: ignore[no-any-return]

    @get("/v1/tasks/{number:int}", tags=["tasks"], summary="One task", responses=answers(400, 404))
    async def task(number: Number) -> views.TaskView:
        """Return one task with its history."""
        found = await context.history.look(lambda store: views.task(store, number))
        if found is None:
            raise Trouble(404, f"there is no task {number}")
        return found

    @post("/v1/tasks", tags=["tasks"], summary="Add a task", responses=answers(400, 408, 409, 413, 415))
    async def add(data: Annotated[TaskRequest, Body(examples=[_EXAMPLE])]) -> TaskAnswer:
        """Put a task into a project's inbox, as `claude-failover tasks add` does. 409: a task of that name is there."""
        project = _project(data.project)
        if data.session and not is_name(data.session):
            raise Trouble(400, "session: is no name; see: /v1/sessions")
        try:
            path = await asyncio.to_thread(
                adding.add, project, data.text, name=data.name, priority=data.priority or None, session=data.session
            )
        except Refused as error:
            raise Trouble(409, str(error)) from None
        except HostError as error:
            raise Trouble(503, str(error)) from None
        return TaskAnswer(file=str(path), project=str(project), name=path.stem)

    def _project(given: str) -> Path:
        if given:
            try:
                return adding.project_of(config, Path(given))
            except (ValueError, RuntimeError, OSError):  # a zero byte, a home that nobody has, a loop
                raise Trouble(400, "project: is no path") from None
        if len(config.projects) != 1:
            raise UsageError("say whose task it is, project: " + " or ".join(map(str, config.projects)))
        return config.projects[0]

    return tasks, task, add


def _behind(shown: Sequence[Any]) -> str:
    return ".".join(map(str, views.task_place(shown[-1])))


def _place(after: str) -> views.TaskPlace | None:
    if not after:
        return None
    try:
        closed, key, number = map(int, after.split("."))
    except ValueError:
        raise Trouble(400, "after: is no place in the list; take it from the Link header of a page") from None
    if not all(-MOST <= part <= MOST for part in (closed, key, number)):
        raise Trouble(400, "after: is no place in the list; take it from the Link header of a page")
    return closed, key, number
