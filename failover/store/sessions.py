"""Where each session is placed (account-switcher) and how it is seen (session-watcher)."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import msgspec

from failover.core.session import Activity, SessionState, missed
from failover.host import process
from failover.host.process import ProcessId
from failover.store.db import Store, Transaction, among
from failover.store.kept import Kept


class Placement(msgspec.Struct, frozen=True, kw_only=True):
    """Which account, conversation and process a session has.

    pinned: the account that a person chose for it, empty when none did; pid and start are 0 until the process is known;
    server_pid, server_start: the tmux server that it was started in (0: not known); given_up: why it is not brought
    back by itself, once it was lost and people were told; carried: what it brings along, if it was adopted; launch:
    empty for one that was adopted and not started anew since, so that none of its hooks are ours.
    """

    session: str
    account: str
    conversation: str
    cwd: str
    wanted: str
    launch: str
    pinned: str = ""
    pane: str = ""
    pid: int = 0
    start: int = 0
    since_size: int = 0
    server_pid: int = 0
    server_start: int = 0
    given_up: str = ""
    carried: str = ""


class Sighting(msgspec.Struct, frozen=True, kw_only=True):
    """What the session-watcher saw of a session. limit_resets: epoch seconds."""

    name: str
    state: SessionState
    since_ms: int
    seen_ms: int
    conversation: str = ""
    pid: int = 0
    start: int = 0
    pane: str = ""
    waiting_for: str = ""
    limit_window: str = ""
    limit_resets: int = 0
    note: str = ""


_activity = msgspec.json.Decoder(Activity)


def _placement(row: Any) -> Placement:
    return msgspec.convert(dict(row), Placement)


_placements = Kept(_placement)


def placements(store: Store, of: Collection[str] | None = None) -> dict[str, Placement]:
    """Return every placement, or those of some sessions, by session name."""
    where, names = among("session", of)
    rows = store.query(f"SELECT * FROM placements WHERE {where} ORDER BY session", names)
    return {one.session: one for one in _placements.of(rows, whole=of is None)}


def conversations(store: Store) -> frozenset[str]:
    """Return the conversations that our sessions are known to have been in."""
    rows = store.query(
        "SELECT conversation FROM placements UNION SELECT json_extract(body, '$.conversation') FROM moves"
        " UNION SELECT conversation FROM checkpoints UNION SELECT conversation FROM activities"
    )
    return frozenset(row[0] for row in rows if row[0])


def place(tx: Transaction, placement: Placement) -> None:
    """Write a placement, in place of the session's earlier one."""
    tx.put("placements", msgspec.structs.asdict(placement))


def give_up(tx: Transaction, session: str, why: str) -> None:
    """Note that a session is not brought back by itself; it stands until the session is placed anew."""
    tx.execute("UPDATE placements SET given_up = ? WHERE session = ?", (why, session))


def is_lost(placement: Placement) -> bool:
    """Say whether a session that should be running ended with its tmux server."""
    wanted = placement.wanted == "running" and placement.pid and placement.server_pid
    return bool(wanted) and not any(
        process.alive(one)
        for one in (
            ProcessId(placement.pid, placement.start),
            ProcessId(placement.server_pid, placement.server_start),
        )
    )


def unpin(tx: Transaction, session: str) -> None:
    """Leave the choice of a session's account to the policy again."""
    tx.execute("UPDATE placements SET pinned = '' WHERE session = ?", (session,))


_sightings: Kept[Sighting] = Kept(lambda row: msgspec.convert(dict(row), Sighting))
_folded: Kept[Activity] = Kept(lambda row: _activity.decode(row["body"]))


def sightings(store: Store, of: Collection[str] | None = None) -> dict[str, Sighting]:
    """Return what was last seen of each session, or of some, by name."""
    where, names = among("name", of)
    rows = store.query(f"SELECT * FROM sessions WHERE {where}", names)
    return {one.name: one for one in _sightings.of(rows, whole=of is None)}


def sight(tx: Transaction, sighting: Sighting) -> None:
    """Write what is seen of a session."""
    tx.put("sessions", msgspec.structs.asdict(sighting))


def activities(store: Store, of: Collection[str] | None = None) -> dict[str, Activity]:
    """Return the folded hooks of each session, or of some, by name.

    An answer that a dead control plane was holding back is held no more: its connection ended with it.
    """
    where, names = among("a.session", of)
    rows = store.query(
        "SELECT a.session, a.body, r.pid, r.start FROM activities a"
        f" LEFT JOIN roles r ON r.role = 'control-plane' AND r.boot = a.boot WHERE {where}",
        names,
    )
    found = {}
    for row, activity in zip(rows, _folded.of(rows, whole=of is None), strict=True):
        if activity.held and not (row["pid"] and process.alive(ProcessId(row["pid"], row["start"]))):
            activity = missed(activity)
        found[row["session"]] = activity
    return found
