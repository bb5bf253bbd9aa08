"""End the process of a move, and no other: by pid and start time, gently first."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence

from failover.clock import Clock
from failover.config import Config
from failover.core.move import Move
from failover.host import process
from failover.host.process import ProcessId
from failover.host.tmux import Tmux
from failover.switcher.launcher import wrapper_of
from failover.switcher.look import Scene

#: SIGTERM again after this long, SIGKILL after that (seconds; measured: SIGTERM takes up to 1.8 s).
_TERM_AGAIN = 5.0
_KILL_AFTER = 20.0
#: How long a session may take to keep what it was writing after Esc (seconds; measured: 0.1 to 0.3 s).
_ESCAPE_TAKES = 1.5


class Stopper:
    """Sends the signals of moves that are `stopping` or `leaving`, and waits for the deaths."""

    def __init__(self, config: Config, clock: Clock, tmux: Tmux) -> None:
        self._config, self._clock, self._tmux = config, clock, tmux
        self._signalled: dict[ProcessId, float] = {}  # when it was last sent a signal (monotonic)
        self._escaped: dict[int, float] = {}  # move → when Esc was pressed (monotonic)
        self._deaths: dict[int, int] = {}  # move → pidfd

    def descriptors(self) -> Sequence[int]:
        """Return the pidfds of processes whose death is awaited."""
        return list(self._deaths.values())

    def forget(self, move: Move) -> None:
        """Wait no more for a death."""
        if (descriptor := self._deaths.pop(move.id, None)) is not None:
            os.close(descriptor)

    def clear(self) -> None:
        """Forget all of a swap that is over."""
        self._signalled.clear()
        self._escaped.clear()

    def has_told(self, move: Move) -> bool:
        """Say whether this process has told the move's old process to end."""
        return ProcessId(move.pid, move.start) in self._signalled or move.id in self._escaped

    def stop(self, move: Move, scene: Scene) -> None:
        """Tell the move's process to end. It may be told again."""
        leaving = move.state == "leaving"
        target = ProcessId(move.new_pid, move.new_start) if leaving else ProcessId(move.pid, move.start)
        if move.id not in self._deaths and (descriptor := process.open_end(target)) is not None:
            self._deaths[move.id] = descriptor
        if move.carried and not leaving and self._stop_wrapper(move, target, scene):
            self._signalled[target] = self._clock.monotonic()
            return
        now = self._clock.monotonic()
        if now - self._signalled.get(target, -_TERM_AGAIN) < _TERM_AGAIN:
            return
        if move.outcome == "interrupted" and not leaving and self._is_escaping(move, scene, now):
            return
        self._signalled[target] = now
        hard = now - move.at.get(move.state, now) > _KILL_AFTER and not self._refreshes_login(move)
        process.send_signal(target, signal.SIGKILL if hard else signal.SIGTERM)

    def _stop_wrapper(self, move: Move, target: ProcessId, scene: Scene) -> bool:
        """End what the process of an adopted session was started from in its pane; say whether anything had to.

        It goes first, and at once: a script that starts the binary again when it ends would put a second process on the
        conversation. Its end takes the terminal away, and the binary ends by the hangup as it does by SIGTERM
        (measured: 0.3 to 0.7 s, with its last hook). What runs in the background of a shell goes on.
        """
        pane, wrapper = scene.panes.get(move.session), wrapper_of(move)
        if pane is None or pane.pane_id != move.pane:
            return False
        self._tmux.keep(pane.pane_id)
        if wrapper is None or pane.pid != wrapper.pid or not process.alive(wrapper):
            return False
        above = process.ancestors(target.pid)
        between = above[: above.index(wrapper.pid)] if wrapper.pid in above and process.alive(target) else []
        chain = [wrapper, *(found for pid in between if (found := process.identify(pid)))]
        for one in chain:
            process.send_signal(one, signal.SIGKILL)
        return True

    def _is_escaping(self, move: Move, scene: Scene, now: float) -> bool:
        """Press Esc in a session that is writing its answer, so that what it has written is kept (measured); say
        whether that is under way.

        Never where a dialog may be open, nor where a prompt waits in the queue: Esc would take it back into the editor.
        """
        pressed = self._escaped.get(move.id)
        if pressed is not None:
            return scene.seen(move).status == "busy" and now - pressed < _ESCAPE_TAKES
        if not scene.is_writing(move):
            return False
        self._escaped[move.id] = now
        self._tmux.keys(move.pane, "Escape")
        return True

    def _refreshes_login(self, move: Move) -> bool:
        """Say whether the binary may be in the middle of rewriting its login (killing it then would lose the login)."""
        account = move.refused[-1] if move.state == "leaving" and move.refused else move.source
        return (self._config.account(account).config_dir / ".oauth_refresh.lock").exists()
