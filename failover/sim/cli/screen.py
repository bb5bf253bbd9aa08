"""The pane: what was said, a prompt box, a status line, dialogs; and the keys that come back."""

from __future__ import annotations

import contextlib
import shutil
import sys
import termios
import threading
import tty
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_FRAMES = "✻✽✶✢"


@dataclass
class Dialog:
    """A question that takes the keys: lines, options, and the one that Enter takes."""

    lines: list[str]
    options: list[str]
    chosen: int = 0
    answer: int | None = None  # index of the option taken, -1 for Esc
    done: threading.Event | None = None


class Screen:
    """Draws the whole pane anew at each change; a pane is small and changes are few."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._lines: list[str] = []
        self._saved: list[Any] | None = None
        self.input = ""
        self.name = "claude"
        self.status_line = ""
        self.footer = ""
        self.activity: str | None = None
        self.queued: list[str] = []
        self.dialog: Dialog | None = None
        self.frame = 0
        self.open = False

    def start(self) -> None:
        """Take the terminal over: no echo, keys at once, bracketed paste."""
        with contextlib.suppress(termios.error):
            self._saved = termios.tcgetattr(0)
            tty.setraw(0)
        self.open = True
        self._out("\x1b[?2004h")
        self.draw()

    def stop(self, last: str = "") -> None:
        """Give the terminal back and leave a last line in it."""
        with self._lock:
            if not self.open:
                return
            self.open = False
            self._out("\x1b[?2004l\x1b[2J\x1b[H\x1b[?25h" + last.replace("\n", "\r\n"))
            if self._saved is not None:
                with contextlib.suppress(termios.error):
                    termios.tcsetattr(0, termios.TCSADRAIN, self._saved)

    def say(self, text: str) -> None:
        """Add lines to what was said."""
        with self._lock:
            self._lines += text.splitlines()
            del self._lines[:-200]
        self.draw()

    def say_more(self, text: str) -> None:
        """Add a word to the last line, as an answer streams in."""
        with self._lock:
            if not self._lines:
                self._lines.append("")
            self._lines[-1] += text
        self.draw()

    def draw(self) -> None:
        """Bring the pane up to date."""
        with self._lock:
            if not self.open:
                return
            columns, rows = shutil.get_terminal_size((80, 24))
            bottom = self._bottom(columns)
            room = max(rows - len(bottom) - 1, 1)
            body = [f" ✳  Claude Code (simulated) · {Path.cwd()}", "", *self._lines, *self._below()][-room:]
            lines = [line[:columns] for line in [*body, *[""] * (room - len(body)), *bottom]]
            glyph = "✳" if self.activity is None else "◐◑"[self.frame % 2]
            self._out(
                f"\x1b]0;{glyph} {self.name}\x07\x1b[H" + "\r\n".join(line + "\x1b[K" for line in lines) + "\x1b[J"
            )

    def _below(self) -> list[str]:
        found = []
        for text in self.queued:
            found += [f"❯ {text.splitlines()[0] if text else ''}", "  ⎿  Queued · ctrl+x ctrl+s to send now"]
        if self.activity is not None:
            found += ["", f"{_FRAMES[self.frame % len(_FRAMES)]} {self.activity}"]
        return found

    def _bottom(self, columns: int) -> list[str]:
        if self.dialog is not None:
            options = [f" {'❯' if n == self.dialog.chosen else ' '} {o}" for n, o in enumerate(self.dialog.options)]
            return ["─" * columns, *self.dialog.lines, *options, " Enter to confirm · Esc to cancel"]
        rule = "─" * columns
        typed = self.input.split("\n")
        box = ["❯\xa0" + typed[0], *["  " + line for line in typed[1:]]]
        busy = " · esc to interrupt" if self.activity is not None else ""
        status = [f"  {line}" for line in self.status_line.splitlines()]
        return [rule, *box, rule, *status, f"  ⏵⏵ {self.footer}{busy}"]

    @staticmethod
    def _out(text: str) -> None:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.write(text)
            sys.stdout.flush()


class Keys:
    """Turns bytes from the terminal into ("text", s), ("paste", s) and ("key", name)."""

    def __init__(self) -> None:
        self._pending = b""

    def feed(self, data: bytes) -> list[tuple[str, str]]:
        """Return what the bytes mean; half of a paste is kept for later."""
        self._pending += data
        found: list[tuple[str, str]] = []
        while self._pending:
            rest = self._pending
            if rest.startswith(b"\x1b[200~"):
                end = rest.find(b"\x1b[201~")
                if end < 0:
                    break
                text = rest[6:end].decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
                found.append(("paste", text))
                self._pending = rest[end + 6 :]
            elif len(rest) > 1 and b"\x1b[200~".startswith(rest):
                break  # the start of a paste, cut in the middle
            elif rest[:1] == b"\x1b" and len(rest) > 2 and rest[1:2] in b"[O":
                end = next((n for n in range(2, len(rest)) if 0x40 <= rest[n] <= 0x7E), len(rest) - 1)
                name = {"A": "up", "B": "down"}.get(chr(rest[end]), "other")
                found.append(("key", name))
                self._pending = rest[end + 1 :]
            else:
                special = {
                    0x0D: "enter",
                    0x1B: "escape",
                    0x03: "ctrl-c",
                    0x04: "ctrl-d",
                    0x15: "ctrl-u",
                    0x7F: "backspace",
                }
                if rest[0] in special:
                    found.append(("key", special[rest[0]]))
                    self._pending = rest[1:]
                else:
                    end = next((n for n, b in enumerate(rest) if b in special), len(rest))
                    found.append(("text", rest[:end].decode("utf-8", "replace")))
                    self._pending = rest[end:]
        return found
