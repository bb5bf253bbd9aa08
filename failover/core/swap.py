"""A swap: the moves of an account's sessions, paced, and its summary. Restarts and stops go the same way."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Literal

import msgspec

from failover.core.move import AWAY, TERMINAL, Move
from failover.core.session import SessionState

SwapState = Literal["open", "done", "partial", "refused", "failed"]
SwapEvent = Literal["retarget", "all_moved", "some_moved", "all_stayed", "none_moved"]

#: state → event → next state, of a swap. Its course is that of its moves (failover/core/move.py).
TRANSITIONS: dict[SwapState, dict[SwapEvent, SwapState]] = {
    "open": {
        "retarget": "open",
        "all_moved": "done",
        "some_moved": "partial",
        "all_stayed": "refused",
        "none_moved": "failed",
    },
    "done": {},
    "partial": {},
    "refused": {},
    "failed": {},
}

#: Who goes first: those that a limit stopped lose time, idle ones lose none.
_ORDER: dict[SessionState, int] = {"limited": 0, "waiting": 1, "working": 1, "unknown": 2, "starting": 2, "idle": 3}


def in_order(sessions: Sequence[tuple[str, SessionState]]) -> list[str]:
    """Return session names in the order in which they should be moved."""
    return [name for name, state in sorted(sessions, key=lambda pair: (_ORDER.get(pair[1], 2), pair[0]))]


def free_slots(moves: Sequence[Move], max_parallel: int) -> int:
    """Return how many more sessions may be away at once."""
    return max(0, max_parallel - len([move for move in moves if move.state in AWAY]))


class Slots(msgspec.Struct, frozen=True):
    """How many more sessions may go. free: at once; kept: so many of them are not for the sessions at rest (`idle`)."""

    free: int
    kept: int = 0
    idle: Collection[str] = ()

    def has(self, move: Move) -> bool:
        """Say whether `move` may be away now."""
        return self.free > (self.kept if move.session in self.idle else 0)


def slots(moves: Sequence[Move], max_parallel: int, idle: Collection[str]) -> Slots:
    """Return how many more may go. idle: the sessions that are at rest.

    They are ready at any time and lose nothing by waiting, so one slot is kept for those whose boundary is yet to come.
    """
    coming = any(other.state in ("queued", "holding") and other.session not in idle for other in moves)
    return Slots(free_slots(moves, max_parallel), 1 if max_parallel > 1 and coming else 0, idle)


def is_over(moves: Sequence[Move]) -> bool:
    """Say whether every move has ended."""
    return all(move.state in TERMINAL for move in moves)


def conclude(moves: Sequence[Move], milliseconds: int) -> tuple[SwapState, str]:
    """Return how a swap ends whose moves are all over, and its summary."""
    good = [move for move in moves if move.state in ("verified", "stopped")]
    rest = [move for move in moves if move not in good]
    event: SwapEvent
    if not rest:
        event = "all_moved"
    elif good:
        event = "some_moved"
    elif all(move.state == "stayed" for move in rest):
        event = "all_stayed"
    else:
        event = "none_moved"
    outcome = TRANSITIONS["open"][event]
    words = {"swap": "moved", "restart": "restarted", "stop": "stopped", "fresh": "started anew", "restore": "restored"}
    word = words[moves[0].kind] if moves else "moved"
    sentence = f"{word} {len(good)} of {len(moves)} sessions in {milliseconds / 1000:.1f} s"
    if moves and moves[0].kind in ("swap", "restore") and (tokens := bill(good)):
        sentence += f" ({tokens})"
    to = sorted(targets("", good))
    if len(to) > 1:
        counts = [f"{sum(move.target == name for move in good)} to {name}" for name in to]
        sentence += f"; {' and '.join(counts)}"
    if rest:
        sentence += "; " + "; ".join(f"{move.session} {move.state}: {move.why}" for move in rest)
    return outcome, sentence


def targets(main: str, moves: Sequence[Move]) -> tuple[str, ...]:
    """Return the accounts that a swap's sessions go to, `main` first where any does; none where they are stopped."""
    going = dict.fromkeys(move.target for move in moves if move.target)
    return tuple(sorted(going, key=lambda name: name != main))


def bill(moves: Sequence[Move]) -> str:
    """Return in words what the moves' contexts cost the new account, empty when that is not known or nothing.

    The context of a conversation is cached with the account that it runs on: the first request on another one writes
    it to that one's cache anew, and that counts towards its windows.
    """
    tokens = sum(move.bill for move in moves)
    if not tokens:
        return ""
    told = f"{tokens / 1_000_000:.1f} M" if tokens >= 1_000_000 else f"{max(1, round(tokens / 1000))} k"
    return f"about {told} tokens of context to be cached anew"


def progress(move: Move) -> float:
    """Return how far a move is, from 0 to 1, for a progress bar."""
    path = (
        "queued", "holding", "at_boundary", "checkpointed", "stopping", "dead", "relaunching", "relaunched",
        "answering", "verified",
    )  # fmt: skip
    if move.state in TERMINAL:
        return 1.0
    # One that leaves a target that could not serve it is about where it was when it was stopped.
    return path.index("stopping" if move.state == "leaving" else move.state) / (len(path) - 1)
