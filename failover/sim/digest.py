"""Short forms of what passes the fake API, kept in its log for the audit."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

_HEAD = 600
_RESULT = 240


def digest_messages(messages: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return one entry per message: its role and its blocks, each in short form."""
    return [{"role": m.get("role"), "blocks": digest_blocks(m.get("content"))} for m in messages]


def digest_blocks(content: Any) -> list[dict[str, Any]]:
    """Return the short forms of a message's blocks.

    text: `sha` (12 hex digits of the stripped text), `head`, `reminder` where the CLI itself speaks, `task` (the id of
    a background task) where it tells of that task's end; tool_use: `id`, `name`, `head` of the input, `label`
    (its description); tool_result: `id`, `text`, `error`.
    """
    blocks: list[dict[str, Any]] = [{"type": "text", "text": content}] if isinstance(content, str) else content or []
    found = []
    for block in blocks:
        kind = block.get("type")
        if kind == "text":
            text = str(block.get("text", "")).strip()
            entry: dict[str, Any] = {"type": "text", "sha": sha(text), "head": text[:_HEAD]}
            if text.startswith("<system-reminder>"):
                entry["reminder"] = True
            if "<task-notification>" in text:
                entry["task"] = text.partition("<task-id>")[2].partition("<")[0]
        elif kind == "tool_use":
            head = json.dumps(block.get("input"), sort_keys=True)[:_HEAD]
            entry = {"type": kind, "id": block.get("id"), "name": block.get("name"), "head": head}
            entry["label"] = str((block.get("input") or {}).get("description", ""))[:_HEAD]
        elif kind == "tool_result":
            text = _result_text(block.get("content"))
            entry = {"type": kind, "id": block.get("tool_use_id"), "text": text[:_RESULT]}
            entry["error"] = bool(block.get("is_error"))
        else:
            entry = {"type": kind}
        found.append(entry)
    return found


def sha(text: str) -> str:
    """Return the hash by which a text is known in the log."""
    return hashlib.sha256(text.strip().encode("utf-8", "replace")).hexdigest()[:12]


def _result_text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(str(b.get("text", "")) for b in content or [] if isinstance(b, Mapping))
