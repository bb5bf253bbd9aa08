"""Notes of what each session was doing. Written by the checkpoint role alone."""

from __future__ import annotations

from typing import Literal

import msgspec

from failover.store.db import Store, Transaction

#: A note is at most this long as it is stored (bytes).
MAX_BYTES = 8 * 1024


class Git(msgspec.Struct, frozen=True):
    """Where a folder's repository stands. head: commit id, empty before the first; dirty: tracked files changed."""

    branch: str
    head: str
    dirty: bool


class Tool(msgspec.Struct, frozen=True):
    """The last tool of a session. outcome: unknown while it has not been reported."""

    name: str
    input: str
    outcome: Literal["known", "unknown"]


class Doing(msgspec.Struct, frozen=True):
    """The task that a session has."""

    task: int
    name: str
    attempt: int


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """What a session was doing.

    state: as the session-watcher saw it; call: newest hook call; context_tokens, recache_tokens: size of the context,
    and what the first request on another account would have to write to its cache; None where it was not told;
    prompt: of the turn that is open, or held back.
    """

    state: str
    account: str
    cwd: str
    call: int = 0
    git: Git | None = None
    task: Doing | None = None
    tool: Tool | None = None
    context_tokens: int | None = None
    recache_tokens: int | None = None
    prompt: str = ""


_decoder = msgspec.json.Decoder(Checkpoint)


class Noted(msgspec.Struct, frozen=True):
    """A note in the store. at_ms: epoch milliseconds; occasion: what made it be written."""

    id: int
    session: str
    conversation: str
    at_ms: int
    occasion: str
    checkpoint: Checkpoint


def fit(checkpoint: Checkpoint) -> bytes:
    """Return a note as JSON of at most MAX_BYTES: a long prompt is cut, then whatever else is long."""
    encoded = msgspec.json.encode(checkpoint)
    if len(encoded) <= MAX_BYTES:
        return encoded
    for limit in (1000, 300, 50):
        tool, git, task = checkpoint.tool, checkpoint.git, checkpoint.task
        checkpoint = msgspec.structs.replace(
            checkpoint,
            prompt=checkpoint.prompt[:limit],
            cwd=checkpoint.cwd[-limit:],
            tool=tool and Tool(tool.name[:limit], tool.input[:limit], tool.outcome),
            git=git and Git(git.branch[:limit], git.head, git.dirty),
            task=task and Doing(task.task, task.name[:limit], task.attempt),
        )
        encoded = msgspec.json.encode(checkpoint)
        if len(encoded) <= MAX_BYTES:
            break
    return encoded


def add(tx: Transaction, *, session: str, conversation: str, at_ms: int, occasion: str, checkpoint: Checkpoint) -> int:
    """Write a note; return its id."""
    return tx.insert(
        "INSERT INTO checkpoints (session, conversation, at_ms, occasion, body) VALUES (?, ?, ?, ?, ?)",
        (session, conversation, at_ms, occasion, fit(checkpoint).decode()),
    )


def newest(store: Store) -> dict[str, Noted]:
    """Return the newest note of each session, by name."""
    rows = store.query(
        "SELECT c.* FROM checkpoints c JOIN (SELECT max(id) AS id FROM checkpoints GROUP BY session) n ON n.id = c.id"
    )
    return {
        row["session"]: Noted(
            row["id"], row["session"], row["conversation"], row["at_ms"], row["occasion"], _decoder.decode(row["body"])
        )
        for row in rows
    }


def open_prompt(store: Store, conversation: str) -> str:
    """Return the newest prompt that a conversation's main turn was given, by its hooks."""
    row = store.one(
        "SELECT body FROM hook_calls WHERE conversation = ? AND hook = 'UserPromptSubmit' ORDER BY id DESC LIMIT 1",
        (conversation,),
    )
    body = msgspec.json.decode(row["body"]) if row else {}
    return str(body.get("prompt", ""))
