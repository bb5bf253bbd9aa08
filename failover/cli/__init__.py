"""The command line. Each verb has a module of its own, loaded only when it is called: answers must come at once."""

from __future__ import annotations

import errno
import sqlite3
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

import click

from failover.cli.shared import Cli
from failover.errors import FailoverError

#: verb → module, the command in it, one line of help. The help stands here so that --help loads no verb.
_VERBS = {
    "demo": ("failover.sim.demo", "demo_command", "Show a failover on this machine, with simulated sessions."),
    "init": ("failover.cli.init", "init_command", "Look at this host and write a configuration for it."),
    "doctor": ("failover.cli.doctor", "doctor_command", "Look for what is wrong on this host, with the mend."),
    "up": ("failover.cli.up", "up_command", "Start the daemon."),
    "down": ("failover.cli.down", "down_command", "Stop the daemon; the sessions go on."),
    "service": ("failover.cli.service", "service_group", "Install the daemon as a service of the host."),
    "status": ("failover.cli.status", "status_command", "Show roles, accounts and sessions at a glance."),
    "swap": ("failover.cli.swap", "swap_command", "Move sessions to another account."),
    "swaps": ("failover.cli.swap", "swaps_command", "List past swaps."),
    "pause": ("failover.cli.pause", "pause_command", "Start and move nothing until resume; go on watching."),
    "resume": ("failover.cli.pause", "resume_command", "Lift the pause."),
    "accounts": ("failover.cli.accounts", "accounts_group", "List, add, check, link, disable and enable accounts."),
    "usage": ("failover.cli.usage", "usage_command", "Show the windows of accounts over time."),
    "sessions": ("failover.cli.sessions", "sessions_group", "List, launch, stop and restart sessions."),
    "tasks": ("failover.cli.tasks", "tasks_group", "List and add tasks."),
    "checkpoints": ("failover.cli.checkpoints", "checkpoints_group", "List and show checkpoints."),
    "events": ("failover.cli.events", "events_command", "Show what happened."),
    "tap": ("failover.cli.events", "tap_command", "Show events live from the bus."),
    "simulate": ("failover.cli.simulate", "simulate_command", "Replay demand against policies and compare them."),
    "config": ("failover.cli.config", "config_group", "Check the configuration."),
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

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Verbs"):
            formatter.write_dl([(verb, line) for verb, (_, _, line) in _VERBS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Run the verb; an error becomes one line on stderr and its own exit code."""
        try:
            return super().invoke(ctx)
        except FailoverError as error:
            _say(str(error))
            ctx.exit(error.exit_code)
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise
            _say(f"{error.filename or 'the host'}: {error.strerror or error}")
            ctx.exit(1)
        except sqlite3.Error as error:
            _say(f"the store cannot be read: {error}; see that the disk has room and that the state_dir is right")
            ctx.exit(1)


def _say(sentence: str) -> None:
    line = "".join(character if character.isprintable() else " " for character in sentence)
    click.echo(f"claude-failover: {line}", err=True)


@click.group(cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--config", "file", type=click.Path(path_type=Path), help="The configuration file.")
@click.version_option(package_name="claude-failover", message="%(prog)s %(version)s")
@click.pass_context
def verbs(ctx: click.Context, file: Path | None) -> None:
    """Keep a pool of Claude Code sessions at work when an account's quota runs out.

    Every verb takes --json. Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 refused by policy.
    """
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
        _say(error.format_message() + (f" See: {context.command_path} --help" if context else ""))
        sys.exit(2)
    except click.Abort:
        sys.exit(130)
    sys.exit(code if isinstance(code, int) else 0)
