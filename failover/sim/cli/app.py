"""One interactive session from start to end: dialogs before it, keys and signals while it lives, an orderly exit."""

from __future__ import annotations

import contextlib
import os
import re
import select
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

from failover.sim.cli.hooks import Hooks
from failover.sim.cli.loop import Loop
from failover.sim.cli.options import Home, Options, Problem, Settings
from failover.sim.cli.registry import Registry
from failover.sim.cli.screen import Dialog, Keys, Screen
from failover.sim.cli.session import Session

_SIGNALS = {signal.SIGTERM: 143, signal.SIGINT: 0, signal.SIGHUP: 129}  # exit codes as measured on 2.1.330
_TICK = 0.96
_IDLE_NOTICE = 60.0
#: How much of what is typed stands in one line of the prompt box (columns).
_LINE = 76
#: After a SIGTERM the real one tells a held command hook to end: one process is gone in 0.15 s, but a child of the hook
#: that lives on keeps it alive for 1.2 s (both measured on 2.1.330).
_HOOK_GRACE, _HOOK_WAIT = 0.15, 1.2


class App:
    """A session in a terminal."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._home = Home.here()
        self._screen = Screen()
        self._keys = Keys()
        self._pasted = False
        self._idle_since = time.monotonic()
        path = self._home.transcript(options.conversation)
        if options.resume and not _has_message(path):
            raise Problem(f"No conversation found with session ID: {options.conversation}")
        if not options.resume and path.exists():
            raise Problem(f"Error: Session ID {options.conversation} is already in use.")
        self._settings = Settings.read(self._home, options.settings)
        if options.mode == "bypassPermissions" and os.geteuid() == 0 and os.environ.get("IS_SANDBOX") != "1":
            raise Problem("--dangerously-skip-permissions cannot be used with root/sudo privileges")
        if not os.isatty(0):
            raise Problem("Error: Input must be provided either through stdin or as a prompt argument")

    def run(self) -> int:
        """Run until the session ends; return the exit code."""
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        for number in _SIGNALS:
            signal.signal(number, lambda *_: None)
        self._wake = reader
        self._screen.start()
        problem = self._gates()
        if problem is not None:
            self._screen.stop(problem + "\n")
            return 1
        session = self._session = Session(self._options, self._home, self._settings, self._screen)
        mode = self._options.mode
        self._screen.footer = "bypass permissions on" if mode == "bypassPermissions" else f"{mode} mode"
        session.registry = Registry(
            self._home.config_dir, self._options.conversation, self._home.cwd, self._options.version
        )
        self._screen.name = self._home.cwd.name
        session.note("start", resume=self._options.resume, argv=self._options.arguments)
        source: dict[str, Any] = {"source": "startup", "model": self._options.model}
        if self._options.resume:
            session.transcript.load()
            source = {"source": "resume"}
        session.hook("SessionStart", **source)
        self._loop = Loop(session, self._options.resume)
        threading.Thread(target=self._loop.run, daemon=True).start()
        session.status_line.start()
        session.show_status()
        if self._options.prompt is not None:
            self._loop.submit(self._options.prompt)
        return self._live()

    def _gates(self) -> str | None:
        """Show the questions of a first start; return why the session may not start, None when it may."""
        state = self._home.state()
        if not state.get("hasCompletedOnboarding"):
            self._choose(["Welcome to Claude Code", " Let's get started."], ["Choose a text style"])
            return "Claude Code's first start was not finished."
        if not self._home.trusted():
            lines = [" Accessing workspace:", f" {self._home.cwd}", " Is this a project you created or one you trust?"]
            if self._choose(lines, ["No, exit", "Yes, I trust this folder"]) != 1:
                return "Claude Code didn't start because this folder isn't trusted."
            self._home.trust()
        bypass = self._options.mode == "bypassPermissions"
        if bypass and not self._settings.values.get("skipDangerousModePermissionPrompt"):
            lines = ["WARNING: Claude Code running in Bypass Permissions mode"]
            if self._choose(lines, ["No, exit", "Yes, I accept"]) != 1:
                return "Bypass Permissions mode was not accepted."
        return None

    def _choose(self, lines: list[str], options: list[str]) -> int:
        dialog = self._screen.dialog = Dialog(lines, options, done=threading.Event())
        assert dialog.done is not None
        self._screen.draw()
        while not dialog.done.is_set():
            ended = self._wait(None)
            if ended is not None:
                dialog.answer = -1
                break
        self._screen.dialog = None
        return -1 if dialog.answer is None else dialog.answer

    def _live(self) -> int:
        session = self._session
        while True:
            ended = self._wait(_TICK)
            if ended is not None:
                return self._end(ended)
            if session.screen.activity is not None:
                self._idle_since = time.monotonic()
                self._screen.frame += 1
                self._screen.draw()
            elif time.monotonic() - self._idle_since > _IDLE_NOTICE:
                self._idle_since = float("inf")
                body = {"message": "Claude is waiting for your input", "notification_type": "idle_prompt"}
                threading.Thread(target=session.hook, args=("Notification",), kwargs=body, daemon=True).start()

    def _wait(self, timeout: float | None) -> int | None:
        """Wait for keys or a signal; return an exit code where the session is to end."""
        ready, _, _ = select.select([0, self._wake], [], [], timeout)
        if self._wake in ready:
            for number in os.read(self._wake, 64):
                if number in _SIGNALS:
                    return number
        if 0 in ready:
            try:
                data = os.read(0, 65536)
            except OSError:
                data = b""
            if not data:
                return signal.SIGHUP
            for kind, text in self._keys.feed(data):
                if self._key(kind, text):
                    return signal.SIGINT
        return None

    def _key(self, kind: str, text: str) -> bool:
        """Take one key; return true where it ends the session."""
        screen = self._screen
        if screen.dialog is not None:
            self._dialog_key(screen.dialog, text)
        elif kind in ("text", "paste"):
            if kind == "paste" and (text.count("\n") >= 4 or len(text) > 1000):
                self._pasted = True
            screen.input += text
        elif text == "backspace":
            screen.input = screen.input[:-1]
        elif text == "ctrl-u":  # the line where the cursor is, as it is shown
            screen.input = screen.input[: (len(screen.input) - 1) // _LINE * _LINE]
        elif text == "escape":
            self._loop.interrupt()
        elif text in ("ctrl-c", "ctrl-d"):
            if not screen.input and not self._session.busy:
                return True
            screen.input = ""
            self._loop.interrupt()
        elif text == "enter" and screen.input.strip():
            typed, screen.input = screen.input, ""
            if typed.strip() in ("/exit", "/quit"):
                return True
            if typed.strip() == "/clear" and not self._session.busy:
                self._session.clear()
            elif typed.startswith("/"):
                screen.say(f"Unknown command: {typed.split()[0]}")
            else:
                self._loop.submit(f'<pasted_content id="1">\n{typed}\n</pasted_content>' if self._pasted else typed)
            self._pasted = False
        screen.draw()
        return False

    def _dialog_key(self, dialog: Dialog, text: str) -> None:
        if text in ("up", "down"):
            step = 1 if text == "down" else -1
            dialog.chosen = (dialog.chosen + step) % len(dialog.options)
        elif text in ("enter", "escape", "ctrl-c") and dialog.done is not None:
            dialog.answer = dialog.chosen if text == "enter" else -1
            dialog.done.set()
        self._screen.draw()

    def _end(self, number: int) -> int:
        """Leave as the real one does: registry first, then tools, SessionEnd, and the terminal last."""
        session = self._session
        session.ending = True
        assert session.registry is not None
        session.registry.remove()
        for asker in session.askers:
            asker.cut_off()
        session.shells.kill(background=True)
        self._give_up_shells(session)
        self._let_hooks_end(session.hooks)
        session.hook("SessionEnd", final=True, reason="other")
        session.transcript.flush()
        again = " ".join(["claude", "--resume", self._options.conversation])
        self._screen.stop(f"Resume this session with:\n{again}\n")
        code = _SIGNALS[signal.Signals(number)]
        session.note("exit", signal=number, code=code)
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
        os._exit(code)  # threads may still wait in hooks or requests

    @staticmethod
    def _give_up_shells(session: Session) -> None:
        for task in [t for t in session.background() if t["type"] == "shell"]:
            summary = f'Background command "{task["description"]}" was stopped'
            text = f"<task-notification>\n<task-id>{task['id']}</task-id>\n<status>killed</status>\n<summary>{summary}"
            content = f"{text}</summary>\n</task-notification>"
            session.transcript.plain("queue-operation", operation="enqueue", content=content)

    @staticmethod
    def _let_hooks_end(hooks: Hooks) -> None:
        hooks.cut_off_links()
        hooks.tell_to_end()
        if not hooks.quiet(_HOOK_GRACE):
            hooks.quiet(_HOOK_WAIT, early=False)
        hooks.cut_off(ended=True)


def _has_message(transcript: Path) -> bool:
    """Say whether there is something to resume: a transcript without a message is none, and yet in use (2.1.330)."""
    try:
        with transcript.open("rb") as lines:
            return any(re.search(rb'"type": ?"(user|assistant)"', line) for line in lines)
    except FileNotFoundError:
        return False
