"""The live view, to look at: textual draws, the store tells, the bus rings."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
from typing import ClassVar

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.events import Click, Resize
from textual.widgets import Input, Static

from failover.cli.shared import Cli
from failover.errors import FailoverError
from failover.http.views import SessionView
from failover.top import draw
from failover.top.doorbell import Doorbell
from failover.top.snapshot import Reader, Snapshot

#: Without a ring the store is looked at so often, and clocks go on (seconds).
_TICK = 2.0
#: So many lines are left to the last events: of every so many rows of the terminal, one.
_EVENTS_OF = 6
#: What reading the store may raise; the view stays, says so and looks again.
UNREADABLE = (FailoverError, sqlite3.Error)


class View(App[None]):
    """The pool, live, to look at."""

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
        Binding("slash", "filter", "filter"),
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
        self.cli = cli
        self._reader = Reader(cli.config, cli.store)
        self.snapshot: Snapshot | None = None
        self._trouble = ""
        self._chosen = ""  # a session's name, so that it stays chosen when the list changes
        self._words = ""
        self._first_row = 0
        self._asked = False
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
            self.snapshot, self._trouble = self._reader.read(), ""
            self.tell_results()
        except UNREADABLE as error:
            self._trouble = str(error)
        self.draw()

    def tell_results(self) -> None:
        """Say what became of what was ordered; called at each look."""

    def on_resize(self, event: Resize) -> None:
        """Draw for the new size."""
        self.draw()

    def shown(self) -> list[SessionView]:
        """Return the sessions that are shown."""
        if self.snapshot is None:
            return []
        words = self._words.lower().split()
        tasks, found = self.snapshot.tasks, []
        for one in self.snapshot.status.sessions:
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
        if self.snapshot is None or not self.size.height:
            return
        now, width, height = time.time(), self.size.width, self.size.height
        told, shown, one = self.snapshot, self.shown(), self.chosen()
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
