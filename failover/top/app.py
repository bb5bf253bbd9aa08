"""The live view with its keys: what they order goes to the daemon, as the verbs' orders do."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any, ClassVar

from textual import work
from textual.app import SuspendNotSupported
from textual.binding import Binding, BindingType

from failover.cli.shared import Cli, printable
from failover.errors import FailoverError
from failover.store import orders
from failover.top import hands
from failover.top.dialogs import Choice, Confirm, Page
from failover.top.view import UNREADABLE, View

HELP = """\
↑ ↓ PgUp PgDn Home End   choose a session
s   swap: choose a target, see the bill, confirm
p   pause, or resume when paused
a   attach to the chosen session (detach with your tmux prefix and d)
r   restart the chosen session on its account, at its next boundary
t   try a failed task again
w   why: the last decision, and what would change it
/   show only sessions with these words in name, account, state, task (Esc: all)
?   this page        q   quit; the pool goes on

accounts   on: sessions on it; │ in a bar: the threshold; !: reached;
           ↻: its reset; ·····: not known
sessions   ctx: how full its context is; ▰▰▱: how far its move is
"""


class Top(View):
    """The pool, live, to act on."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "swap", "swap"),
        Binding("p", "pause", "pause"),
        Binding("a", "attach", "attach"),
        Binding("r", "restart", "restart"),
        Binding("t", "retry", "retry"),
        Binding("w", "why", "why"),
        Binding("question_mark", "help", "help"),
    ]

    def __init__(self, cli: Cli) -> None:
        super().__init__(cli)
        self._followed: dict[int, str] = {}

    def say(self, text: str, severity: Any = "information") -> None:
        """Tell something for a while. severity: information, warning or error."""
        self.notify(text, severity=severity, timeout=8 if severity == "information" else 15, markup=False)

    async def _place(self, verb: str, args: Mapping[str, Any]) -> None:
        """Place an order and follow it; what is wrong is said."""
        try:
            answer = await asyncio.to_thread(hands.place, self.cli, verb, args)
        except FailoverError as error:
            self.say(str(error), "error")
            return
        self.say(str(answer["sentence"]))
        if number := int(answer.get("order", 0)):
            self._followed[number] = verb
        self.look()

    def tell_results(self) -> None:
        """Say what became of the orders that were placed here."""
        for number, verb in list(self._followed.items()):
            result = orders.result(self.cli.store, number)
            if result is not None:
                del self._followed[number]
                self.say(f"{verb}: {result.sentence}", "information" if result.outcome == "done" else "error")

    @work
    async def action_swap(self) -> None:
        """Choose a target, see what it would cost, confirm."""
        if self.snapshot is None:
            return
        one = self.chosen()
        accounts = self.snapshot.status.accounts
        targets = [("", "where the policy would go")]
        targets += [(a.name, f"{a.name}: {a.against or 'could take sessions'}") for a in accounts]
        target = await self.push_screen_wait(Choice("Move sessions to …", targets))
        if target is None:
            return
        sessions: list[str] = []
        if one is not None:
            whom = [("all", "all that run"), ("one", f"only {one.name}")]
            who = await self.push_screen_wait(
                Choice(f"Which sessions go to {target or 'where the policy goes'}?", whom)
            )
            if who is None:
                return
            sessions = [one.name] if who == "one" else []
        args = {"to": target, "sessions": sessions}
        try:
            plan = await asyncio.to_thread(hands.dry_run, self.cli, args)
        except FailoverError as error:
            self.say(str(error), "error")
            return
        if plan.outcome != "done":
            self.say(plan.sentence, "warning")
        elif await self.push_screen_wait(Confirm("This is what would be done", plan.sentence)):
            await self._place("swap", args)

    @work
    async def action_pause(self) -> None:
        """Pause, or resume."""
        if self.snapshot is not None:
            await self._place("resume" if self.snapshot.status.paused_by else "pause", {})

    @work
    async def action_restart(self) -> None:
        """Restart the chosen session."""
        one = self.chosen()
        if one is None:
            return
        text = (
            f"{one.name} is {one.state} on {one.account or '-'}. It is stopped at its next boundary and resumed there."
        )
        if await self.push_screen_wait(Confirm(f"Restart {one.name}?", text)):
            await self._place("restart", {"sessions": [one.name]})

    @work
    async def action_retry(self) -> None:
        """Try a failed task again."""
        try:
            rows = self.cli.store.query(
                "SELECT id, name, project FROM tasks WHERE state = 'failed' ORDER BY finished_ms DESC LIMIT 50"
            )
        except UNREADABLE as error:
            self.say(str(error), "error")
            return
        if not rows:
            self.say("no task has failed")
            return
        options = [(str(row["id"]), printable(f"{row['id']}  {row['name']}  {row['project']}")) for row in rows]
        chosen = await self.push_screen_wait(Choice("Try which task again?", options))
        if chosen is not None:
            await self._place("retry", {"task": int(chosen)})

    def action_attach(self) -> None:
        """Show the chosen session; the view waits behind it."""
        one = self.chosen()
        if one is None:
            return
        try:
            said = hands.attach(self.cli.config.tmux.socket, one.name, self.suspend)
        except SuspendNotSupported:
            self.say("this terminal cannot be given away; attach from another one", "warning")
        except FailoverError as error:
            self.say(str(error), "error")
        else:
            if said:
                self.say(said)
        self.refresh(layout=True)

    def action_why(self) -> None:
        """Explain the last decision."""
        from failover.cli.why import explained
        from failover.http.why_view import why

        columns = max(40, min(96, int(self.size.width * 0.9) - 6))
        try:
            told = why(self.cli.config, self.cli.store)
        except UNREADABLE as error:
            self.say(str(error), "error")
        else:
            self.push_screen(Page("Why", explained(told, time.time(), columns)))

    def action_help(self) -> None:
        """Show the keys."""
        self.push_screen(Page("Keys", HELP))
