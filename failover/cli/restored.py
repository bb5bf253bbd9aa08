"""What `sessions restore` prints: one line a session, wrapped under its name."""

from __future__ import annotations

import json
import textwrap
from typing import Any

from failover.cli.shared import printable, width
from failover.store.orders import OrderResult


def lines(result: OrderResult) -> str:
    """Return what would be done, or was, in words for people."""
    parts = json.loads(result.detail or "{}").get("sessions", [])
    if not parts:
        return result.sentence
    size = max(len(part["session"]) for part in parts)
    head = textwrap.fill(result.sentence.partition(";")[0], width())
    return "\n".join([head, *(_line(part, size) for part in parts)])


def _line(part: dict[str, Any], size: int) -> str:
    name, why = f"{part['session']:<{size}}  ", printable(part["why"])
    at = f"at task {part['task']}, " if part["task"] else ""
    told = f"{at}told: {printable(part['told'])}" if part["told"] else f"{at}without a prompt"
    match part["action"]:
        case "restore":
            text = f"under {part['account']}, {told} ({why})"
        case "restored":
            text = f"restored under {part['account']}, {told}"
        case "failed":
            text = f"not restored: {why}"
        case _:
            text = f"left alone: {why}"
    return textwrap.fill(text, width(), initial_indent=name, subsequent_indent=" " * len(name), break_on_hyphens=False)
