"""Where everything lives inside the state dir. All of it is the operator's alone (mode 0700)."""

from __future__ import annotations

import functools
import os
import stat
import sys
from pathlib import Path

from failover.errors import HostError

#: A Unix socket's address holds 108 bytes with its closing zero (Linux unix(7)), 104 on macOS (sys/un.h).
_SOCKET_PATH_LIMIT = 103 if sys.platform == "darwin" else 107


@functools.cache
def of_state_dir(state_dir: Path) -> Paths:
    """Return the names inside a state dir; they are asked for at each step of a move."""
    return Paths(state_dir)


class Paths:
    """The names inside one state dir. Making one touches nothing; `ensure` makes the directories."""

    def __init__(self, state_dir: Path) -> None:
        self.state_dir = state_dir
        self.store = state_dir / "state.db"
        self.run_dir = state_dir / "run"
        self.locks_dir = state_dir / "locks"
        self.log_dir = state_dir / "log"
        self.launch_dir = state_dir / "launch"
        self.backup_dir = state_dir / "backups"
        self.token_file = state_dir / "token"
        self.control_socket = self.run_dir / "control.sock"
        self.supervisor_socket = self.run_dir / "supervisor.sock"
        self.bus_in = f"ipc://{self.run_dir}/bus-in.sock"
        self.bus_out = f"ipc://{self.run_dir}/bus-out.sock"

    def ensure(self) -> None:
        """Make the directories, each mode 0700.

        Raises HostError when the state dir is open to others, belongs to someone else, or lies too deep for a socket.
        """
        longest = self.run_dir / "supervisor.sock.00000"
        if len(os.fsencode(longest)) > _SOCKET_PATH_LIMIT:
            raise HostError(
                f"{self.state_dir}: too long a path for the sockets inside it; set state_dir to a shorter one"
            )
        for directory in (
            self.state_dir, self.run_dir, self.locks_dir, self.log_dir, self.launch_dir, self.backup_dir,
        ):  # fmt: skip
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            require_private(directory)


def require_private(path: Path) -> None:
    """Raise HostError unless `path` belongs to this user and nobody else can read or write it."""
    info = path.stat()
    if info.st_uid != os.geteuid():
        raise HostError(f"{path}: belongs to user {info.st_uid}, not to you; name another path or chown it")
    if stat.S_IMODE(info.st_mode) & 0o077:
        mode = "700" if stat.S_ISDIR(info.st_mode) else "600"
        raise HostError(f"{path}: is open to other users; close it with: chmod {mode} {path}")
