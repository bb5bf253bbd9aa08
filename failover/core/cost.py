"""What a percent point of an account's window costs in tokens, learned from what our sessions used while it rose.

Tokens are counted as those of a context that is written to the cache anew, since that is the bill of a move. The
weights are the price list's (input 1, cache write 2 with the one-hour cache that the binary asks for, cache read 0.1,
output 5; the provider does not say how its limits weigh them). Use that is not ours makes a point look cheaper than it
is, and so a bill dearer: the safe side.
"""

from __future__ import annotations

import msgspec

#: Points that are remembered: what was learned longer ago fades, since plans and models change.
_REMEMBERED = 40.0
#: Fewer points than this say nothing.
_LEAST = 3.0
_WRITE, _READ, _OUTPUT = 2.0, 0.1, 5.0


class Usage(msgspec.Struct, frozen=True):
    """Tokens of one request, as the binary's statusline has them (`context_window.current_usage`, 2.1.330)."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_creation_input_tokens: int = 0
    cache_read_input_tokens: int = 0


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """What was counted of an account's window: tokens that were used while it rose by so many percent points."""

    account: str
    window: str
    tokens: float = 0.0
    points: float = 0.0


def weigh(used: Usage) -> float:
    """Return the tokens of a request, counted as tokens written to the cache."""
    units = used.input_tokens + _READ * used.cache_read_input_tokens + _OUTPUT * used.output_tokens
    return used.cache_creation_input_tokens + units / _WRITE


def learn(cost: Cost, tokens: float, points: float) -> Cost:
    """Return `cost` with what was used while the window rose by `points`."""
    fade = min(1.0, _REMEMBERED / (cost.points + points))
    return msgspec.structs.replace(cost, tokens=(cost.tokens + tokens) * fade, points=(cost.points + points) * fade)


def per_point(cost: Cost) -> float | None:
    """Return how many tokens take one percent point, None while that is not learned."""
    return cost.tokens / cost.points if cost.points >= _LEAST and cost.tokens > 0 else None
