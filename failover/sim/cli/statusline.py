"""The status line command: run at the start and 300 ms after a change, with the session's state on stdin."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Callable
from typing import Any

_DEBOUNCE = 0.3
_TIMEOUT = 5.0


class StatusLine:
    """A thread that runs the command; without one it does nothing."""

    def __init__(
        self, setting: dict[str, Any] | None, state: Callable[[], dict[str, Any]], show: Callable[[str], None]
    ) -> None:
        self._setting = setting or {}
        self._state = state
        self._show = show
        self._changed = threading.Event()

    def start(self) -> None:
        """Run it once now and then at each change."""
        if self._setting.get("command"):
            threading.Thread(target=self._loop, daemon=True).start()

    def changed(self) -> None:
        """Take note that the session's state changed."""
        self._changed.set()

    def _loop(self) -> None:
        every = self._setting.get("refreshInterval")
        while True:
            self._changed.clear()
            self._run()
            self._changed.wait(None if every is None else float(every))
            if self._changed.is_set():
                threading.Event().wait(_DEBOUNCE)

    def _run(self) -> None:
        body = json.dumps(self._state()).encode()
        try:
            done = subprocess.run(
                ["sh", "-c", str(self._setting["command"])], input=body, capture_output=True, timeout=_TIMEOUT
            )
        except (OSError, subprocess.TimeoutExpired):
            return
        if done.returncode == 0:
            self._show(done.stdout.decode("utf-8", "replace").rstrip("\n"))
