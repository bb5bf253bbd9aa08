"""Swaps, their moves, the journal and the holds. Written by the account-switcher alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from failover.core.move import AWAY, Move, Urgency
from failover.store.db import Store, Transaction
from failover.store.kept import Kept

#: How long a request for a swap stands (milliseconds).
REQUEST_LASTS_MS = 20_000


class SwapRow(msgspec.Struct, frozen=True, kw_only=True):
    """A swap (or restart, or stop) as the store keeps it.

    started_mono, deadline_mono: monotonic seconds of the boot `host_boot`; tried: earlier targets that turned out to
    be none.
    """

    id: int
    kind: Literal["swap", "restart", "stop", "fresh", "restore"]
    source: str
    target: str
    urgency: Urgency
    reason: str
    order_id: int
    request_id: int
    state: str
    started_ms: int
    started_mono: float
    deadline_mono: float
    host_boot: str
    finished_ms: int
    sentence: str
    tried: tuple[str, ...] = ()


class SwapRequest(msgspec.Struct, frozen=True, kw_only=True):
    """The quota-monitor's wish for a swap. source and target are one where sessions are to be continued.

    sessions: which ones, empty for all that should move; shares: session → account, of those that go elsewhere.
    """

    id: int
    at_ms: int
    source: str
    target: str
    urgency: Urgency
    reason: str
    sessions: tuple[str, ...] = ()
    shares: dict[str, str] = {}


_move = msgspec.json.Decoder(Move)
_encode = msgspec.json.encode


def _swap(row: Any) -> SwapRow:
    return msgspec.convert({**dict(row), **_decoded(row, "tried")}, SwapRow)


def open_swap(store: Store) -> SwapRow | None:
    """Return the swap that is under way, if any. The schema allows one at most."""
    row = store.one("SELECT * FROM swaps WHERE state = 'open'")
    return _swap(row) if row else None


def latest(store: Store, limit: int = 20, *, fresh: bool = False) -> list[SwapRow]:
    """Return the newest swaps, newest first. fresh: with the starts of new conversations, which tell of no account."""
    which = "" if fresh else " INDEXED BY swaps_of_accounts WHERE kind != 'fresh'"
    return [_swap(row) for row in store.query(f"SELECT * FROM swaps{which} ORDER BY id DESC LIMIT ?", (limit,))]


def older(store: Store, before: int, limit: int) -> list[SwapRow]:
    """Return the newest swaps with an id below `before`, newest first, with the starts of new conversations."""
    return [
        _swap(row) for row in store.query("SELECT * FROM swaps WHERE id < ? ORDER BY id DESC LIMIT ?", (before, limit))
    ]


class JournalEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A step of a move, as it was written before it was done. at_ms: epoch milliseconds."""

    at_ms: int
    was: str
    state: str
    why: str


def get(store: Store, swap: int) -> SwapRow | None:
    """Return a swap."""
    row = store.one("SELECT * FROM swaps WHERE id = ?", (swap,))
    return _swap(row) if row else None


def journal_of(store: Store, move: int) -> tuple[JournalEntry, ...]:
    """Return the steps of a move, oldest first."""
    rows = store.query("SELECT at_ms, was, state, why FROM journal WHERE move = ? ORDER BY id", (move,))
    return tuple(msgspec.convert(dict(row), JournalEntry) for row in rows)


def verified_at(store: Store, swap: int) -> dict[int, int]:
    """Return when the moves of a swap were verified (move → epoch milliseconds)."""
    rows = store.query(
        "SELECT j.move, j.at_ms FROM moves m JOIN journal j ON j.move = m.id WHERE m.swap = ? AND j.state = 'verified'",
        (swap,),
    )
    return {row["move"]: row["at_ms"] for row in rows}


def last_swap(store: Store) -> SwapRow | None:
    """Return the last swap between accounts, None when there was none."""
    row = store.one("SELECT * FROM swaps WHERE kind = 'swap' ORDER BY id DESC LIMIT 1")
    return _swap(row) if row else None


def last_continued(store: Store) -> SwapRow | None:
    """Return the last restart that continued sessions on the account that they were on, None when there was none."""
    row = store.one("SELECT * FROM swaps WHERE kind = 'restart' AND request_id > 0 ORDER BY id DESC LIMIT 1")
    return _swap(row) if row else None


def moves(store: Store, swap: int) -> list[Move]:
    """Return the moves of a swap in the order in which they are to be made."""
    rows = store.query("SELECT id, body FROM moves WHERE swap = ? ORDER BY id", (swap,))
    return _moves.of(rows)


def _moved(row: Any) -> Move:
    return msgspec.structs.replace(_move.decode(row["body"]), id=row["id"])


_moves = Kept(_moved)


def open_moves(store: Store) -> list[Move]:
    """Return the moves of the open swap."""
    row = open_swap(store)
    return moves(store, row.id) if row else []


def away(store: Store) -> frozenset[str]:
    """Return the sessions that the open swap has stopped and not yet started again."""
    rows = store.query("SELECT m.session, m.state FROM moves m JOIN swaps s ON s.id = m.swap WHERE s.state = 'open'")
    return frozenset(row["session"] for row in rows if row["state"] in AWAY)


def owed(store: Store, session: str, conversation: str) -> tuple[str, int]:
    """Return the prompt with which a session was to go on when its last move left it without a process, and the size of
    its transcript at that time (bytes); empty when it is owed none."""
    row = store.one(
        "SELECT body FROM moves WHERE id = (SELECT max(id) FROM moves WHERE session = ?)"
        " AND state IN ('stopped', 'failed', 'yielded')",
        (session,),
    )
    if row is None:
        return "", 0
    move = _move.decode(row["body"])
    if move.fresh is not None and conversation == move.fresh.conversation:
        return "", 0  # its task is offered again by the dispatcher
    return (move.prompt, move.since_size) if move.conversation == conversation else ("", 0)


def began_process(store: Store, session: str, pid: int, start: int) -> Move | None:
    """Return the session's last move, if that is what started this process."""
    row = store.one(
        "SELECT body FROM moves WHERE session = ? AND state != 'queued' ORDER BY id DESC LIMIT 1", (session,)
    )
    move = _move.decode(row["body"]) if row else None
    return move if move and pid and (move.new_pid, move.new_start) == (pid, start) else None


def prompts(store: Store, session: str) -> frozenset[str]:
    """Return what the session was told by its last moves."""
    rows = store.query("SELECT body FROM moves WHERE session = ? ORDER BY id DESC LIMIT 10", (session,))
    return frozenset(move.prompt for row in rows if (move := _move.decode(row["body"])).prompt)


def restored(store: Store, session: str, since_ms: int) -> list[int]:
    """Return when the session was to be brought back by itself since then, newest first (epoch milliseconds)."""
    rows = store.query(
        "SELECT s.started_ms FROM moves m JOIN swaps s ON s.id = m.swap WHERE m.session = ? AND s.kind = 'restore'"
        " AND s.order_id = 0 AND s.started_ms >= ? ORDER BY s.id DESC",
        (session, since_ms),
    )
    return [row[0] for row in rows]


def begin(
    tx: Transaction,
    *,
    kind: str,
    source: str,
    target: str,
    urgency: str,
    reason: str,
    order_id: int,
    request_id: int,
    started_ms: int,
    started_mono: float,
    deadline_mono: float,
    host_boot: str,
) -> int:
    """Open a swap and return its id."""
    return tx.insert(
        "INSERT INTO swaps (kind, source, target, urgency, reason, order_id, request_id, state, started_ms,"
        " started_mono, deadline_mono, host_boot) VALUES (?, ?, ?, ?, ?, ?, ?, 'open', ?, ?, ?, ?)",
        (
            kind,
            source,
            target,
            urgency,
            reason,
            order_id,
            request_id,
            started_ms,
            started_mono,
            deadline_mono,
            host_boot,
        ),
    )


def rule_out(tx: Transaction, row: SwapRow, was: str, target: str) -> SwapRow:
    """Note that `was`, a target of the open swap, is none. target: where its sessions go from now on, the same where
    there is no other. Return the swap as it is now."""
    tried = (*row.tried, was)
    main = target if was == row.target else row.target
    tx.execute("UPDATE swaps SET target = ?, tried = ? WHERE id = ?", (main, _encode(tried).decode(), row.id))
    return msgspec.structs.replace(row, target=main, tried=tried)


def refused(row: SwapRow, moves: Sequence[Move]) -> frozenset[str]:
    """Return the accounts that turned out in this swap to be no target."""
    return frozenset((*row.tried, *(account for move in moves for account in move.refused)))


def add_move(tx: Transaction, move: Move) -> int:
    """Add a move to its swap and return its id (`move.id` is not read)."""
    return tx.insert(
        "INSERT INTO moves (swap, session, state, body) VALUES (?, ?, ?, ?)",
        (move.swap, move.session, move.state, _encode(move).decode()),
    )


def save_move(tx: Transaction, move: Move) -> None:
    """Write a move's new state."""
    tx.execute("UPDATE moves SET state = ?, body = ? WHERE id = ?", (move.state, _encode(move).decode(), move.id))


def journal(tx: Transaction, move: Move, was: str, at_ms: int) -> None:
    """Note that `move` goes from `was` to its present state, before that is acted upon."""
    tx.execute(
        "INSERT INTO journal (move, at_ms, was, state, why) VALUES (?, ?, ?, ?, ?)",
        (move.id, at_ms, was, move.state, move.why),
    )


def finish(tx: Transaction, swap: int, outcome: str, sentence: str, finished_ms: int) -> None:
    """Close a swap."""
    tx.execute(
        "UPDATE swaps SET state = ?, sentence = ?, finished_ms = ? WHERE id = ?",
        (outcome, sentence, finished_ms, swap),
    )


def set_hold(tx: Transaction, conversation: str, move: int, pid: int, start: int, until_mono: float) -> None:
    """Hold a conversation at its next boundary. pid, start: the holder."""
    fields = {"conversation": conversation, "move": move, "pid": pid, "start": start, "until_mono": until_mono}
    tx.put("holds", fields)


def lift_hold(tx: Transaction, conversation: str) -> None:
    """Let a conversation go on."""
    tx.execute("DELETE FROM holds WHERE conversation = ?", (conversation,))


def held_conversations(store: Store) -> frozenset[str]:
    """Return the conversations on which a hold stands."""
    return frozenset(row["conversation"] for row in store.query("SELECT conversation FROM holds"))


def unserved_requests(store: Store) -> Sequence[SwapRequest]:
    """Return the quota-monitor's requests that no swap has taken up, oldest first.

    One that is older than REQUEST_LASTS_MS is void: what it was asked for may have passed. The policy asks again.
    """
    rows = store.query(
        "SELECT * FROM swap_requests WHERE at_ms > ? AND id >"
        " (SELECT coalesce(max(request_id), 0) FROM swaps WHERE kind != 'fresh') ORDER BY id",
        (store.now_ms() - REQUEST_LASTS_MS,),
    )
    return [msgspec.convert({**dict(row), **_decoded(row, "sessions", "shares")}, SwapRequest) for row in rows]


def _decoded(row: Any, *columns: str) -> dict[str, Any]:
    return {column: msgspec.json.decode(row[column]) for column in columns}
