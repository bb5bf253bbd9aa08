"""How long sessions at work take to reach a boundary, from the hooks that they called.

A stretch of work lasts from a prompt or a boundary to the next boundary: the end of a batch of tools, or of the turn,
with no sub-agent at work. At a random moment one is more likely to meet a long stretch than a short one, and is
somewhere in its midst; `reach` allows for both.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence

import msgspec

#: Fewer stretches than this say nothing.
_LEAST = 10


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """A hook call, reduced to what tells boundaries. agent: sub-agent id, empty for the main conversation."""

    conversation: str
    hook: str
    at_ms: int
    agent: str = ""


#: The hooks of which the stretches are made.
HOOKS = (
    "SessionStart", "UserPromptSubmit", "PostToolBatch", "Stop", "StopFailure", "SessionEnd", "SubagentStart",
    "SubagentStop",
)  # fmt: skip


def stretches(marks: Iterable[Mark]) -> list[float]:
    """Return how long each stretch of work took until its boundary (seconds). marks: in the order in which they came.

    What was cut off, by an interrupt, a failure or a stop, had no boundary and does not count.
    """
    found: list[float] = []
    begun: dict[str, int] = {}
    agents: dict[str, set[str]] = {}
    for mark in marks:
        name, at_work = mark.conversation, agents.setdefault(mark.conversation, set())
        match mark.hook:
            case "SubagentStart":
                at_work.add(mark.agent)
            case "SubagentStop":
                at_work.discard(mark.agent)
            case "UserPromptSubmit" if not mark.agent:
                begun.setdefault(name, mark.at_ms)
            case "PostToolBatch" | "Stop" if not mark.agent and not at_work:
                if name in begun:
                    found.append(max(0, mark.at_ms - begun.pop(name)) / 1000)
                if mark.hook == "PostToolBatch":
                    begun[name] = mark.at_ms
            case "SessionStart" | "SessionEnd" | "StopFailure" if not mark.agent:
                begun.pop(name, None)
                at_work.clear()
    return found


def reach(lengths: Sequence[float], share: float = 0.9) -> float:
    """Return within how many seconds such a share of the sessions that work at a random moment reach a boundary.

    0 where too little is known.
    """
    if len(lengths) < _LEAST:
        return 0.0
    # Met in a stretch of length L, the rest of it is evenly spread over 0 … L; so the rest is longer than x for the
    # part sum(L - x) / sum(L), over the stretches longer than x.
    longer = (1 - share) * sum(lengths)
    total, ordered = sum(lengths), deque(sorted(lengths))
    while (rest := (total - longer) / len(ordered)) > ordered[0]:
        total -= ordered.popleft()
    return rest
