"""account-switcher: the only role that starts and stops the binary. One swap at a time, under a file lock."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

from failover.claude import auth, kinds
from failover.core import policy
from failover.core.move import AWAY, BEFORE_DEATH
from failover.core.session import GO_ON, SessionState
from failover.errors import FailoverError
from failover.events import HOOKS_OF_TURNS, Envelope, HookReceived
from failover.host import process
from failover.host.lock import RoleLock
from failover.host.tmux import Tmux
from failover.runtime import Host, run
from failover.store import flags, orders, swaps
from failover.store.swaps import SwapRow
from failover.switcher.adopting import Adopter
from failover.switcher.beginning import Beginner
from failover.switcher.engine import Engine
from failover.switcher.launcher import Launcher
from failover.switcher.orders import OrderDesk
from failover.switcher.requests import RequestDesk
from failover.switcher.restoring import Restorer
from failover.switcher.starting import Starter

#: How often an open swap is looked at when nothing rings (seconds). Boundaries, deaths and first steps ring at once.
_WHILE_OPEN = 0.25
_AT_REST = 5.0
#: How soon after a swap began each hook is heard, so that a boundary rings (seconds).
_DEAF_FOR = 0.5
#: `claude auth status` takes 0.15–0.3 s on a quiet host; beside twenty sessions at work on two cores 0.6 to 6.5 s, and
#: once over 15 (measured on 2.1.330): a full host must not be taken for an account that does not answer (seconds).
_PREFLIGHT_TIMEOUT = 60.0
#: How long the lock of a predecessor that is just ending is waited for (seconds).
_LOCK_WAIT = 2.0
#: A target whose login ends sooner than this is none (seconds).
_LOGIN_LASTS = 3600.0
_WANTED = ("operator.", "usage.swap-wanted", "task.fresh-wanted")
#: What may begin a swap, or change what a session is placed on. What sessions do is none of its affair.
_AT_REST_HEARS = (*_WANTED, "hook.received/SessionStart", "session.changed/exited")
#: In an open swap that is all that sessions do, but that they go on: at the end of a batch of tools one can be held, at
#: the beginning of a tool one that was moved is seen to answer. Of the end of a process its descriptor tells.
_IN_SWAP_HEARS = (
    *_WANTED,
    *(hook for hook in HOOKS_OF_TURNS if hook != "hook.received/SessionEnd"),
    "hook.received/PostToolBatch",
    "hook.received/PreToolUse",
    *(f"session.changed/{state}" for state in get_args(SessionState) if state not in GO_ON),
)


class AccountSwitcher:
    """Takes up orders and requests; drives the open swap to its end."""

    name = "account-switcher"

    def __init__(self, host: Host) -> None:
        self._config, self._store, self._clock = host.config, host.store, host.clock
        tmux = Tmux(host.config.tmux.socket)
        self._launcher = Launcher(host.config, tmux)
        self._starter = Starter(host.config, host.store, host.clock, self._launcher)
        beginner = Beginner(host.config, host.store, host.clock, self._launcher)
        restorer = Restorer(host.config, host.store, host.clock, self._launcher)
        adopter = Adopter(host.config, host.store, self._launcher)
        self._orders = OrderDesk(host.config, host.store, beginner, self._starter, restorer, adopter)
        self._requests = RequestDesk(host.config, host.store, beginner, restorer)
        self._engine = Engine(host.config, host.store, host.clock, tmux, self._launcher)
        # Beside the conversations: two daemons that share a tree share this lock, whatever their state dirs. It is held
        # for life, so that the second daemon says at once why it cannot run.
        self._lock = RoleLock(host.config.shared_dir / ".claude-failover.lock")
        self._lock.acquire(wait=_LOCK_WAIT)
        self._checked: dict[tuple[int, str], str] = {}  # (swap, target) → what speaks against it
        self._open, self._deaf_until, self._looked = False, 0.0, 0.0

    @property
    def topics(self) -> tuple[str, ...]:
        """Return what wakes it now."""
        return _IN_SWAP_HEARS if self._open else _AT_REST_HEARS

    def cycle(self, heard: Sequence[Envelope]) -> str:
        """Do what can be done now."""
        now, deaf = self._clock.monotonic(), self._clock.monotonic() < self._deaf_until
        if heard and self._open and not deaf and now - self._looked < _WHILE_OPEN and all(map(self._passes, heard)):
            return ""
        self._hear(heard)
        paused = flags.paused(self._store) is not None
        sentences: list[str] = []
        row = swaps.open_swap(self._store)
        if row is None:
            sentences += self._take_up(paused)
            row = swaps.open_swap(self._store)
        else:
            sentences += self._turn_away(row)
        if row is not None:
            sentences.append(self._drive(row, paused))
        was, self._open = self._open, swaps.open_swap(self._store) is not None
        if self._open and not was:
            self._deaf_until = self._clock.monotonic() + _DEAF_FOR
        if was and not self._open:
            process.give_back_free()
        self._looked = self._clock.monotonic()
        return "; ".join(filter(None, sentences)) or ("paused" if paused else "nothing to do")

    def wake_after(self) -> float:
        """Return the seconds until the next look."""
        return self._looked + _WHILE_OPEN - self._clock.monotonic() if self._open else _AT_REST

    def descriptors(self) -> Sequence[int]:
        """Return the pidfds of processes that are being stopped."""
        return self._engine.descriptors()

    def close(self) -> None:
        """Let the lock go; an open swap is found again by looking."""
        self._lock.release()

    def _hear(self, heard: Sequence[Envelope]) -> None:
        """Have those looked at of which something was heard: everybody while not every hook is heard yet."""
        named = {str(getattr(one.event, "session", "")) for one in heard}
        self._engine.hear(None if self._clock.monotonic() < self._deaf_until else named)

    def _passes(self, told: Envelope) -> bool:
        """Say whether a session works on where it is: it is at no boundary where it is not held, and only of one that
        was moved is its next step awaited."""
        event = told.event
        if not isinstance(event, HookReceived):
            return False
        prompt = self._engine.returning.get(event.session)
        if prompt is not None:
            return event.hook == "SessionStart" and bool(prompt)  # that it takes its prompt comes next
        return event.hook == "PreToolUse" or (event.hook == "PostToolBatch" and not event.held)

    def _take_up(self, paused: bool) -> list[str]:
        # What an earlier switcher started and could not note, and which sessions went on to other conversations.
        done = [self._starter.take_in(), self._starter.follow()]
        if begun := self._requests.follow_up(paused):
            return [*done, begun]
        for order in orders.pending(self._store):
            done.append(self._orders.take_order(order, paused))
            if swaps.open_swap(self._store):
                return done
        if begun := self._requests.restore_lost(paused):
            done.append(begun)
            if swaps.open_swap(self._store):
                return done
        # Only the newest request tells what is wanted now.
        if requests := swaps.unserved_requests(self._store):
            done.append(self._requests.take_request(requests[-1], paused))
        if swaps.open_swap(self._store) is None:
            done.append(self._requests.take_fresh(paused))
        return done

    def _turn_away(self, row: SwapRow) -> list[str]:
        """Answer orders that cannot wait for the open swap's end: a second swap is refused, not queued.

        The start of a new conversation is over in a second or two, and nobody ordered it: that is waited for.
        """
        if row.kind == "fresh":
            return []
        waiting = [order for order in orders.pending(self._store) if order.verb == "swap" and order.id != row.order_id]
        for order in waiting:
            with self._store.transaction() as tx:
                sentence = f"swap {row.id} is under way; one runs at a time; see: claude-failover swaps"
                orders.finish(tx, order.id, self._store.now_ms(), "refused", sentence)
        return [f"refused order {order.id}: swap {row.id} is under way" for order in waiting]

    def _drive(self, row: SwapRow, paused: bool) -> str:
        moves = swaps.moves(self._store, row.id)
        targets = list(dict.fromkeys(move.target for move in moves if move.state in BEFORE_DEATH)) or [row.target]
        if self._check(row, targets, paused):
            moves = swaps.moves(self._store, row.id)
        refused = swaps.refused(row, moves)
        preflight: dict[str, str | None] = {}
        for target in targets:
            against = self._checked[row.id, target]
            if not against and target in refused:
                against = f"{target} could not serve a session that was moved to it"
            if against and not paused and (other := self._instead(row, target)):
                self._engine.retarget(row, target, other, against)
                return f"swap {row.id} goes to {other} now, since {against}"
            if against and target not in row.tried:
                row = self._engine.rule_out(row, target)
            preflight[target] = against
        return self._engine.drive(row, moves, preflight, paused)

    def _check(self, row: SwapRow, targets: Sequence[str], paused: bool) -> bool:
        """Look at those targets that were not looked at in this swap; say whether there were any."""
        self._checked = {key: against for key, against in self._checked.items() if key[0] == row.id}
        new = [target for target in targets if (row.id, target) not in self._checked]
        for target in new:
            # What was stopped already must not wait for the look at a target, and nobody is held until it is over.
            moves = swaps.moves(self._store, row.id)
            if any(move.state in AWAY for move in moves):
                self._engine.drive(row, moves, {name: self._checked.get((row.id, name)) for name in targets}, paused)
            self._checked[row.id, target] = self._unusable(row, target)
        return bool(new)

    def _instead(self, row: SwapRow, target: str) -> str:
        """Return another target for the moves that wait, empty when there is none, or when it is not ours to choose."""
        moves = swaps.moves(self._store, row.id)
        waiting = [move for move in moves if move.state in BEFORE_DEATH and move.target == target]
        order = orders.get(self._store, row.order_id) if row.order_id else None
        if (
            row.kind not in ("swap", "restore")
            or row.urgency == "idle"
            or not waiting
            or (order is not None and order.args.to)
        ):
            return ""
        refused, scene = swaps.refused(row, moves) | {target}, self._engine.scene()
        found = policy.instead(waiting[0].source, scene.accounts, refused, scene.rules)
        return found.name if found else ""

    def _unusable(self, row: SwapRow, target: str) -> str:
        """Return why a target cannot be moved to, empty when nothing speaks against it."""
        moves = [move for move in swaps.moves(self._store, row.id) if move.target == target]
        if row.kind not in ("swap", "restore") or not any(move.state in BEFORE_DEATH for move in moves):
            return ""
        try:
            self._launcher.make_whole(target)
            found, account = self._login(target), self._config.account(target)
            if not found.logged_in:
                mend = f"log in with: CLAUDE_CONFIG_DIR={account.config_dir} claude /login"
                mend = f"see what stands in {account.env_file}" if account.env_file else mend
                return f"the target {target} is not logged in; {mend}"
            if against := kinds.objection(account.login, found.auth_method, found.provider):
                return f"the target {target}: {against}"
            expires = found.login_expires_at
            if expires is not None and expires - self._clock.epoch() < _LOGIN_LASTS:
                return f"the login of the target {target} is about to expire; log in anew"
            sources = {move.source for move in moves} - {target}
            for source in sorted(sources) if found.identity else ():
                if self._login(source).identity == found.identity:
                    return f"{source} and {target} are one and the same login; see: claude-failover accounts check"
        except FailoverError as error:
            return f"the target {target} cannot be used: {error}"
        return ""

    def _login(self, account: str) -> auth.AuthStatus:
        one, claude = self._config.account(account), self._config.claude
        return auth.status(claude.command, one.config_dir, claude.env, one.login, timeout=_PREFLIGHT_TIMEOUT)


def main() -> None:
    """Run the role."""
    run("account-switcher", AccountSwitcher)


if __name__ == "__main__":
    main()
