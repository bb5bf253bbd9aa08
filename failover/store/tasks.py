"""Tasks. Written by the dispatcher alone; what it reads of others to follow them is here too."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import msgspec

from failover.core.move import TERMINAL, Move
from failover.core.session import HookCall
from failover.core.task import Task
from failover.store.db import AMONG, Store, Transaction, among, listed
from failover.store.kept import Kept

_COLUMNS = (
    "id", "name", "project", "state", "priority", "attempt", "max_attempts", "queued_ms", "started_ms", "finished_ms",
    "pin",
)  # fmt: skip
#: In the words of the indexes, so that only such tasks are read.
_OPEN = "state IN ('queued', 'delivering', 'running')"
_HANDED = "state IN ('delivering', 'running')"
_QUEUED = "state = 'queued'"
_call = msgspec.json.Decoder(HookCall)
_move = msgspec.json.Decoder(Move)


def _task(row: Any) -> Task:
    fields = msgspec.json.decode(row["body"])
    return msgspec.convert({**fields, **{name: row[name] for name in _COLUMNS}}, Task)


_handed, _next = Kept(_task), Kept(_task)


def _values(task: Task) -> tuple[object, ...]:
    fields = msgspec.to_builtins(task)
    body = {name: value for name, value in fields.items() if name not in _COLUMNS}
    return (*(fields[name] for name in _COLUMNS if name != "id"), msgspec.json.encode(body).decode())


def add(tx: Transaction, task: Task) -> Task:
    """Add a task (`task.id` is not read); return it with its id."""
    names = (*_COLUMNS[1:], "body")
    marks = ", ".join("?" * len(names))
    row = tx.insert(f"INSERT INTO tasks ({', '.join(names)}) VALUES ({marks})", _values(task))
    return msgspec.structs.replace(task, id=row)


def save(tx: Transaction, task: Task) -> None:
    """Write a task's new state."""
    sets = ", ".join(f"{name} = ?" for name in (*_COLUMNS[1:], "body"))
    tx.execute(f"UPDATE tasks SET {sets} WHERE id = ?", (*_values(task), task.id))


def returned(task: Task) -> Task:
    """Return a retried task whose file is in the inbox again."""
    return msgspec.structs.replace(task, returning="")


def get(store: Store, task: int) -> Task | None:
    """Return a task."""
    row = store.one("SELECT * FROM tasks WHERE id = ?", (task,))
    return _task(row) if row else None


def handed_over(store: Store, to: Collection[str] | None = None) -> list[Task]:
    """Return the tasks that are with a session, or with some."""
    where, names = among("json_extract(body, '$.session')", to)
    # Left to itself SQLite reads all tasks in the order of their ids.
    rows = store.query(f"SELECT * FROM tasks INDEXED BY handed_tasks WHERE {_HANDED} AND {where} ORDER BY id", names)
    return _handed.of(rows) if to is None else [_task(row) for row in rows]


def being_handed_over(store: Store) -> list[Task]:
    """Return the tasks whose prompt is on its way to a session."""
    sql = f"SELECT * FROM tasks INDEXED BY handed_tasks WHERE {_HANDED} AND state = 'delivering' ORDER BY id"
    return [_task(row) for row in store.query(sql)]


def any_queued(store: Store) -> bool:
    """Say whether a task waits for a session."""
    return store.one(f"SELECT 1 FROM tasks INDEXED BY queued_tasks WHERE {_QUEUED} LIMIT 1") is not None


def queued_by_project(store: Store) -> dict[str, int]:
    """Return how many tasks wait in each project in which any does."""
    sql = f"SELECT project, count(*) FROM tasks INDEXED BY queued_tasks WHERE {_QUEUED} GROUP BY project"
    rows = store.query(sql)
    return {row[0]: row[1] for row in rows}


def oldest_queued_ms(store: Store) -> int:
    """Return since when the longest waiting task waits (epoch milliseconds), 0 when none does."""
    row = store.one(f"SELECT min(queued_ms) FROM tasks INDEXED BY queued_tasks WHERE {_QUEUED}")
    return int(row[0] or 0)


def projects_with_queued(store: Store) -> frozenset[str]:
    """Return the projects in which a task waits for a session."""
    return frozenset(queued_by_project(store))


def next_queued(store: Store, projects: Collection[str], sessions: Sequence[str]) -> list[Task]:
    """Return the first tasks that wait in these projects for any of these sessions: some more than there are sessions.

    Only those, and for several projects those of others that stand before them, are read.
    """
    limit = 4 * len(sessions) + 100
    if len(projects) == 1:
        index, which, named = "queued_tasks", "= ?", next(iter(projects))
    else:
        index, which, named = "ranked_tasks", AMONG, listed(projects)
    found = []
    pinned = (pin for pin in sessions if _has_pinned(store, pin))
    for pin in ("", *pinned):
        found += store.query(
            f"SELECT * FROM tasks INDEXED BY {index} WHERE {_QUEUED} AND pin = ?"
            f" AND project {which} ORDER BY priority DESC, queued_ms, id LIMIT ?",
            (pin, named, limit),
        )
    return _next.of(found)


def _has_pinned(store: Store, session: str) -> bool:
    sql = f"SELECT 1 FROM tasks INDEXED BY ranked_tasks WHERE {_QUEUED} AND pin = ? LIMIT 1"
    return store.one(sql, (session,)) is not None


def open_tasks(store: Store) -> list[Task]:
    """Return the tasks that are not at their end."""
    return [_task(row) for row in store.query(f"SELECT * FROM tasks WHERE {_OPEN} ORDER BY id")]


def open_names(store: Store) -> dict[str, dict[str, int]]:
    """Return the open tasks: project → name → id."""
    found: dict[str, dict[str, int]] = {}
    for row in store.query(f"SELECT id, project, name FROM tasks WHERE {_OPEN}"):
        found.setdefault(row["project"], {})[row["name"]] = row["id"]
    return found


def names_in(store: Store, project: str) -> frozenset[str]:
    """Return the names of a project's open tasks."""
    return frozenset(
        row["name"] for row in store.query(f"SELECT name FROM tasks WHERE {_OPEN} AND project = ?", (project,))
    )


def last_call(store: Store) -> int:
    """Return the id of the newest hook call, 0 when there is none."""
    row = store.one("SELECT max(id) FROM hook_calls")
    return row[0] or 0


def prompt_with(store: Store, text: str, after: int) -> tuple[str, HookCall] | None:
    """Return the session and the first prompt that holds `text`, among the hook calls after `after`."""
    row = store.one(
        "SELECT id, session, body FROM hook_calls WHERE id > ? AND hook = 'UserPromptSubmit' AND instr(body, ?) > 0"
        " ORDER BY id LIMIT 1",
        (after, text),
    )
    return (row["session"], msgspec.structs.replace(_call.decode(row["body"]), id=row["id"])) if row else None


def last_end(store: Store, conversation: str, after: int) -> HookCall | None:
    """Return the newest Stop or StopFailure of the main conversation after a hook call."""
    rows = store.query(
        "SELECT id, body FROM hook_calls WHERE conversation = ? AND id > ? AND hook IN ('Stop', 'StopFailure')"
        " ORDER BY id DESC LIMIT 20",
        (conversation, after),
    )
    for row in rows:
        call = _call.decode(row["body"])
        if not call.agent:
            return msgspec.structs.replace(call, id=row["id"])
    return None


def moving_sessions(store: Store) -> frozenset[str]:
    """Return the sessions that a move which is not at its end concerns."""
    ends = tuple(sorted(TERMINAL))
    marks = ", ".join("?" * len(ends))
    return frozenset(
        row["session"]
        for row in store.query(
            "SELECT m.session FROM moves m JOIN swaps s ON s.id = m.swap"
            f" WHERE s.state = 'open' AND m.state NOT IN ({marks})",
            ends,
        )
    )


def moves_since(store: Store, session: str, since_ms: int) -> list[tuple[str, str]]:
    """Return (source, target) of the session's swaps and restorings that began since (epoch milliseconds) and were
    carried out."""
    rows = store.query(
        "SELECT m.body FROM moves m JOIN swaps s ON s.id = m.swap WHERE s.kind IN ('swap', 'restore') AND m.session = ?"
        " AND s.started_ms >= ? AND m.state IN ('relaunched', 'answering', 'verified') ORDER BY m.id",
        (session, since_ms),
    )
    found = [_move.decode(row["body"]) for row in rows]
    return [(move.source, move.target) for move in found]
