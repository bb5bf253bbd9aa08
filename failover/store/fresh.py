"""Requests to start a session anew in a conversation of a task's own. Written by the dispatcher alone."""

from __future__ import annotations

import msgspec

from failover.events import FreshWanted
from failover.store.db import Store, Transaction


class FreshRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Start `session` anew, if it is still `launch` and at rest, in the new `conversation` in `cwd` with `prompt`."""

    id: int
    task: int
    session: str
    launch: str
    conversation: str
    cwd: str
    prompt: str


def ask(tx: Transaction, request: FreshRequest) -> None:
    """Write a request (`request.id` is not read) and ring for it."""
    fields = {name: value for name, value in msgspec.structs.asdict(request).items() if name != "id"}
    marks = ", ".join("?" * len(fields))
    number = tx.insert(f"INSERT INTO fresh_requests ({', '.join(fields)}) VALUES ({marks})", tuple(fields.values()))
    tx.emit(FreshWanted(request=number, task=request.task, session=request.session))


def take_back(tx: Transaction, task: int) -> None:
    """Remove a task's request; one that was taken up has done its work."""
    tx.execute("DELETE FROM fresh_requests WHERE task = ?", (task,))


def unserved(store: Store) -> list[FreshRequest]:
    """Return the requests that the account-switcher has not come to, oldest first."""
    rows = store.query(
        "SELECT * FROM fresh_requests WHERE id > (SELECT coalesce(max(request_id), 0) FROM swaps WHERE kind = 'fresh')"
        " ORDER BY id"
    )
    return [msgspec.convert(dict(row), FreshRequest) for row in rows]
