"""Tell from the last records of a transcript how the conversation stands. Pure: records in, an Ending out.

Measured on 2.1.330. Each content block of an answer is a record of its own. Bookkeeping records follow the last
message at any time. What a session was doing when it was stopped shows in the last message:

    ended turn, held at Stop    assistant text          stopped in a tool        assistant tool_use without its result
    held at PostToolBatch       user tool_result        stopped while streaming  user text
    used-up limit               assistant, apiError "usage_limit_reached" (looks like a clean end otherwise)

A prompt typed into a working session, and the word of a background task's end, wait in a queue: `queue-operation`
records enqueue (content), dequeue (no content; one or more `user` records follow), remove (content; handed over in
mid-turn) and popAll (back into the editor). A stop loses what waits, and its records stay: what a later prompt holds,
or what lies before an exit (`cost-state`) and a later prompt, waits no more.
"""

from __future__ import annotations

import contextlib
import re
from collections import deque
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal

import msgspec

from failover.claude.hooks import tool_summary

Kind = Literal[
    "user_prompt", "tool_use_open", "tool_result", "assistant_text", "limit", "error", "interrupted", "empty"
]

_TASK_ID = re.compile(r"<task-id>([^<]{1,100})</task-id>")
_NOTIFICATION = "<task-notification>"
#: Texts under which the binary keeps its own commands (/model and the like) as if the user had written them.
_LOCAL = ("<local-command-", "<command-name>", "<command-message>", "<system-reminder>", "<bash-")


class Limit(msgspec.Struct, frozen=True):
    """A used-up quota. type: five_hour | seven_day | …; resets_at: epoch seconds, None when it is not said.

    byte: where in the transcript its record begins: it speaks of the account of that moment; at_ms: when the record was
    made (epoch milliseconds, 0 when unknown).
    """

    type: str
    resets_at: int | None
    byte: int = 0
    at_ms: int = 0


class OpenTool(msgspec.Struct, frozen=True):
    """A tool call without a result. input: one line."""

    name: str
    input: str


class Given(msgspec.Struct, frozen=True):
    """A prompt that the model was given. byte, at_ms: as in Limit."""

    text: str
    byte: int
    at_ms: int


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """How a conversation stands.

    last_kind: of the last message; limit: when that message says so; open_tools: calls whose results are missing;
    queued_prompts: what people typed and the model has not been given, in order; undelivered: ids of background tasks
    that ended and of which the model has not been told; background: ids of background tasks that have not been seen to
    end, or whose end has not been told; prompts: the last of what people wrote and the model was given.
    """

    last_kind: Kind = "empty"
    limit: Limit | None = None
    open_tools: tuple[OpenTool, ...] = ()
    queued_prompts: tuple[str, ...] = ()
    undelivered: tuple[str, ...] = ()
    background: tuple[str, ...] = ()
    prompts: tuple[Given, ...] = ()

    # Records are only ever appended: what lies behind the size that a transcript had at some time is younger than that,
    # whatever the clocks say.

    def began_nothing_since(self, size: int) -> bool:
        """Say whether the model was given nothing since the transcript had a size (bytes): what is open, is older."""
        return bool(self.prompts) and not self.went_on_since(size)

    def went_on_since(self, size: int) -> bool:
        """Say whether the model was given anything since the transcript had a size (bytes)."""
        return any(one.byte >= size for one in self.prompts)

    def is_limited_since(self, size: int) -> bool:
        """Say whether a used-up limit ended its last turn, and not before the transcript had a size (bytes).

        An older one is of another account, or of a turn that somebody else has taken up since.
        """
        return self.limit is not None and self.limit.byte >= size

    def was_given(self, text: str, size: int) -> bool:
        """Say whether `text` has reached the model since the transcript had a size (bytes)."""
        return any(one.text.strip() == text.strip() and one.byte >= size for one in self.prompts)

    def was_given_at(self, text: str, since_ms: int) -> bool:
        """Say whether `text` has reached the model since a time (epoch milliseconds, by the same clock)."""
        return any(one.text.strip() == text.strip() and one.at_ms >= since_ms for one in self.prompts)


def read_ending(records: Iterable[tuple[int, dict[str, Any]]]) -> Ending:
    """Return how the conversation stands after `records` (oldest first, each with the byte at which it begins).

    Never raises, whatever they hold.
    """
    reader = _Reader()
    for byte, record in records:
        reader.take(byte, record)
    return reader.ending()


class _Reader:
    def __init__(self) -> None:
        self._kind: Kind = "empty"
        self._limit: Limit | None = None
        self._open: dict[str, OpenTool] = {}
        self._queue: list[str] = []
        self._taken = 0  # dequeued, its user record not seen yet
        self._background: dict[str, None] = {}
        self._agents = 0  # what the last turn's end said still ran
        self._exited = 0  # how much of the queue an exit lies behind
        self._prompts: deque[Given] = deque(maxlen=8)
        self._byte = 0

    def take(self, byte: int, record: dict[str, Any]) -> None:
        self._byte = byte
        if record.get("isSidechain") is True:
            return
        match record.get("type"):
            case "user" if record.get("isMeta") is not True:
                self._user(record)
            case "assistant":
                self._assistant(record)
            case "queue-operation":
                self._operate(record.get("operation"), record.get("content"))
            case "attachment":
                attachment = record.get("attachment")
                if isinstance(attachment, dict) and attachment.get("type") == "queued_command":
                    self._delivered(_text(attachment.get("prompt")))
            case "system" if record.get("subtype") == "turn_duration":
                count = record.get("pendingBackgroundAgentCount")
                self._agents = count if isinstance(count, int) else 0
            case "cost-state":
                # Written at a clean exit: nothing of that process runs on, and what waited in it was not sent.
                self._background.clear()
                self._agents = 0
                self._exited = len(self._queue)

    def ending(self) -> Ending:
        waiting = [text for text in self._queue if not text.startswith(_NOTIFICATION)]
        told = [text for text in self._queue if text.startswith(_NOTIFICATION)]
        unseen = max(0, self._agents - len(self._background))
        return Ending(
            last_kind=self._kind,
            limit=self._limit,
            open_tools=tuple(self._open.values()),
            queued_prompts=tuple(waiting),
            undelivered=tuple(found[1] for text in told if (found := _TASK_ID.search(text))),
            background=(*self._background, *["sub-agent"] * unseen),
            prompts=tuple(self._prompts),
        )

    def _user(self, record: dict[str, Any]) -> None:
        blocks = _blocks(record)
        results = [block for block in blocks if block.get("type") == "tool_result"]
        if results:
            for block in results:
                self._open.pop(str(block.get("tool_use_id")), None)
            self._started(record.get("toolUseResult"))
            self._last("tool_use_open" if self._open else "tool_result")
            return
        text = "\n".join(part for block in blocks if isinstance(part := block.get("text"), str))
        if text.startswith(_LOCAL):
            return
        self._open.clear()
        if text.startswith("[Request interrupted by user"):
            self._last("interrupted")
            return
        self._last("user_prompt")
        self._prompts.append(Given(text, self._byte, _at_ms(record.get("timestamp"))))
        self._delivered(text)
        if not text.startswith(_NOTIFICATION):
            del self._queue[: self._exited]
            self._exited = 0

    def _assistant(self, record: dict[str, Any]) -> None:
        if record.get("isApiErrorMessage") is True:
            self._open.clear()
            if record.get("apiError") == "usage_limit_reached":
                self._last("limit", _limit(record.get("quotaLimits"), self._byte, _at_ms(record.get("timestamp"))))
            else:
                self._last("error")
            return
        for block in _blocks(record):
            if block.get("type") == "tool_use":
                name = block.get("name")
                self._open[str(block.get("id"))] = OpenTool(
                    name if isinstance(name, str) else "", tool_summary(block.get("input"))
                )
        self._last("tool_use_open" if self._open else "assistant_text")

    def _last(self, kind: Kind, limit: Limit | None = None) -> None:
        self._kind, self._limit = kind, limit

    def _started(self, result: object) -> None:
        """Note a tool result that is only the word of a start: a sub-agent or a shell in the background."""
        if not isinstance(result, dict):
            return
        task = result.get("agentId") if result.get("isAsync") is True else result.get("backgroundTaskId")
        if isinstance(task, str):
            self._background[task] = None

    def _operate(self, operation: object, content: object) -> None:
        text = _text(content)
        match operation:
            case "enqueue" if text:
                self._queue.append(text)
            case "dequeue":
                self._taken += 1
            case "remove":
                self._drop(text)
            case "popAll":
                for part in [part for part in self._queue if not part.startswith(_NOTIFICATION)]:
                    self._drop(part)

    def _delivered(self, text: str) -> None:
        """Take from the queue what has reached the model."""
        if text.startswith(_NOTIFICATION):
            for task in _TASK_ID.findall(text):
                self._background.pop(task, None)
                for waiting in [one for one in self._queue if f"<task-id>{task}</task-id>" in one]:
                    self._drop(waiting)
            self._agents = min(self._agents, len(self._background))
        before = len(self._queue)
        for waiting in [one for one in self._queue if one in text]:
            self._drop(waiting)
        if self._taken:
            self._taken -= 1
            # Its record may word it otherwise (pasted content, an image): then it is the first of its sort.
            if len(self._queue) == before and not text.startswith(_NOTIFICATION):
                prompts = [one for one in self._queue if not one.startswith(_NOTIFICATION)]
                if prompts:
                    self._drop(prompts[0])

    def _drop(self, text: str) -> None:
        if text in self._queue:
            index = self._queue.index(text)
            del self._queue[index]
            self._exited -= index < self._exited


def _blocks(record: dict[str, Any]) -> list[dict[str, Any]]:
    message = record.get("message")
    content = message.get("content") if isinstance(message, dict) else None
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return [block for block in content if isinstance(block, dict)] if isinstance(content, list) else []


def _text(value: object) -> str:
    if isinstance(value, list):
        parts = (part.get("text") for part in value if isinstance(part, dict))
        return "\n".join(part for part in parts if isinstance(part, str))
    return value if isinstance(value, str) else ""


def _at_ms(timestamp: object) -> int:
    with contextlib.suppress(ValueError, TypeError):
        return int(datetime.fromisoformat(str(timestamp)).timestamp() * 1000)
    return 0


def _limit(quota: object, byte: int, at_ms: int) -> Limit:
    if not isinstance(quota, dict):
        return Limit("unknown", None, byte, at_ms)
    kind, resets = quota.get("rateLimitType"), quota.get("resetsAt")
    at = int(resets) if isinstance(resets, int | float) and 0 < resets < 1e12 else None
    return Limit(kind if isinstance(kind, str) else "unknown", at, byte, at_ms)
