"""What the live view orders and starts: through the daemon's socket and tmux, as the verbs do."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Any

from failover.cli.control import by, post, wait_for_result
from failover.cli.shared import Cli
from failover.errors import FailoverError, HostError
from failover.store.db import Store
from failover.store.orders import OrderResult

#: How long a dry run may take (seconds).
_PATIENCE = 15.0


def place(cli: Cli, verb: str, args: Mapping[str, Any]) -> dict[str, Any]:
    """Place an order and return the answer: its number, 0 for what was done at once, and a sentence."""
    return post(cli, "/v1/orders", {"verb": verb, "args": dict(args), "by": f"{by()} (top)"})


def dry_run(cli: Cli, args: Mapping[str, Any]) -> OrderResult:
    """Return what a swap would do. Raises FailoverError when nobody answers in 15 s."""
    number = int(place(cli, "swap", {**args, "dry_run": True})["order"])
    until = time.monotonic() + _PATIENCE

    def look() -> None:
        if time.monotonic() > until:
            raise FailoverError(f"nobody answered order {number} in {_PATIENCE:.0f} s; see: claude-failover status")

    # In a thread of its own, and so with a connection of its own.
    with closing(Store.read_only(cli.config.paths.store)) as store:
        return wait_for_result(store, number, look)


def attach_command(socket: str, session: str, environ: Mapping[str, str]) -> tuple[list[str], bool]:
    """Return the command that shows a session, and whether it gives the terminal back at once.

    Inside a client of the same tmux server the client is switched, since a session inside itself is a trap; from
    another server it is attached to.
    """
    target = f"={session}:"
    inside = environ.get("TMUX", "").partition(",")[0]
    if inside and os.path.basename(inside) == socket:  # noqa: PTH119  (no path of ours)
        return ["tmux", "switch-client", "-t", target], True
    return ["tmux", "-L", socket, "attach-session", "-t", target], False


def attach(socket: str, session: str, suspend: Callable[[], Any]) -> str:
    """Show a session and return, when that is over, what to say. suspend: gives the terminal away and takes it back.

    Raises HostError when tmux refuses.
    """
    command, at_once = attach_command(socket, session, os.environ)
    environ = dict(os.environ)
    if not at_once:
        environ.pop("TMUX", None)  # another server's: tmux would refuse to be nested
    try:
        if at_once:
            done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=10)
            told = done.stderr.strip()
        else:
            with suspend():
                done = subprocess.run(command, env=environ, stderr=subprocess.PIPE, text=True)
            told = (done.stderr or "").strip()
    except (OSError, subprocess.TimeoutExpired) as error:
        raise HostError(f"tmux: {error}") from None
    if done.returncode:
        raise HostError(
            f"tmux: {told or 'it refused'}; is {session} running? Launch it: claude-failover sessions launch"
        )
    return f"{session} is shown; come back with: tmux switch-client -l" if at_once else ""
