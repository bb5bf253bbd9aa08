"""`claude-failover swap` and `swaps`."""

from __future__ import annotations

import click

from failover.cli.completion import account_names, session_names
from failover.cli.shared import Cli, clock_time, json_option, manual, print_json, table
from failover.http import views


@click.command(
    "swap",
    epilog=manual(
        {
            "swap --dry-run": "the policy's choice, its bill, every verdict",
            "swap --to backup": "move all sessions to backup, and wait",
            "swap --to backup --session ccl-3": "one of them",
            "swap --no-wait --json": "place the order; prints its number",
        },
        note="Ends with 3 when policy refuses (paused, no account has room), with 1 when a session could not be moved;"
        " the message says which and why. Ctrl-C ends the waiting; the order goes on.",
    ),
)
@click.option(
    "--to",
    default="",
    metavar="ACCOUNT",
    shell_complete=account_names,
    help="The account to move to; without it, the policy chooses.",
)
@click.option(
    "--session",
    "sessions",
    multiple=True,
    metavar="NAME",
    shell_complete=session_names,
    help="Only this session; may be repeated.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@click.option("--no-wait", is_flag=True, help="Place the order and return at once.")
@json_option
@click.pass_obj
def swap_command(cli: Cli, to: str, sessions: tuple[str, ...], dry_run: bool, no_wait: bool, as_json: bool) -> None:
    """Move sessions to another account, each at a point where nothing is lost.

    An ordered swap pins its sessions to where they went: the policy brings them back there. Undo: sessions unpin.
    """
    from failover.cli.control import order

    if to:
        cli.config.account(to)
    args = {"to": to, "sessions": list(sessions), "dry_run": dry_run}
    order(cli, "swap", args, as_json, wait=not no_wait)


@click.command(
    "swaps",
    epilog=manual(
        {"swaps": "the last 20", "swaps --limit 1 --moves": "the last one, session by session"},
        {
            "kind": "swap, restart, stop, or fresh (a task's own conversation)",
            "state": "open, done, partial (some stayed), failed, refused",
            "what": "its summary; while it is open, its reason",
        },
    ),
)
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000), help="How many.")
@click.option("--moves", is_flag=True, help="Show each session's part.")
@json_option
@click.pass_obj
def swaps_command(cli: Cli, limit: int, moves: bool, as_json: bool) -> None:
    """List swaps, restarts, stops and restorings, newest first."""
    found = views.swap_views(cli.store, limit)
    if as_json:
        print_json(found)
        return
    if not found:
        click.echo("nothing was swapped yet")
        return
    rows = [
        (swap.id, clock_time(swap.started_ms), swap.kind, f"{swap.source} → {', '.join(swap.targets) or '-'}",
         swap.state, swap.sentence or swap.reason)
        for swap in found
    ]  # fmt: skip
    click.echo(table(("id", "began", "kind", "accounts", "state", "what"), rows))
    for swap in found if moves else ():
        click.echo(f"\n{swap.kind} {swap.id}: {swap.reason}")
        parts = [(move.session, move.target or "-", move.state, move.why) for move in swap.moves]
        click.echo(table(("session", "to", "state", "why"), parts))
