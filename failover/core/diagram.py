"""The state tables as pictures, for docs/swap.md."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from failover.core import move, swap

#: What the document says around the picture; a test holds the picture there against this module.
BEGIN, END = "<!-- made from the tables: scripts/pictures -->", "<!-- end -->"


def mermaid(table: Mapping[Any, Mapping[Any, str]], first: str) -> str:
    """Return a table as a Mermaid state diagram from `first` on; steps between the same two states share a line."""
    lines = ["stateDiagram-v2", f"    [*] --> {first}"]
    for state, events in table.items():
        ways: dict[str, list[str]] = {}
        for event, following in events.items():
            ways.setdefault(following, []).append(event)
        lines += [f"    {state} --> {following}: {', '.join(names)}" for following, names in ways.items()]
        if not events:
            lines.append(f"    {state} --> [*]")
    return "\n".join(lines)


def section() -> str:
    """Return the part of the document that is made from the tables."""
    pictures = (mermaid(move.TRANSITIONS, "queued"), mermaid(swap.TRANSITIONS, "open"))
    names = ("One session's move", "The swap around the moves")
    parts = [f"{name}:\n\n```mermaid\n{picture}\n```" for name, picture in zip(names, pictures, strict=True)]
    return "\n\n".join([BEGIN, *parts, END])


def renewed(text: str) -> str:
    """Return a document with its section made anew. Raises ValueError when it has none."""
    before, found, rest = text.partition(BEGIN)
    _, ended, after = rest.partition(END)
    if not found or not ended:
        raise ValueError(f"the document has no section from {BEGIN} to {END}; put both lines where it belongs")
    return before + section() + after
