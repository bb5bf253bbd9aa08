"""What `sessions adopt` prints: one line a session, wrapped under its name."""

from __future__ import annotations

import json
import textwrap

from failover.cli.shared import printable, width
from failover.store.orders import OrderResult


def lines(result: OrderResult) -> str:
    """Return what would be done, or was, in words for people."""
    parts = json.loads(result.detail or "{}").get("sessions", [])
    if not parts:
        return result.sentence
    size = max(len(part["session"]) for part in parts)
    told = [textwrap.fill(result.sentence, width())]
    for part in parts:
        text = printable(part["why"] if part["action"] != "adopt" else f"on {part['account']}: {part['why']}")
        name = f"{part['session']:<{size}}  "
        told.append(
            textwrap.fill(text, width(), initial_indent=name, subsequent_indent=" " * len(name), break_on_hyphens=False)
        )
    return "\n".join(told)
