"""A swap in full: what was done with each session, why, and how long it took."""

from __future__ import annotations

import msgspec

from failover.core.move import Move
from failover.http.views import MoveView, SwapView, swap_progress, swap_view
from failover.store import swaps
from failover.store.db import Store

#: In these the session's process is untouched, or is there again.
_STOPPED = "stopping"
_BACK = ("answering", "verified")


class MoveDetail(msgspec.Struct, frozen=True, kw_only=True):
    """One session's part of a swap with its steps. source: the account that it left; entered: seconds from the swap's
    beginning to each state; away: seconds from the order to stop to the new process's readiness, None while that has no
    end or was not begun; journal: each step, written before it was done."""

    move: MoveView
    source: str
    conversation: str
    entered: dict[str, float]
    away: float | None
    journal: tuple[swaps.JournalEntry, ...]


class SwapDetail(msgspec.Struct, frozen=True, kw_only=True):
    """A swap and its moves in full. seconds: how long it took, None while it is open; tried: accounts that turned out
    to be no targets."""

    swap: SwapView
    seconds: float | None
    order: int
    tried: tuple[str, ...]
    moves: tuple[MoveDetail, ...]


def swap_detail(store: Store, number: int) -> SwapDetail | None:
    """Return a swap in full, None when there is none of that id."""
    row = swaps.get(store, number)
    if row is None:
        return None
    moves = swaps.moves(store, number)
    return SwapDetail(
        swap=swap_view(row, moves),
        seconds=(row.finished_ms - row.started_ms) / 1000 if row.finished_ms else None,
        order=row.order_id,
        tried=row.tried,
        moves=tuple(_move(store, move, row.started_mono) for move in moves),
    )


def _move(store: Store, move: Move, began: float) -> MoveDetail:
    entered = {state: round(at - began, 3) for state, at in move.at.items()}
    back = next((entered[state] for state in _BACK if state in entered), None)
    away = round(back - entered[_STOPPED], 3) if back is not None and _STOPPED in entered else None
    return MoveDetail(
        move=swap_progress(move),
        source=move.source,
        conversation=move.conversation,
        entered=entered,
        away=away,
        journal=swaps.journal_of(store, move.id),
    )
