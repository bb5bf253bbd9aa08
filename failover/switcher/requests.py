"""Take up what the quota-monitor, tasks and lost sessions ask for, or say why not."""

from __future__ import annotations

from failover.candidates import movable
from failover.config import Config
from failover.core import policy
from failover.events import SessionsLost
from failover.store import fresh, sessions, swaps
from failover.store.db import Store
from failover.switcher.beginning import Beginner, Kind
from failover.switcher.restoring import Restorer


class RequestDesk:
    """Requests of the program's own, one thing at a time."""

    def __init__(self, config: Config, store: Store, beginner: Beginner, restorer: Restorer) -> None:
        self._config, self._store, self._beginner, self._restorer = config, store, beginner, restorer

    def take_request(self, request: swaps.SwapRequest, paused: bool) -> str:
        """Begin the swap that the policy asked for, unless what it was asked for has passed."""
        if paused:
            return "paused: the request for a swap waits"
        moving = [p for p in self._beginner.living(()) if p.account == request.source]
        if request.sessions:
            moving = [p for p in moving if p.session in request.sessions]
        else:
            moving = movable(self._config, self._store, moving)
        if not moving:
            return f"nothing to move: no session that would have to runs on {request.source}"
        kind: Kind = "swap" if request.target != request.source else "restart"
        wanted = policy.Swap(request.source, request.target, request.urgency, request.reason, shares=request.shares)
        return self._beginner.begin(kind, moving, wanted, request_id=request.id)

    def take_fresh(self, paused: bool) -> str:
        """Begin to start those sessions anew for which a task asks; "" when there are none.

        One that was started anew since, or runs no more, is passed over: the dispatcher sees that too.
        """
        requests = () if paused else tuple(fresh.unserved(self._store))
        if not requests:
            return ""
        wanted = {request.session: request for request in requests}
        moving = [p for p in self._beginner.living(()) if p.session in wanted and wanted[p.session].launch == p.launch]
        if not moving:
            return ""
        reason = f"tasks {', '.join(str(wanted[p.session].task) for p in moving)} begin conversations of their own"
        return self._beginner.begin("fresh", moving, policy.Swap("", "", "idle", reason), requests=requests)

    def follow_up(self, paused: bool) -> str:
        """Take further those that went to an account before it turned out that it cannot serve; "" when there are none.

        A session at rest is not asked anything when it is moved, so it cannot tell.
        """
        latest = swaps.latest(self._store, 1)
        if paused or not latest or latest[0].kind != "swap" or latest[0].state == "open":
            return ""
        row, moves = latest[0], swaps.moves(self._store, latest[0].id)
        refused = swaps.refused(row, moves)
        stranded = {m.session: m.launch for m in moves if m.state == "verified" and m.target in refused}
        moving = [p for p in self._beginner.living(()) if stranded.get(p.session) == p.launch] if stranded else []
        found = (
            policy.instead(row.source, self._beginner.accounts(), refused, self._beginner.rules()) if moving else None
        )
        if found is None:
            return ""
        reason = f"{moving[0].account} could not serve a session that was moved with them"
        return self._beginner.begin("swap", moving, policy.Swap(moving[0].account, found.name, "soft", reason))

    def restore_lost(self, paused: bool) -> str:
        """Begin to bring back sessions that ended with their tmux server; "" when there are none.

        People are told once of those that are not brought back by themselves.
        """
        judged = self._restorer.by_itself()
        left = {one.placement.session: one.verdict.why for one in judged if one.verdict.act == "give_up"}
        if left:
            with self._store.transaction() as tx:
                for name, why in left.items():
                    sessions.give_up(tx, name, why)
                tx.emit(SessionsLost(sessions=tuple(left), why=left))
        wanted = [one for one in judged if one.verdict.act == "restore"]
        if wanted and not paused:
            return self._beginner.begin_restore(wanted, "their tmux server died")
        told = [f"{one.placement.session}: {'paused' if one in wanted else one.verdict.why}" for one in judged]
        return f"ended with their tmux server: {', '.join(told)}" if told else ""
