"""The command line. Each verb has a module of its own, loaded only when it is called: answers must come at once."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from failover.cli.shared import Cli, note
from failover.errors import FailoverError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

#: verb → module, the command in it, one line of help. The help stands here so that --help loads no verb.
_VERBS = {
    "demo": ("failover.sim.demo", "demo_command", "Show a failover on this machine, with simulated sessions."),
    "init": ("failover.cli.init", "init_command", "Look at this host and write a configuration for it."),
    "doctor": ("failover.cli.doctor", "doctor_command", "Look for what is wrong on this host, with the mend."),
    "up": ("failover.cli.up", "up_command", "Start the daemon."),
    "down": ("failover.cli.down", "down_command", "Stop the daemon; the sessions go on."),
    "service": ("failover.cli.service", "service_group", "Install the daemon as a service of the host."),
    "status": ("failover.cli.status", "status_command", "Show roles, accounts and sessions at a glance."),
    "top": ("failover.cli.top", "top_command", "Watch the pool live, and act on it by keys."),
    "why": ("failover.cli.why", "why_command", "Explain the last decision, and what would change it."),
    "swap": ("failover.cli.swap", "swap_command", "Move sessions to another account."),
    "swaps": ("failover.cli.swap", "swaps_command", "List past swaps."),
    "pause": ("failover.cli.pause", "pause_command", "Start and move nothing until resume; go on watching."),
    "resume": ("failover.cli.pause", "resume_command", "Lift the pause."),
    "accounts": ("failover.cli.accounts", "accounts_group", "List, add, check, link, disable and enable accounts."),
    "usage": ("failover.cli.usage", "usage_command", "Show the windows of accounts over time."),
    "sessions": ("failover.cli.sessions", "sessions_group", "List, launch, stop and restart sessions."),
    "tasks": ("failover.cli.tasks", "tasks_group", "List and add tasks."),
    "checkpoints": ("failover.cli.checkpoints", "checkpoints_group", "List and show checkpoints."),
    "events": ("failover.cli.events", "events_command", "Show what happened, from the store."),
    "tap": ("failover.cli.events", "tap_command", "Show events live from the bus."),
    "page": ("failover.cli.page", "page_command", "Print the address of the page, or open it in a browser."),
    "token": ("failover.cli.token", "token_group", "Show or replace the tokens of the HTTP address."),
    "mcp": ("failover.cli.mcp", "mcp_command", "Serve the pool to agents over MCP."),
    "notify": ("failover.cli.notify", "notify_group", "List the sinks for notices and try them."),
    "simulate": ("failover.cli.simulate", "simulate_command", "Replay demand against policies and compare them."),
    "janitor": ("failover.cli.janitor", "janitor_command", "Sweep at once, or say what a sweep would do."),
    "backups": ("failover.cli.backups", "backups_group", "List copies of the store, and go back to one."),
    "config": ("failover.cli.config", "config_group", "Check the configuration."),
    "completion": ("failover.cli.completion", "completion_command", "Print the completion script of a shell."),
}


class _Verbs(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _VERBS:
            return None
        module, command, _ = _VERBS[cmd_name]
        found: click.Command = getattr(import_module(module), command)
        return found

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return the verbs that begin so; the group's own way would load every one for its help."""
        from click.shell_completion import CompletionItem

        found = [
            CompletionItem(verb, help=line) for verb, (_, _, line) in _VERBS.items() if verb.startswith(incomplete)
        ]
        return found or click.Command.shell_complete(self, ctx, incomplete)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the verb; one that does not exist is told with the one that is nearest."""
        if args[0] not in _VERBS and args[0][:1] != "-" and not ctx.resilient_parsing:
            from failover.config_yaml import suggestion

            ctx.fail(f"No such command {args[0]!r}{suggestion(args[0], _VERBS)}.")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Verbs"):
            formatter.write_dl([(verb, line) for verb, (_, _, line) in _VERBS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Run the verb; an error becomes one line on stderr and its own exit code."""
        try:
            return super().invoke(ctx)
        except FailoverError as error:
            note(str(error))
            ctx.exit(error.exit_code)
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise
            note(f"{error.filename or 'the host'}: {error.strerror or error}")
            ctx.exit(1)
        except Exception as error:
            import sqlite3  # not needed to print a help

            if not isinstance(error, sqlite3.Error):
                raise
            note(f"the store cannot be read: {error}; see that the disk has room and that the state_dir is right")
            ctx.exit(1)


@click.group(cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--config",
    "file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The configuration file; without it FAILOVER_CONFIG, ./config.yaml, ~/.config/claude-failover/config.yaml.",
)
@click.option(
    "--color",
    "colour",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    show_default=True,
    help="Colours: auto has them on a terminal, unless NO_COLOR is set or TERM is dumb.",
)
@click.version_option(package_name="claude-failover", message="%(prog)s %(version)s", help="Show the version.")
@click.pass_context
def verbs(ctx: click.Context, file: Path | None, colour: str) -> None:
    """Keep a pool of Claude Code sessions at work when an account's quota runs out.

    Every verb takes --json, but for top and completion. Answers go to standard output; errors and progress go to
    standard error, so that --json stays JSON.

    \b
    Exit codes:
      0    done
      1    failed; the message says what to do
      2    wrong usage or configuration
      3    refused by policy (paused, no account has room)
      130  interrupted; an order that was placed goes on
    """
    plain = colour == "never" or (colour == "auto" and (os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"))
    ctx.color = True if colour == "always" else False if plain else None
    ctx.obj = Cli(file)


def main(args: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and end the process with its exit code. What click finds wrong is one line on stderr too."""
    try:
        code = verbs.main(args, prog_name="claude-failover", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        sys.exit(2)
    except click.ClickException as error:
        context = error.ctx if isinstance(error, click.UsageError) else None
        note(error.format_message() + (f" See: {context.command_path} --help" if context else ""))
        sys.exit(2)
    except click.Abort:
        sys.exit(130)
    sys.exit(code if isinstance(code, int) else 0)
