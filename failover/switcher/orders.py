"""Carry out orders of people and programs, or begin to, or say why not."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from failover.config import Config
from failover.core import policy, swap
from failover.core.choice import Load, Verdict
from failover.core.pressure import at_threshold
from failover.errors import FailoverError, Refused
from failover.store import orders, sessions, usage
from failover.store.db import Store
from failover.store.orders import Order
from failover.store.sessions import Placement
from failover.switcher.adopting import Adopter, summary
from failover.switcher.beginning import Beginner, Kind, going
from failover.switcher.restoring import Restorer, summed_up
from failover.switcher.starting import Starter


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


class OrderDesk:
    """Orders, one thing at a time."""

    def __init__(
        self, config: Config, store: Store, beginner: Beginner, starter: Starter, restorer: Restorer, adopter: Adopter
    ) -> None:
        self._config, self._store, self._beginner = config, store, beginner
        self._starter, self._restorer, self._adopter = starter, restorer, adopter

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
        placed = self._beginner.living(order.args.sessions)
        by = f"ordered by {order.by}"
        if order.verb != "swap":
            kind: Kind = "stop" if order.verb == "stop" else "restart"
            if not placed:
                raise Refused(f"no session to {order.verb}: none of them runs")
            return self._beginner.begin(kind, placed, policy.Swap("", "", "soft", by), order_id=order.id)
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
        return self._beginner.begin(
            "swap", moving, msgspec.structs.replace(wanted, reason=by + wanted.reason), order_id=order.id
        )

    def _ordered_to(self, target: str) -> policy.Swap:
        """Return the swap to an account that a person named. Raises Refused when it would have to be left at once."""
        self._config.account(target)
        view = next(view for view in self._beginner.accounts() if view.name == target)
        if not view.enabled:
            raise Refused(f"the account {target} is disabled; see: claude-failover accounts list")
        if low := at_threshold(view):
            raise Refused(low)
        return policy.Swap("", target, "soft", "")

    def _best(self, placed: Sequence[Placement]) -> policy.Swap:
        """Return the swap to where the policy would go. Raises Refused when there is nowhere."""
        views = self._beginner.accounts()
        in_use = sorted(
            (view for view in views if any(p.account == view.name for p in placed)), key=lambda v: (-v.sessions, v.name)
        )
        if not in_use:
            raise Refused(
                "no session runs, so there is nothing to move; start them with: claude-failover sessions launch"
            )
        tokens = usage.recache_tokens(self._store)
        loads = [Load(session=p.session, tokens=tokens.get(p.session, 0)) for p in placed]
        found = policy.elsewhere(in_use[0], loads, views, self._beginner.rules())
        if found is None:
            reasons = "; ".join(
                filter(None, (policy.spoken_against(view, self._beginner.rules().margin) for view in views))
            )
            raise Refused(f"no viable target: {reasons or 'there is no other enabled account'}; name one with --to")
        return found

    def _plan(self, moving: Sequence[Placement], wanted: policy.Swap) -> tuple[str, Plan]:
        """Return what a swap would do, and what the policy makes of each account; in words, and for programs."""
        seen = sessions.sightings(self._store)
        names = self._beginner.ordered(moving)
        states = {name: seen[name].state if name in seen else "unknown" for name in names}
        told = ", ".join(f"{name} ({state})" for name, state in states.items())
        moves = {move.session: move for move in self._beginner.moves("swap", moving, wanted)}
        cost, to = swap.bill([*moves.values()]), " and ".join(swap.targets(wanted.target, [*moves.values()]))
        weighed = policy.weigh(self._beginner.accounts(), self._beginner.rules())
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

    def _restore(self, order: Order) -> str:
        """Begin to bring back what crashed, or say what would be."""
        judged = self._restorer.by_order(order.args.sessions)
        wanted = [one for one in judged if one.verdict.act == "restore"]
        if wanted and not order.args.dry_run:
            return self._beginner.begin_restore(wanted, f"ordered by {order.by}", order.id)
        moves = self._beginner.moves("restore", [one.placement for one in wanted], going(wanted, ""))
        parts = self._restorer.planned(judged, moves)
        refused = not wanted and any(one.verdict.act == "refuse" for one in judged)
        sentence = summed_up(parts) if wanted else f"nothing to restore; {summed_up(parts)}"
        self._answer(order, "refused" if refused else "done", sentence, {"sessions": parts})
        return sentence
