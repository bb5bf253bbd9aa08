"""`claude-failover top`: the pool, live."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec

import click

from failover.cli.shared import Cli, manual
from failover.errors import HostError, UsageError


@click.command(
    "top",
    epilog=manual(
        {"top": "needs: pip install 'claude-failover[top]'", "status": "the same once, without it"},
        {
            "on": "sessions on the account",
            "window": "5h, 7d, $ (money): a bar, its line the threshold; ! when reached, ↻ its reset",
            "to come": "when a threshold is expected to be reached, or what speaks against the account",
            "ctx": "how full the session's context is",
        },
        note="Keys: s swap, p pause or resume, a attach, r restart, t try a failed task again, w why, / filter, ? help,"
        " q quit. Orders go through the daemon; what is shown comes from the store, also while the daemon is down.",
    ),
)
@click.pass_context
def top_command(ctx: click.Context) -> None:
    """Watch the pool live, and act on it by keys."""
    cli: Cli = ctx.obj
    if find_spec("textual") is None:
        raise HostError("top needs textual; install it with: pip install 'claude-failover[top]'")
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("top needs a terminal; without one there is: claude-failover status")
    if os.environ.get("TERM", "dumb") == "dumb":
        raise UsageError("top needs a terminal that can place the cursor (TERM is dumb); use: claude-failover status")
    if ctx.color is False:
        os.environ["NO_COLOR"] = "1"  # read by textual as it is imported
    _ = cli.store  # what is wrong with it is said before the screen is taken
    from failover.top.app import Top

    Top(cli).run()
