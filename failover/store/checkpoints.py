"""Notes of what each session was doing. Written by the checkpoint role alone."""

from __future__ import annotations

from bisect import bisect_right
from typing import Literal

import msgspec

from failover.store.db import Store, Transaction

#: A note is at most this long as it is stored (bytes).
MAX_BYTES = 8 * 1024
#: What each part of it may take of that (bytes of JSON); the rest is for names, numbers and brackets.
SHARES = {
    "prompt": 3000, "input": 1500, "cwd": 1200, "task": 600, "branch": 400, "tool": 200, "state": 100, "account": 100,
    "launch": 100, "head": 100,
}  # fmt: skip
#: What is kept free for `…[+N]` (bytes).
_MARK = 24


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

    state: as the session-watcher saw it; launch: of the process; call: newest hook call; context_tokens,
    recache_tokens: size of the context, and what the first request on another account would have to write to its cache;
    None where it was not told; prompt: of the turn that is open, or held back.
    """

    state: str
    account: str
    cwd: str
    launch: str = ""
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


def clip(text: str, budget: int, *, end: bool = False) -> str:
    """Return a text whose JSON is at most `budget` bytes long (60 at least), cut where it is longer.

    What was cut off is said in its place: `…[+N]`, N characters. end: the end is kept, else the beginning. Half a
    surrogate, which is no text, becomes `?`.
    """
    text = text.encode("utf-8", "replace").decode()
    if len(text) <= budget and _size(text) <= budget:
        return text

    def part(length: int) -> str:
        return text[len(text) - length :] if end else text[:length]

    # A character takes a byte at least, so the longest part that fits is found in a dozen steps.
    room = budget - _MARK
    kept = bisect_right(range(min(room, len(text)) + 1), room, key=lambda length: _size(part(length))) - 1
    mark = f"…[+{len(text) - kept}]"
    return mark + part(kept) if end else part(kept) + mark


def _size(text: str) -> int:
    return len(msgspec.json.encode(text)) - 2


def fit(checkpoint: Checkpoint) -> bytes:
    """Return a note as JSON of at most MAX_BYTES: what may be long is cut to a share of its own (SHARES)."""
    tool, git, task = checkpoint.tool, checkpoint.git, checkpoint.task
    fitted = msgspec.structs.replace(
        checkpoint,
        state=clip(checkpoint.state, SHARES["state"]),
        account=clip(checkpoint.account, SHARES["account"]),
        launch=clip(checkpoint.launch, SHARES["launch"]),
        prompt=clip(checkpoint.prompt, SHARES["prompt"]),
        cwd=clip(checkpoint.cwd, SHARES["cwd"], end=True),
        tool=tool and Tool(clip(tool.name, SHARES["tool"]), clip(tool.input, SHARES["input"]), tool.outcome),
        git=git and Git(clip(git.branch, SHARES["branch"]), clip(git.head, SHARES["head"]), git.dirty),
        task=task and Doing(task.task, clip(task.name, SHARES["task"]), task.attempt),
    )
    return msgspec.json.encode(fitted)


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
