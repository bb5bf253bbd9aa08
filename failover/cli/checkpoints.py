"""`claude-failover checkpoints …`."""

from __future__ import annotations

import click

from failover.cli.completion import checkpoint_numbers, session_names
from failover.cli.shared import Cli, ago, clock_time, json_option, manual, print_json, printable, table
from failover.errors import UsageError
from failover.http import views


@click.group("checkpoints")
def checkpoints_group() -> None:
    """List and show checkpoints: notes of what each session was doing."""


@checkpoints_group.command(
    "list",
    epilog=manual(
        {"checkpoints list --session ccl-3": "of one session"},
        {"talk": "the first characters of the conversation's id", "occasion": "what it was noted for"},
    ),
)
@click.option("--session", default="", shell_complete=session_names, help="Only those of this session.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 1000), help="How many.")
@json_option
@click.pass_obj
def list_command(cli: Cli, session: str, limit: int, as_json: bool) -> None:
    """List checkpoints, newest first."""
    found = views.checkpoints(cli.store, session, limit)
    if as_json:
        print_json(found)
    elif found:
        rows = [(one.id, ago(one.at_ms), one.session, one.conversation[:8], one.occasion) for one in found]
        click.echo(table(("id", "ago", "session", "talk", "occasion"), rows))
    else:
        click.echo("no checkpoints yet")


@checkpoints_group.command("show", epilog=manual({"checkpoints show 12": "all that was noted"}))
@click.argument("number", type=click.IntRange(1, 2**53), shell_complete=checkpoint_numbers)
@json_option
@click.pass_obj
def show_command(cli: Cli, number: int, as_json: bool) -> None:
    """Show one checkpoint."""
    found = views.checkpoint(cli.store, number)
    if found is None:
        raise UsageError(f"there is no checkpoint {number}; see: claude-failover checkpoints list")
    if as_json:
        print_json(found)
        return
    click.echo(f"{found.session} at {clock_time(found.at_ms)} ({found.occasion}), conversation {found.conversation}")
    for key, value in (found.detail if isinstance(found.detail, dict) else {"note": found.detail}).items():
        click.echo(f"  {printable(str(key))}: {printable(str(value))}")
