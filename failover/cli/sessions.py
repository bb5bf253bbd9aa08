"""`claude-failover sessions …`."""

from __future__ import annotations

import click

from failover.cli.completion import account_names, session_names
from failover.cli.shared import Cli, json_option, manual, print_json
from failover.cli.status import sessions_table
from failover.errors import UsageError
from failover.http import views


@click.group("sessions")
def sessions_group() -> None:
    """List, launch, adopt, stop, restart and restore sessions."""


@sessions_group.command(
    "list", epilog=manual({"sessions list": "as in status", "sessions list --json": "with whole paths and ids"})
)
@json_option
@click.pass_obj
def list_command(cli: Cli, as_json: bool) -> None:
    """List sessions. Works while the daemon is down."""
    found = views.session_views(cli.config, cli.store)
    if as_json:
        print_json(found)
    elif found:
        click.echo(sessions_table(found))
    else:
        click.echo(f"no sessions; add some to {cli.file}")


@sessions_group.command(
    "launch",
    epilog=manual(
        {
            "sessions launch": "all that do not run",
            "sessions launch ccl-0 --account backup": "one, pinned to an account",
            "status": "see what became of it",
        },
        note="Ends with 1 when one could not be started, with 3 while paused. Ctrl-C ends the waiting only.",
    ),
)
@click.argument("names", nargs=-1, shell_complete=session_names)
@click.option(
    "--account",
    default="",
    shell_complete=account_names,
    help="The account to start on; without it, the session's or the policy's.",
)
@json_option
@click.pass_obj
def launch_command(cli: Cli, names: tuple[str, ...], account: str, as_json: bool) -> None:
    """Start sessions in tmux; without names, all of them. One that runs already is left alone."""
    from failover.cli.control import order

    if account:
        cli.config.account(account)
    order(cli, "launch", {"sessions": list(names), "to": account}, as_json)


@sessions_group.command(
    "stop",
    epilog=manual({"sessions stop ccl-3": "at its next boundary", "sessions stop --all": "before the host goes down"}),
)
@click.argument("names", nargs=-1, shell_complete=session_names)
@click.option("--all", "everything", is_flag=True, help="All sessions.")
@json_option
@click.pass_obj
def stop_command(cli: Cli, names: tuple[str, ...], everything: bool, as_json: bool) -> None:
    """Stop sessions, each at a point where nothing is lost. Their conversations go on with `launch`."""
    _order(cli, "stop", names, everything, as_json)


@sessions_group.command(
    "restart",
    epilog=manual({"sessions restart ccl-3": "after an update of the binary", "sessions restart --all": "one by one"}),
)
@click.argument("names", nargs=-1, shell_complete=session_names)
@click.option("--all", "everything", is_flag=True, help="All sessions.")
@json_option
@click.pass_obj
def restart_command(cli: Cli, names: tuple[str, ...], everything: bool, as_json: bool) -> None:
    """Stop sessions and resume them on the same account."""
    _order(cli, "restart", names, everything, as_json)


@sessions_group.command(
    "restore", epilog=manual({"sessions restore --dry-run": "what would be", "sessions restore": "bring all back"})
)
@click.argument("names", nargs=-1, shell_complete=session_names)
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@json_option
@click.pass_obj
def restore_command(cli: Cli, names: tuple[str, ...], dry_run: bool, as_json: bool) -> None:
    """Bring back sessions that crashed, each in its conversation and with its task; without names, all of them.

    One that runs, was stopped, or may still be alive somewhere is left alone.
    """
    from failover.cli.control import order
    from failover.cli.restored import lines

    order(cli, "restore", {"sessions": list(names), "dry_run": dry_run}, as_json, shown=lines)


@sessions_group.command(
    "adopt",
    epilog=manual(
        {
            "sessions adopt --dry-run": "what would be",
            "sessions adopt ccl-0": "one",
            "sessions adopt": "all that can be",
        },
        note="Works while paused. Ends with 3 when one that was named, or that runs, cannot be adopted.",
    ),
)
@click.argument("names", nargs=-1, shell_complete=session_names)
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@json_option
@click.pass_obj
def adopt_command(cli: Cli, names: tuple[str, ...], dry_run: bool, as_json: bool) -> None:
    """Take on sessions that run already and were started by hand or by a script; without names, all of them.

    Nothing of them is touched. They are watched at once; at its first move each is started anew with its own arguments,
    under the daemon's hooks, in its conversation and its pane.
    """
    from failover.cli.adopted import lines
    from failover.cli.control import order

    order(cli, "adopt", {"sessions": list(names), "dry_run": dry_run}, as_json, shown=lines)


@sessions_group.command("unpin", epilog=manual({"sessions unpin": "all", "sessions unpin ccl-3": "one"}))
@click.argument("names", nargs=-1, shell_complete=session_names)
@json_option
@click.pass_obj
def unpin_command(cli: Cli, names: tuple[str, ...], as_json: bool) -> None:
    """Leave the choice of account to the policy again; without names, for all.

    `swap` and `launch --account` pin a session to the account that they chose: it comes back to that one.
    """
    from failover.cli.control import order

    order(cli, "unpin", {"sessions": list(names)}, as_json)


def _order(cli: Cli, verb: str, names: tuple[str, ...], everything: bool, as_json: bool) -> None:
    from failover.cli.control import order

    if bool(names) == everything:
        raise UsageError(f"name the sessions to {verb}, or say --all")
    order(cli, verb, {"sessions": list(names)}, as_json)
