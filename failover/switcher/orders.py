"""Turn orders and the quota-monitor's requests into swaps, restarts, stops and launches, or say why not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from failover.candidates import candidates, movable, rules
from failover.clock import Clock
from failover.config import Config
from failover.core import policy, swap
from failover.core.choice import Load, Verdict
from failover.core.move import Fresh, Move
from failover.core.pressure import at_threshold
from failover.core.swap import in_order
from failover.errors import FailoverError, Refused, UsageError
from failover.events import SessionsLost, SwapStarted
from failover.host import process
from failover.host.process import ProcessId
from failover.store import fresh, orders, sessions, swaps, usage
from failover.store.db import Store
from failover.store.fresh import FreshRequest
from failover.store.orders import Order
from failover.store.sessions import Placement
from failover.switcher.adopting import Adopter, summary
from failover.switcher.launcher import Launcher
from failover.switcher.restoring import Judged, Restorer, summed_up
from failover.switcher.starting import Starter

Kind = Literal["swap", "restart", "stop", "fresh", "restore"]


class PlannedMove(msgspec.Struct, frozen=True):
    """One session's part of a swap that was only looked at. tokens: of its context that are cached anew, 0: unknown."""

    session: str
    state: str
    source: str
    target: str
    tokens: int


class Plan(msgspec.Struct, frozen=True):
    """What a swap would do, in the order in which it would, and what the policy makes of each account."""

    moves: tuple[PlannedMove, ...]
    verdicts: tuple[Verdict, ...]


class Desk:
    """Takes up what is asked for, one thing at a time."""

    def __init__(self, config: Config, store: Store, clock: Clock, launcher: Launcher) -> None:
        self._config, self._store, self._clock, self._launcher = config, store, clock, launcher
        self._starter = Starter(config, store, clock, launcher)
        self._restorer = Restorer(config, store, clock, launcher)
        self._adopter = Adopter(config, store, launcher)

    def take_in(self) -> str:
        """Note what an earlier switcher started and could not note, and which sessions went on to other
        conversations; "" when there is nothing."""
        return "; ".join(filter(None, (self._starter.take_in(), self._starter.follow())))

    # -- orders of people and programs ---------------------------------------------------------------

    def take_order(self, order: Order, paused: bool) -> str:
        """Carry out an order or begin to; an order that cannot be is answered with the reason."""
        try:
            if order.verb == "adopt":
                return self._adopt(order)
            if paused and not order.args.dry_run:
                raise Refused("paused; lift it with: claude-failover resume")
            if order.verb == "launch":
                ended, sentence = self._starter.start_all(order.args.sessions, order.args.to)
                self._answer(order, ended, sentence)
                return sentence
            if order.verb == "unpin":
                return self._unpin(order)
            if order.verb == "restore":
                return self._restore(order)
            return self._begin_ordered(order)
        except FailoverError as error:
            outcome: orders.Outcome = "refused" if isinstance(error, Refused) else "failed"
            self._answer(order, outcome, str(error))
            return f"order {order.id} ({order.verb}) {outcome}: {error}"

    def _answer(self, order: Order, outcome: orders.Outcome, sentence: str, detail: object = None) -> None:
        with self._store.transaction() as tx:
            told = msgspec.json.encode(detail or {}).decode()
            orders.finish(tx, order.id, self._store.now_ms(), outcome, sentence, told)

    def _begin_ordered(self, order: Order) -> str:
        placed = self._living(order.args.sessions)
        by = f"ordered by {order.by}"
        if order.verb != "swap":
            kind: Kind = "stop" if order.verb == "stop" else "restart"
            if not placed:
                raise Refused(f"no session to {order.verb}: none of them runs")
            return self._begin(kind, placed, policy.Swap("", "", "soft", by), order_id=order.id)
        wanted = self._ordered_to(order.args.to) if order.args.to else self._best(placed)
        moving = [p for p in placed if p.account != wanted.shares.get(p.session, wanted.target)]
        if wanted.sessions:
            moving = [p for p in moving if p.session in wanted.sessions]
        if not moving:
            raise Refused(f"nothing to move: every running session named is on {wanted.target} already")
        if order.args.dry_run:
            sentence, plan = self._plan(moving, wanted)
            self._answer(order, "done", sentence, plan)
            return sentence
        # A person chose, if only by wanting to be elsewhere: the automat does not undo it.
        moving = [msgspec.structs.replace(p, pinned=wanted.shares.get(p.session, wanted.target)) for p in moving]
        return self._begin(
            "swap", moving, msgspec.structs.replace(wanted, reason=by + wanted.reason), order_id=order.id
        )

    def _ordered_to(self, target: str) -> policy.Swap:
        """Return the swap to an account that a person named. Raises Refused when it would have to be left at once."""
        self._config.account(target)
        view = next(view for view in self._accounts() if view.name == target)
        if not view.enabled:
            raise Refused(f"the account {target} is disabled; see: claude-failover accounts list")
        if low := at_threshold(view):
            raise Refused(low)
        return policy.Swap("", target, "soft", "")

    def _best(self, placed: Sequence[Placement]) -> policy.Swap:
        """Return the swap to where the policy would go. Raises Refused when there is nowhere."""
        views = self._accounts()
        in_use = sorted(
            (view for view in views if any(p.account == view.name for p in placed)), key=lambda v: (-v.sessions, v.name)
        )
        if not in_use:
            raise Refused(
                "no session runs, so there is nothing to move; start them with: claude-failover sessions launch"
            )
        tokens = usage.recache_tokens(self._store)
        loads = [Load(session=p.session, tokens=tokens.get(p.session, 0)) for p in placed]
        found = policy.elsewhere(in_use[0], loads, views, self._rules())
        if found is None:
            reasons = "; ".join(filter(None, (policy.spoken_against(view, self._rules().margin) for view in views)))
            raise Refused(f"no viable target: {reasons or 'there is no other enabled account'}; name one with --to")
        return found

    def _plan(self, moving: Sequence[Placement], wanted: policy.Swap) -> tuple[str, Plan]:
        """Return what a swap would do, and what the policy makes of each account; in words, and for programs."""
        seen = sessions.sightings(self._store)
        names = self._ordered(moving)
        states = {name: seen[name].state if name in seen else "unknown" for name in names}
        told = ", ".join(f"{name} ({state})" for name, state in states.items())
        moves = {move.session: move for move in self._moves(0, "swap", moving, wanted)}
        cost, to = swap.bill([*moves.values()]), " and ".join(swap.targets(wanted.target, [*moves.values()]))
        weighed = policy.weigh(self._accounts(), self._rules())
        verdicts = [f"{one.account} {one.verdict} ({one.why})" for one in weighed]
        planned = [(moves[name], state) for name, state in states.items()]
        return (
            f"would move {len(names)} sessions to {to}: {told}{wanted.reason}{f'; {cost}' if cost else ''};"
            f" nothing was done; the accounts as the policy sees them: {', '.join(verdicts)}"
        ), Plan(tuple(PlannedMove(m.session, state, m.source, m.target, m.bill) for m, state in planned), weighed)

    def _unpin(self, order: Order) -> str:
        """Leave the choice of account to the policy again."""
        placements = sessions.placements(self._store)
        names = [name for name in order.args.sessions or placements if name in placements and placements[name].pinned]
        with self._store.transaction() as tx:
            for name in names:
                sessions.unpin(tx, name)
        sentence = f"left the choice of account to the policy for {', '.join(names) or 'no session: none was pinned'}"
        self._answer(order, "done", sentence)
        return sentence

    def _adopt(self, order: Order) -> str:
        """Take on sessions that run and that we did not start. They are only noted, so a pause does not matter."""
        judged = self._adopter.judged(order.args.sessions)
        if not order.args.dry_run:
            self._adopter.take_on(judged)
        outcome, sentence = summary(judged, order.args.dry_run)
        self._answer(order, outcome, sentence, {"sessions": [one.part for one in judged]})
        return sentence

    def _living(self, names: Sequence[str]) -> list[Placement]:
        placements = sessions.placements(self._store)
        for name in names:
            if name not in placements:
                raise UsageError(f"no session {name} was ever launched; see: claude-failover sessions list")
        wanted = [placements[name] for name in names] if names else list(placements.values())
        return [p for p in wanted if p.wanted == "running" and process.alive(ProcessId(p.pid, p.start))]

    # -- bringing back -----------------------------------------------------------------------------------

    def _restore(self, order: Order) -> str:
        """Begin to bring back what crashed, or say what would be."""
        judged = self._restorer.by_order(order.args.sessions)
        wanted = [one for one in judged if one.verdict.act == "restore"]
        if wanted and not order.args.dry_run:
            return self._begin_restore(wanted, f"ordered by {order.by}", order.id)
        moves = self._moves(0, "restore", [one.placement for one in wanted], _going(wanted, ""))
        parts = self._restorer.planned(judged, moves)
        refused = not wanted and any(one.verdict.act == "refuse" for one in judged)
        sentence = summed_up(parts) if wanted else f"nothing to restore; {summed_up(parts)}"
        self._answer(order, "refused" if refused else "done", sentence, {"sessions": parts})
        return sentence

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
            return self._begin_restore(wanted, "their tmux server died")
        told = [f"{one.placement.session}: {'paused' if one in wanted else one.verdict.why}" for one in judged]
        return f"ended with their tmux server: {', '.join(told)}" if told else ""

    def _begin_restore(self, wanted: Sequence[Judged], reason: str, order_id: int = 0) -> str:
        # Those that were at work lose time, the others none.
        names = in_order([(one.placement.session, "working" if one.busy else "idle") for one in wanted])
        placed = [one.placement for one in wanted]
        return self._begin("restore", placed, _going(wanted, reason), order_id=order_id, names=names)

    # -- requests of the quota-monitor -----------------------------------------------------------------

    def take_request(self, request: swaps.SwapRequest, paused: bool) -> str:
        """Begin the swap that the policy asked for, unless what it was asked for has passed."""
        if paused:
            return "paused: the request for a swap waits"
        moving = [p for p in self._living(()) if p.account == request.source]
        if request.sessions:
            moving = [p for p in moving if p.session in request.sessions]
        else:
            moving = movable(self._config, self._store, moving)
        if not moving:
            return f"nothing to move: no session that would have to runs on {request.source}"
        kind: Kind = "swap" if request.target != request.source else "restart"
        wanted = policy.Swap(request.source, request.target, request.urgency, request.reason, shares=request.shares)
        return self._begin(kind, moving, wanted, request_id=request.id)

    def take_fresh(self, paused: bool) -> str:
        """Begin to start those sessions anew for which a task asks; "" when there are none.

        One that was started anew since, or runs no more, is passed over: the dispatcher sees that too.
        """
        requests = () if paused else tuple(fresh.unserved(self._store))
        wanted = {request.session: request for request in requests}
        moving = [p for p in self._living(()) if p.session in wanted and wanted[p.session].launch == p.launch]
        if not moving:
            return ""
        reason = f"tasks {', '.join(str(wanted[p.session].task) for p in moving)} begin conversations of their own"
        return self._begin("fresh", moving, policy.Swap("", "", "idle", reason), requests=requests)

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
        moving = [p for p in self._living(()) if stranded.get(p.session) == p.launch] if stranded else []
        found = policy.instead(row.source, self._accounts(), refused, self._rules()) if moving else None
        if found is None:
            return ""
        reason = f"{moving[0].account} could not serve a session that was moved with them"
        return self._begin("swap", moving, policy.Swap(moving[0].account, found.name, "soft", reason))

    def _accounts(self) -> list[policy.Candidate]:
        return candidates(self._config, self._store, self._clock.epoch())

    def _rules(self) -> policy.Rules:
        return rules(self._config, self._clock.epoch())

    # -- beginning -----------------------------------------------------------------------------------

    def _ordered(self, placed: Sequence[Placement]) -> list[str]:
        seen = sessions.sightings(self._store)
        return in_order([(p.session, seen[p.session].state if p.session in seen else "unknown") for p in placed])

    def _begin(
        self,
        kind: Kind,
        moving: Sequence[Placement],
        wanted: policy.Swap,
        order_id: int = 0,
        request_id: int = 0,
        requests: Sequence[FreshRequest] = (),
        names: Sequence[str] = (),
    ) -> str:
        by_name = {placement.session: placement for placement in moving}
        names = names or self._ordered(moving)
        sources = sorted({placement.account for placement in moving})
        source = sources[0] if len(sources) == 1 else "several"
        deadline = self._config.failover.deadline
        wait = deadline.hard if wanted.urgency == "hard" else deadline.soft
        moves = self._moves(0, kind, [by_name[name] for name in names], wanted)
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

    def _moves(self, number: int, kind: Kind, placed: Sequence[Placement], wanted: policy.Swap) -> list[Move]:
        moved = wanted.shares if kind == "restore" else {}
        tokens = usage.recache_tokens(self._store)
        server = self._launcher.server() or ProcessId(0, 0)
        return [
            Move(
                id=0,
                swap=number,
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


def _going(wanted: Sequence[Judged], reason: str) -> policy.Swap:
    """Return where sessions go that are brought back: `shares` has those that leave their account."""
    shares = {one.placement.session: one.account for one in wanted if one.account != one.placement.account}
    return policy.Swap("", "", "soft", reason, shares=shares)
