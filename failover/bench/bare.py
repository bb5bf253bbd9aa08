"""A session that nobody manages, stopped and resumed as one would by hand."""

from __future__ import annotations

import signal
import time
import uuid
from pathlib import Path
from typing import Any

from failover.claude.launch import LaunchSpec, write_launch_files
from failover.host import process
from failover.host.process import ProcessId
from failover.sim.world import World
from failover.switcher.launcher import Launcher


class Bare:
    """One conversation in a tmux session. Its hooks are those of ours, and find nobody to talk to."""

    def __init__(self, world: World, name: str, conversation: str, project: str = "app") -> None:
        self._world, self.name, self.conversation = world, name, conversation
        self._cwd = world.projects[project]
        self._dying: ProcessId | None = None

    def requests(self) -> list[dict[str, Any]]:
        """Return the requests of its conversation, by the API's log."""
        return self._world.api.requests(self.conversation)

    def script(self, account: str, prompt: str, *, resume: bool) -> Path:
        """Return the script that starts the binary under an account, whose config dir was made whole."""
        config = self._world.config
        Launcher(config, self._world.tmux).make_whole(account)
        return write_launch_files(
            LaunchSpec(
                session=self.name,
                account=account,
                launch=uuid.uuid4().hex[:12],
                conversation=self.conversation,
                cwd=self._cwd,
                config_dir=self._world.accounts[account],
                command=config.claude.command,
                args=config.claude.args,
                env=config.claude.env,
                resume=resume,
                prompt=prompt,
                directory=config.paths.launch_dir,
                control_socket=self._world.root / "nobody.sock",
            )
        )

    def launch(self, account: str, prompt: str, *, resume: bool) -> None:
        """Start the binary in its pane."""
        script = self.script(account, prompt, resume=resume)
        pane = self._world.tmux.panes().get(self.name)
        if pane is None:
            self._world.tmux.new_session(self.name, self._cwd, ["sh", str(script)])
        else:
            self._world.tmux.respawn(pane.pane_id, self._cwd, ["sh", str(script)])

    def kill(self) -> float:
        """Send SIGTERM; return when (epoch seconds)."""
        self._dying = process.identify(self._world.tmux.panes()[self.name].pid)
        assert self._dying is not None, f"{self.name} is dead already"
        began = time.time()
        process.send_signal(self._dying, signal.SIGTERM)
        return began

    @property
    def dead(self) -> bool:
        """Say whether the process that was killed is gone."""
        return self._dying is None or not process.alive(self._dying)

    def await_death(self) -> None:
        """Wait until it is dead."""
        while not self.dead:
            time.sleep(0.001)
