"""Begin a swap, restart, stop, start or return of sessions: the rows that the engine then drives to their end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from failover.candidates import candidates, rules
from failover.clock import Clock
from failover.config import Config
from failover.core import policy, swap
from failover.core.move import Fresh, Move
from failover.core.swap import in_order
from failover.errors import UsageError
from failover.events import SwapStarted
from failover.host import process
from failover.host.process import ProcessId
from failover.store import fresh, sessions, swaps, usage
from failover.store.db import Store
from failover.store.fresh import FreshRequest
from failover.store.sessions import Placement
from failover.switcher.launcher import Launcher
from failover.switcher.restoring import Judged

Kind = Literal["swap", "restart", "stop", "fresh", "restore"]


class Beginner:
    """Whom a swap would concern, and its beginning. The caller sees to it that none is open."""

    def __init__(self, config: Config, store: Store, clock: Clock, launcher: Launcher) -> None:
        self._config, self._store, self._clock, self._launcher = config, store, clock, launcher

    def living(self, names: Sequence[str]) -> list[Placement]:
        """Return the sessions of those names (none: of all) whose process lives. Raises UsageError for a name that was
        never launched."""
        placements = sessions.placements(self._store)
        for name in names:
            if name not in placements:
                raise UsageError(f"no session {name} was ever launched; see: claude-failover sessions list")
        wanted = [placements[name] for name in names] if names else list(placements.values())
        return [p for p in wanted if p.wanted == "running" and process.alive(ProcessId(p.pid, p.start))]

    def accounts(self) -> list[policy.Candidate]:
        """Return the accounts as the policy sees them."""
        return candidates(self._config, self._store, self._clock.epoch())

    def rules(self) -> policy.Rules:
        """Return what the configuration says of every choice."""
        return rules(self._config, self._clock.epoch())

    def ordered(self, placed: Sequence[Placement]) -> list[str]:
        """Return the names in the order in which a swap takes them."""
        seen = sessions.sightings(self._store)
        return in_order([(p.session, seen[p.session].state if p.session in seen else "unknown") for p in placed])

    def begin(
        self,
        kind: Kind,
        moving: Sequence[Placement],
        wanted: policy.Swap,
        order_id: int = 0,
        request_id: int = 0,
        requests: Sequence[FreshRequest] = (),
        names: Sequence[str] = (),
    ) -> str:
        """Write the swap and its moves, and return in one sentence what began and why.

        requests: the tasks' wishes that it serves; names: another order than the usual one.
        """
        by_name = {placement.session: placement for placement in moving}
        names = names or self.ordered(moving)
        sources = sorted({placement.account for placement in moving})
        source = sources[0] if len(sources) == 1 else "several"
        deadline = self._config.failover.deadline
        wait = deadline.hard if wanted.urgency == "hard" else deadline.soft
        moves = self.moves(kind, [by_name[name] for name in names], wanted)
        reason = wanted.reason
        if cost := swap.bill(moves):
            reason = f"{reason}; {cost}"
        now = self._clock.monotonic()
        with self._store.transaction() as tx:
            if requests and list(requests) != fresh.unserved(self._store):
                return "a task was taken back while its session was about to be started anew; looking again"
            number = swaps.begin(
                tx,
                kind=kind,
                source=source,
                target=wanted.target,
                urgency=wanted.urgency,
                reason=reason,
                order_id=order_id,
                request_id=requests[-1].id if requests else request_id,
                started_ms=self._store.now_ms(),
                started_mono=now,
                deadline_mono=now + wait,
                host_boot=process.host_boot_id(),
            )
            begins = {one.session: Fresh(one.conversation, one.cwd, one.prompt) for one in requests}
            for move in moves:
                swaps.add_move(tx, msgspec.structs.replace(move, swap=number, fresh=begins.get(move.session)))
            tx.emit(
                SwapStarted(
                    swap=number,
                    source=source,
                    target=wanted.target,
                    urgency=wanted.urgency,
                    sessions=tuple(names),
                    reason=reason,
                    shares={move.session: move.target for move in moves if move.target != wanted.target}
                    if wanted.shares
                    else {},
                    kind=kind,
                )
            )
        to = " and ".join(swap.targets(wanted.target, moves)) or source
        return f"swap {number} began: {kind} of {len(names)} sessions from {source} to {to} because {reason}"

    def begin_restore(self, wanted: Sequence[Judged], reason: str, order_id: int = 0) -> str:
        """Begin to bring sessions back, as `begin`."""
        # Those that were at work lose time, the others none.
        names = in_order([(one.placement.session, "working" if one.busy else "idle") for one in wanted])
        placed = [one.placement for one in wanted]
        return self.begin("restore", placed, going(wanted, reason), order_id=order_id, names=names)

    def moves(self, kind: Kind, placed: Sequence[Placement], wanted: policy.Swap) -> list[Move]:
        """Return the moves of a swap that has no number yet."""
        moved = wanted.shares if kind == "restore" else {}
        tokens = usage.recache_tokens(self._store)
        server = self._launcher.server() or ProcessId(0, 0)
        return [
            Move(
                id=0,
                swap=0,
                session=placement.session,
                conversation=placement.conversation,
                cwd=placement.cwd,
                source=placement.account,
                target=""
                if kind == "stop"
                else wanted.shares.get(placement.session, wanted.target) or placement.account,
                kind=kind,
                pane=placement.pane,
                pid=placement.pid,
                start=placement.start,
                since_size=placement.since_size,
                server_pid=placement.server_pid if kind == "restore" else server.pid,
                server_start=placement.server_start if kind == "restore" else server.start,
                pinned=placement.pinned,
                carried=placement.carried,
                bill=tokens.get(placement.session, 0) if kind == "swap" or placement.session in moved else 0,
            )
            for placement in placed
        ]


def going(wanted: Sequence[Judged], reason: str) -> policy.Swap:
    """Return where sessions go that are brought back: `shares` has those that leave their account."""
    shares = {one.placement.session: one.account for one in wanted if one.account != one.placement.account}
    return policy.Swap("", "", "soft", reason, shares=shares)
