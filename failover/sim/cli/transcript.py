"""A conversation's file: records as the real CLI writes them, and the way back from records to messages."""

from __future__ import annotations

import json
import threading
import time
import uuid
from pathlib import Path
from typing import Any

from failover.clock import SystemClock
from failover.sim.brain import SYNTHETIC

Message = dict[str, Any]

INTERRUPTED = (
    "[Tool call interrupted: the session ended before this call's result was recorded, so its outcome is unknown. "
    "Check whether it took effect before relying on it or running it again.]"
)
_NOTICE = (
    "<system-reminder>\n[SYSTEM NOTIFICATION - NOT USER INPUT]\nThis is an automated background-task event, NOT a "
    "message from the user.\n\n{}\n</system-reminder>"
)
_MIDTURN = (
    "The user sent a new message while you were working:\n{}\n\nThis is how Claude Code surfaces messages the user "
    "sends mid-turn. Address the message above as you continue this turn."
)
_CAVEAT = (
    "<local-command-caveat>The command below was run directly in Claude Code, not sent to you as a request, and its "
    "output goes straight to the user. It's recorded here as context for later messages.</local-command-caveat>"
)
_CLEAR = (("name", "/clear"), ("message", "clear"), ("args", ""))
_NO_OUTPUT = "<local-command-stdout></local-command-stdout>"
_NOT_FINISHED = (
    "<note>No completion record was found for it in the previous session. It may have been stopped, or it may have "
    "been running when the previous Claude Code process exited.</note>"
)
_FLUSH_AFTER = 0.1  # the real one's records reach the disk 75-225 ms after their timestamp (measured on 2.1.330)


class Transcript:
    """Appends records; `messages` is what the next request carries."""

    def __init__(self, path: Path, common: dict[str, Any], sidechain: str | None = None) -> None:
        self.path = path
        self.messages: list[Message] = []
        self.ends_in_error = False
        self.undelivered: dict[str, str] = {}  # background task -> what a resumed session says of it
        self._common = {**common, "isSidechain": sidechain is not None, **({"agentId": sidechain} if sidechain else {})}
        self._parent: str | None = None
        self._lock = threading.RLock()
        self._pending: list[str] = []
        self._timer: threading.Timer | None = None
        self._message_ids: list[str | None] = []

    def load(self) -> None:
        """Read the file back: the chain of parents from its last record, so that a fork's other branch is not seen."""
        by_id: dict[str, dict[str, Any]] = {}
        last = None
        for line in self.path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                record = json.loads(line)
            except ValueError:
                continue  # a torn line
            if isinstance(record, dict) and record.get("uuid") and not record.get("isSidechain"):
                by_id[record["uuid"]] = record
                last = record
        chain = []
        while last is not None:
            chain.append(last)
            last = by_id.pop(str(last.get("parentUuid")), None)
        for record in reversed(chain):
            self._take(record)
        self._parent = chain[0]["uuid"] if chain else None

    def open_calls(self) -> list[str]:
        """Return the ids of tool calls that have no result."""
        asked, answered = [], set()
        for message in self.messages:
            for block in message["content"] if isinstance(message["content"], list) else []:
                if block.get("type") == "tool_use":
                    asked.append(str(block["id"]))
                elif block.get("type") == "tool_result":
                    answered.add(block.get("tool_use_id"))
        return [ident for ident in asked if ident not in answered]

    def mend(self, prompt_id: str) -> None:
        """Close what an ended process left open, as a resumed session does before its first prompt."""
        for ident in self.open_calls():
            extra = {"toolUseResult": INTERRUPTED, "toolDenialKind": "interrupted", "promptId": prompt_id}
            self.result(ident, INTERRUPTED, error=True, **extra)
        if self.messages and self.messages[-1]["role"] == "user" and not self.ends_in_error:
            self.answer([{"type": "text", "text": SYNTHETIC}], "<synthetic>", isApiErrorMessage=False, madeBy="other")

    def tell_of_lost_tasks(self) -> bool:
        """Record for each background task without a delivered result that it did not finish; say whether there was one.

        So does a resumed session, even where the task did finish and only its result was not delivered yet.
        """
        lost = dict(self.undelivered)
        for task, summary in lost.items():
            lines = [f"<task-id>{task}</task-id>", "<status>stopped</status>", f"<summary>{summary}</summary>"]
            text = "\n".join(["<task-notification>", *lines, _NOT_FINISHED, "</task-notification>"])
            self.plain("queue-operation", operation="enqueue", content=text)
            self.plain("queue-operation", operation="dequeue")
            self.user(text, origin={"kind": "task-notification"}, promptSource="system", queueTranscriptOnly=True)
        return bool(lost)

    def begin_cleared(self) -> None:
        """Record that the conversation began with `/clear`."""
        self.user(_CAVEAT, isMeta=True)
        space = "\n" + 12 * " "
        tags = (f"<command-{name}>{text}</command-{name}>" for name, text in _CLEAR)
        self.user(space.join(tags))
        self.system("local_command", content=_NO_OUTPUT, level="info", isMeta=False,
                    commandRun={"command": "clear", "args": ""})  # fmt: skip

    def user(self, text: Any, **extra: Any) -> None:
        """Append a user message."""
        self._append("user", {"message": {"role": "user", "content": text}, **extra})

    def result(self, ident: str, content: Any, error: bool = False, **extra: Any) -> None:
        """Append a tool's result."""
        block = {"tool_use_id": ident, "type": "tool_result", "content": content, "is_error": error}
        self._append("user", {"message": {"role": "user", "content": [block]}, **extra})

    def answer(self, blocks: list[dict[str, Any]], model: str, **extra: Any) -> None:
        """Append an assistant message, one record per block."""
        ident = f"msg_{uuid.uuid4().hex[:20]}"
        stop = "tool_use" if any(b["type"] == "tool_use" for b in blocks) else "end_turn"
        usage = {"input_tokens": 100, "cache_read_input_tokens": 2000, "output_tokens": 20}
        whole: dict[str, Any] = {
            "id": ident,
            "type": "message",
            "role": "assistant",
            "model": model,
            "stop_sequence": None,
        }
        whole |= {"stop_reason": extra.pop("stop_reason", stop), "usage": usage}
        for block in blocks:
            self._append("assistant", {"message": {**whole, "content": [block]}, **extra})

    def attachment(self, kind: str, **fields: Any) -> None:
        """Append an attachment record."""
        self._append("attachment", {"attachment": {"type": kind, **fields}})

    def system(self, subtype: str, **fields: Any) -> None:
        """Append a system record."""
        self._append("system", {"subtype": subtype, **fields})

    def plain(self, kind: str, **fields: Any) -> None:
        """Append a record that is no part of the chain (queue-operation, mode, last-prompt ...)."""
        self._write({"type": kind, **fields, "sessionId": self._common["sessionId"]})

    def flush(self) -> None:
        """Bring everything to the file now."""
        with self._lock:
            pending, self._pending, self._timer = self._pending, [], None
            if pending:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                with self.path.open("a", encoding="utf-8") as out:
                    out.write("".join(pending))

    def _append(self, kind: str, fields: dict[str, Any]) -> None:
        with self._lock:
            record = {"parentUuid": self._parent, "type": kind, **fields, "uuid": str(uuid.uuid4()), **self._common}
            self._parent = str(record["uuid"])
            self._take(record)
            self._write(record)

    def _write(self, record: dict[str, Any]) -> None:
        now = SystemClock().epoch()
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now * 1000) % 1000:03d}Z"
        with self._lock:
            self._pending.append(json.dumps({**record, "timestamp": stamp}, ensure_ascii=False) + "\n")
            if self._timer is None:
                self._timer = threading.Timer(_FLUSH_AFTER, self.flush)
                self._timer.daemon = True
                self._timer.start()

    def _take(self, record: dict[str, Any]) -> None:
        self._keep_tasks(record)
        message = record.get("message")
        if record["type"] == "attachment" and record["attachment"].get("type") == "queued_command":
            queued = record["attachment"]
            wrap = _MIDTURN if queued.get("commandMode") == "prompt" else _NOTICE
            self._add("user", [{"type": "text", "text": wrap.format(queued["prompt"])}], None)
        elif record["type"] == "system" and record.get("subtype") == "local_command":
            self._add("user", [{"type": "text", "text": record["content"]}], None)
        elif record["type"] == "user" and message:
            content = message["content"]
            if (record.get("origin") or {}).get("kind") == "task-notification":
                content = _NOTICE.format(content)
            blocks = content if isinstance(content, list) else [{"type": "text", "text": content}]
            self._add("user", blocks, None)
        elif record["type"] == "assistant" and message:
            self.ends_in_error = bool(record.get("isApiErrorMessage"))
            if not self.ends_in_error:
                self._add("assistant", message["content"], message.get("id"))
            return
        else:
            return
        self.ends_in_error = False

    def _keep_tasks(self, record: dict[str, Any]) -> None:
        launched = record.get("toolUseResult")
        if isinstance(launched, dict) and launched.get("agentId"):
            about = f'Background agent "{launched.get("description")}"'
            self.undelivered[str(launched["agentId"])] = f"{about} didn't finish before the previous session ended"
        elif isinstance(launched, dict) and launched.get("backgroundTaskId"):
            about = "Background shell command didn't finish before the previous session ended"
            self.undelivered[str(launched["backgroundTaskId"])] = about
        told = record.get("attachment", {}).get("prompt") or (record.get("message") or {}).get("content")
        if isinstance(told, str) and told.startswith("<task-notification>"):
            self.undelivered.pop(told.partition("<task-id>")[2].partition("<")[0], None)

    def _add(self, role: str, blocks: list[dict[str, Any]], ident: str | None) -> None:
        """Add blocks; neighbours of one role are one message on the wire, as the real CLI merges them."""
        if self.messages and self.messages[-1]["role"] == role and (role == "user" or self._message_ids[-1] == ident):
            self.messages[-1] = {"role": role, "content": [*self.messages[-1]["content"], *blocks]}
        else:
            self.messages.append({"role": role, "content": list(blocks)})
            self._message_ids.append(ident)
