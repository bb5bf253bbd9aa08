"""What a person would type at the command line of a made-up host, beside everything else that goes on."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from failover.sim.world import World

UP = ("up", "--wait", "60")
#: How often a command that must succeed is given: the control plane may be away each time.
TRIES = 30
_COMMAND = 120.0


class Operator:
    """Gives commands, and notes what became of each."""

    def __init__(self, world: World, note: Callable[[str], None]) -> None:
        self._world, self._note = world, note
        self._threads = ThreadPoolExecutor(16, thread_name_prefix="operator")
        self._working: list[Future[object]] = []
        self._closed = False

    @property
    def busy(self) -> bool:
        """Say whether something that was begun has not ended."""
        self._working = [one for one in self._working if not one.done()]
        return bool(self._working)

    def beside(self, work: Callable[[], object]) -> None:
        """Do something beside the run."""
        if not self._closed:
            self._working.append(self._threads.submit(work))

    def order(self, *arguments: str, tries: int = 1) -> None:
        """Give a command and do not wait for it."""
        self.beside(lambda: self.give(*arguments, tries=tries))

    def give(self, *arguments: str, tries: int = 1) -> int:
        """Give a command, once a second until it succeeds; return its exit code."""
        code, said = 1, ""
        for attempt in range(tries):
            if self._closed:
                break
            if attempt:
                time.sleep(1)
            with contextlib.suppress(Exception):  # it took too long, or could not even be started
                done = self._world.cli(*arguments, check=False, timeout=_COMMAND)
                code, said = done.returncode, (done.stdout + done.stderr).strip()
            # A daemon that runs already was started by nobody but us.
            if code == 0 or (arguments[0] == "up" and "already runs" in said):
                code = 0
                break
        last = said.splitlines()[-1] if said else ""
        self._note(f"claude-failover {' '.join(arguments)}: exit {code}: {last}"[:300])
        return code

    def close(self) -> None:
        """Begin nothing any more, and wait for what was begun."""
        self._closed = True
        self._threads.shutdown(wait=True, cancel_futures=True)

    def put_right(self) -> list[str]:
        """Make sure that the daemon runs, not paused, and every session; return what could not be done."""
        wanted = (UP, ("resume",), ("sessions", "launch"))
        return [
            f"claude-failover {' '.join(arguments)} failed {TRIES} times"
            for arguments in wanted
            if self.give(*arguments, tries=TRIES)
        ]
