"""The live view itself: textual draws, the store tells, the bus rings."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import Mapping
from typing import Any, ClassVar

from rich.text import Text
from textual import work
from textual.app import App, ComposeResult, SuspendNotSupported
from textual.binding import Binding, BindingType
from textual.events import Click, Resize
from textual.widgets import Input, Static

from failover.cli.shared import Cli, printable
from failover.errors import FailoverError
from failover.http.views import SessionView
from failover.store import orders
from failover.top import draw, hands
from failover.top.dialogs import Choice, Confirm, Page
from failover.top.doorbell import Doorbell
from failover.top.snapshot import Reader, Snapshot

#: Without a ring the store is looked at so often, and clocks go on (seconds).
_TICK = 2.0
#: So many lines are left to the last events: of every so many rows of the terminal, one.
_EVENTS_OF = 6
#: What reading the store may raise; the view stays, says so and looks again.
_UNREADABLE = (FailoverError, sqlite3.Error)

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


class Top(App[None]):
    """The pool, live."""

    TITLE = "claude-failover top"
    ENABLE_COMMAND_PALETTE = False
    AUTO_FOCUS = None  # the keys are the view's own until a filter is asked for
    CSS = """
    Screen { layout: vertical; overflow: hidden; }
    Static { height: auto; width: 100%; }
    #sessions { height: 1fr; }
    #keys { dock: bottom; height: 1; text-style: reverse; }
    #filter { dock: bottom; height: 1; border: none; display: none; }
    #filter.shown { display: block; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "swap", "swap"),
        Binding("p", "pause", "pause"),
        Binding("a", "attach", "attach"),
        Binding("r", "restart", "restart"),
        Binding("t", "retry", "retry"),
        Binding("w", "why", "why"),
        Binding("slash", "filter", "filter"),
        Binding("question_mark", "help", "help"),
        Binding("q", "quit", "quit"),
        Binding("escape", "unfilter", show=False),
        Binding("up,k", "choose(-1)", show=False),
        Binding("down,j", "choose(1)", show=False),
        Binding("pageup", "choose(-10)", show=False),
        Binding("pagedown", "choose(10)", show=False),
        Binding("home", "choose(-10000)", show=False),
        Binding("end", "choose(10000)", show=False),
    ]

    def __init__(self, cli: Cli) -> None:
        super().__init__(ansi_color=True)
        self._cli = cli
        self._reader = Reader(cli.config, cli.store)
        self._snapshot: Snapshot | None = None
        self._trouble = ""
        self._chosen = ""  # a session's name, so that it stays chosen when the list changes
        self._words = ""
        self._first_row = 0
        self._asked = False
        self._followed: dict[int, str] = {}
        self._drawn: dict[str, Text] = {}
        self._events: asyncio.AbstractEventLoop
        self._bell = Doorbell(cli.config.paths.bus_out, self._rung)

    def compose(self) -> ComposeResult:
        """Make the parts, from the top down."""
        for name in ("head", "accounts", "policy", "sessions", "swap", "queue", "events"):
            yield Static(id=name)
        yield Static(id="keys")
        yield Input(id="filter", placeholder="only sessions with these words; Enter keeps, Esc shows all", compact=True)

    def on_mount(self) -> None:
        """Begin to look."""
        self._events = asyncio.get_running_loop()
        self.query_one("#filter", Input).can_focus = False
        self.look()
        self._bell.start()
        self.set_interval(_TICK, self.look)

    def on_unmount(self) -> None:
        """Stop hearing the bus."""
        self._bell.stop()

    def _rung(self) -> None:
        # From the doorbell's thread. While a session is attached nobody looks: rings must not pile up meanwhile.
        if not self._asked:
            self._asked = True
            with contextlib.suppress(RuntimeError):  # the view was just closed
                self._events.call_soon_threadsafe(self.look)

    # -- looking and drawing ---------------------------------------------------------------------------

    def look(self) -> None:
        """Read the store and draw what is new."""
        self._asked = False
        try:
            self._snapshot, self._trouble = self._reader.read(), ""
            self._tell_results()
        except _UNREADABLE as error:
            self._trouble = str(error)
        self.draw()

    def on_resize(self, event: Resize) -> None:
        """Draw for the new size."""
        self.draw()

    def shown(self) -> list[SessionView]:
        """Return the sessions that are shown."""
        if self._snapshot is None:
            return []
        words = self._words.lower().split()
        tasks, found = self._snapshot.tasks, []
        for one in self._snapshot.status.sessions:
            text = " ".join((one.name, one.account, one.state, tasks.get(one.name, ""), one.project)).lower()
            if all(word in text for word in words):
                found.append(one)
        return found

    def chosen(self) -> SessionView | None:
        """Return the session that keys act on."""
        found = self.shown()
        return next((one for one in found if one.name == self._chosen), found[0] if found else None)

    def draw(self) -> None:
        """Draw what is known, and only what differs from what is drawn."""
        if self._trouble:
            self._put("head", Text(f" the store cannot be read: {self._trouble}"[: self.size.width], style="bold red"))
        if self._snapshot is None or not self.size.height:
            return
        now, width, height = time.time(), self.size.width, self.size.height
        told, shown, one = self._snapshot, self.shown(), self.chosen()
        events = max(2, height // _EVENTS_OF)
        parts = [] if self._trouble else [("head", [draw.head(told, now, width)])]
        swap = draw.swap_line(told, now, width)
        accounts = draw.account_lines(told.status.accounts, now, width)[: max(3, height // 3)]
        lines = draw.event_lines(told.lines, events, width)
        rows = max(2, height - len(accounts) - 4 - (swap is not None) - len(lines))
        place = shown.index(one) if one is not None else 0
        self._first_row = max(0, min(place - (rows - 1) // 2, len(shown) - (rows - 1)))
        count = f"{len(shown)} of {len(told.status.sessions)}"
        only = f"only {self._words!r}: {count} sessions (Esc: all)" if self._words else ""
        parts += [
            ("accounts", accounts),
            ("policy", [draw.policy_line(told, width)]),
            ("sessions", draw.session_lines(told, shown, place, rows, now, width)),
            ("swap", [swap] if swap is not None else []),
            ("queue", [draw.queue_line(told, width, only)]),
            ("events", lines),
        ]
        for name, text in parts:
            self._put(name, Text("\n").join(text))
        paused = "resume" if told.status.paused_by else "pause"
        keys = f" s swap  p {paused}  a attach  r restart  t retry  w why  / filter  ? help  q quit"
        if len(keys) > width:
            keys = f" s swap  p {paused}  a attach  ? more keys  q quit"
        self._put("keys", Text(keys[:width], no_wrap=True))

    def _put(self, name: str, text: Text) -> None:
        if self._drawn.get(name) != text:
            self._drawn[name] = text
            part = self.screen_stack[0].query_one(f"#{name}", Static)
            part.display = bool(text.plain)
            part.update(text)

    # -- choosing --------------------------------------------------------------------------------------

    def action_choose(self, by: int) -> None:
        """Move the choice by so many sessions."""
        found, one = self.shown(), self.chosen()
        if one is not None:
            place = max(0, min(len(found) - 1, found.index(one) + by))
            self._chosen = found[place].name
            self.draw()

    def on_click(self, event: Click) -> None:
        """Choose the session that was clicked."""
        if event.widget is not None and event.widget.id == "sessions":
            row = int(event.screen_y) - event.widget.region.y - 1  # below the head
            found, place = self.shown(), self._first_row + row
            if row >= 0 and place < len(found):
                self._chosen = found[place].name
                self.draw()

    def action_filter(self) -> None:
        """Ask for the words."""
        box = self.query_one("#filter", Input)
        box.can_focus = True
        box.add_class("shown")
        box.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter while it is typed."""
        self._words = event.value
        self.draw()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Keep the words and give the keys back."""
        self._close_filter()

    def action_unfilter(self) -> None:
        """Show all sessions again."""
        self.query_one("#filter", Input).value = ""
        self._words = ""
        self._close_filter()
        self.draw()

    def _close_filter(self) -> None:
        box = self.query_one("#filter", Input)
        box.remove_class("shown")
        self.screen.set_focus(None)
        box.can_focus = False

    # -- acting ----------------------------------------------------------------------------------------

    def say(self, text: str, severity: Any = "information") -> None:
        """Tell something for a while. severity: information, warning or error."""
        self.notify(text, severity=severity, timeout=8 if severity == "information" else 15, markup=False)

    async def _place(self, verb: str, args: Mapping[str, Any]) -> None:
        """Place an order and follow it; what is wrong is said."""
        try:
            answer = await asyncio.to_thread(hands.place, self._cli, verb, args)
        except FailoverError as error:
            self.say(str(error), "error")
            return
        self.say(str(answer["sentence"]))
        if number := int(answer.get("order", 0)):
            self._followed[number] = verb
        self.look()

    def _tell_results(self) -> None:
        for number, verb in list(self._followed.items()):
            result = orders.result(self._cli.store, number)
            if result is not None:
                del self._followed[number]
                self.say(f"{verb}: {result.sentence}", "information" if result.outcome == "done" else "error")

    @work
    async def action_swap(self) -> None:
        """Choose a target, see what it would cost, confirm."""
        if self._snapshot is None:
            return
        one = self.chosen()
        accounts = self._snapshot.status.accounts
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
            plan = await asyncio.to_thread(hands.dry_run, self._cli, args)
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
        if self._snapshot is not None:
            await self._place("resume" if self._snapshot.status.paused_by else "pause", {})

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
            rows = self._cli.store.query(
                "SELECT id, name, project FROM tasks WHERE state = 'failed' ORDER BY finished_ms DESC LIMIT 50"
            )
        except _UNREADABLE as error:
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
            said = hands.attach(self._cli.config.tmux.socket, one.name, self.suspend)
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
            told = why(self._cli.config, self._cli.store)
        except _UNREADABLE as error:
            self.say(str(error), "error")
        else:
            self.push_screen(Page("Why", explained(told, time.time(), columns)))

    def action_help(self) -> None:
        """Show the keys."""
        self.push_screen(Page("Keys", HELP))
