"""Start the binary in a session's pane, under an account whose config dir was made whole first."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from failover.claude import config_dir, launch, seed, transcript
from failover.claude.launch import LaunchSpec
from failover.config import Config
from failover.core.move import Move, carried
from failover.errors import HostError
from failover.host import process
from failover.host.process import ProcessId
from failover.host.tmux import Pane, Tmux
from failover.store.sessions import Placement


def new_launch_id() -> str:
    """Return a fresh launch id."""
    return os.urandom(6).hex()


def bearer(pane: Pane | None, session: str, launch_id: str) -> ProcessId | None:
    """Return the process that a launch made, if it lives: the one in the session's own pane that bears its mark."""
    found = process.identify(pane.pid) if pane and not pane.dead else None
    mark = launch.marker(session, launch_id)
    return found if found and any(mark in argument for argument in process.cmdline(found)) else None


def wrapper_of(move: Move) -> ProcessId | None:
    """Return the pane's process from which an adopted session was started, None when it was started by itself."""
    brought = carried(move.carried)
    return ProcessId(brought.wrapper_pid, brought.wrapper_start) if brought and brought.wrapper_pid else None


class Launcher:
    """Starts sessions. It refuses where a process may live on the conversation, and where a pane is in use."""

    def __init__(self, config: Config, tmux: Tmux) -> None:
        self._config, self.tmux = config, tmux

    def server(self) -> ProcessId | None:
        """Return the tmux server that the sessions live in, None when there is none. Raises HostError."""
        return server_of(self.tmux.panes())

    def make_whole(self, account: str) -> None:
        """Link and seed an account's config dir so that no dialog stands in the way. Raises HostError."""
        where = self._config.account(account).config_dir
        config_dir.make_whole(where, self._config.shared_dir)
        folders = {*self._config.projects, *(spec.project for spec in self._config.sessions)}
        seed.seed(where, sorted(folders), mirror_from=self._config.shared_dir)

    def running(self, placement: Placement) -> tuple[Pane, ProcessId] | None:
        """Return pane and process of a placement's launch, None when it was not carried out or has ended.

        Raises HostError.
        """
        pane = self.tmux.panes().get(placement.session)
        found = bearer(pane, placement.session, placement.launch)
        return (pane, found) if pane and found else None

    def start(
        self,
        placement: Placement,
        prompt: str = "",
        panes: Mapping[str, Pane] | None = None,
        lines: Iterable[tuple[int, bytes]] | None = None,
    ) -> Pane:
        """Start the binary for `placement` and return its pane, whose pid is the binary's.

        panes: those that there are, where that was just looked up; tmux starts nothing in one that is in use. lines:
        the arguments of all processes, where they have just been read.
        Raises HostError when the conversation has a live process, the account's env file cannot be used, the pane is in
        use, or tmux fails.
        """
        panes = self.tmux.panes() if panes is None else panes
        # The tmux server keeps the arguments of the command that started it: of the first session, perhaps.
        living = [one for one in process.with_argument(placement.conversation, lines) if one != server_of(panes)]
        if living:
            pid = living[0].pid
            raise HostError(f"{placement.session}: pid {pid} is on its conversation; end that process, then try again")
        self.make_whole(placement.account)
        account = self._config.account(placement.account)
        account.login.check()
        cwd = Path(placement.cwd)
        if not cwd.is_dir():
            raise HostError(
                f"{placement.session}: its folder {cwd} is not there; make it, or change sessions in the config"
            )
        claude, brought = self._config.claude, carried(placement.carried)
        script = launch.write_launch_files(
            LaunchSpec(
                session=placement.session,
                account=placement.account,
                launch=placement.launch,
                conversation=placement.conversation,
                cwd=cwd,
                config_dir=account.config_dir,
                login=account.login,
                command=claude.command,
                args=brought.args if brought else claude.args,
                env={**brought.env, **claude.env} if brought else claude.env,
                resume=transcript.locate(self._config.shared_dir, cwd, placement.conversation) is not None,
                prompt=prompt or None,
                directory=self._config.paths.launch_dir,
                control_socket=self._config.paths.control_socket,
            )
        )
        command = ["sh", str(script)]
        pane = panes.get(placement.session)
        if pane is None:
            return self.tmux.new_session(placement.session, cwd, command)
        # tmux refuses while the pane's process lives, whoever it belongs to.
        return self.tmux.respawn(pane.pane_id, cwd, command)


def server_of(panes: Mapping[str, Pane]) -> ProcessId | None:
    """Return the tmux server of panes, None where there is no pane."""
    pane = next(iter(panes.values()), None)
    return process.identify(pane.server) if pane else None
