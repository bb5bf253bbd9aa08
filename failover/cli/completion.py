"""`claude-failover completion`, and the names that complete: quick, and silent whatever is wrong."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem, get_completion_class

from failover.cli.shared import Cli, manual, printable
from failover.errors import FailoverError, HostError

_VARIABLE = "_CLAUDE_FAILOVER_COMPLETE"
#: So many of the newest tasks and checkpoints are offered.
_MOST = 50

Completer = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]

_EPILOG = """\b
Where it goes:
  bash  claude-failover completion bash > \\
            ~/.local/share/bash-completion/completions/claude-failover
  zsh   claude-failover completion zsh > "${fpath[1]}/_claude-failover"
  fish  claude-failover completion fish > \\
            ~/.config/fish/completions/claude-failover.fish

"""


@click.command("completion", epilog=_EPILOG + manual({"completion bash": 'or, for this shell only: eval "$(…)"'}))
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion_command(shell: str) -> None:
    """Print the completion script of a shell.

    Verbs, options and the names of accounts, sessions, projects and tasks complete; the daemon need not run.
    """
    from failover.cli import verbs

    kind = get_completion_class(shell)
    assert kind is not None
    try:
        sys.stdout.write(kind(verbs, {}, "claude-failover", _VARIABLE).source())
    except RuntimeError as error:  # no bash to ask for its version
        raise HostError(f"{error}; install {shell}, or print the script where it is") from None


def _completer(find: Callable[[Cli], Iterable[tuple[str, str]]]) -> Completer:
    """Return what click asks for values. find: (value, what it is) of all there are."""

    def complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        file = ctx.find_root().params.get("file")
        given: Any = ctx.params.get(param.name or "")
        used = {str(one) for one in given} if isinstance(given, tuple | list) else set()
        try:
            found = list(find(Cli(Path(file) if file else None)))
        except (FailoverError, OSError, sqlite3.Error, ValueError):
            return []
        return [
            CompletionItem(value, help=printable(text))
            for value, text in found
            if value.startswith(incomplete) and value not in used and value.isprintable()
        ]

    return complete


def _accounts(cli: Cli) -> Iterable[tuple[str, str]]:
    return [(one.name, one.kind) for one in cli.config.accounts]


def _sessions(cli: Cli) -> Iterable[tuple[str, str]]:
    found = {one.name: str(one.project) for one in cli.config.sessions}
    if cli.config.paths.store.exists():
        from failover.store import sessions

        found |= {name: f"{place.account}, {place.cwd}" for name, place in sessions.placements(cli.store).items()}
    return found.items()


def _projects(cli: Cli) -> Iterable[tuple[str, str]]:
    return [(str(one), "") for one in cli.config.projects]


def _tasks(*states: str) -> Callable[[Cli], Iterable[tuple[str, str]]]:
    def find(cli: Cli) -> Iterable[tuple[str, str]]:
        where = f"WHERE state IN ({', '.join('?' * len(states))}) " if states else ""
        rows = cli.store.query(f"SELECT id, state, name FROM tasks {where}ORDER BY id DESC LIMIT ?", (*states, _MOST))
        return [(str(row["id"]), f"{row['state']}: {row['name']}") for row in rows]

    return find


def _checkpoints(cli: Cli) -> Iterable[tuple[str, str]]:
    rows = cli.store.query("SELECT id, session, occasion FROM checkpoints ORDER BY id DESC LIMIT ?", (_MOST,))
    return [(str(row["id"]), f"{row['session']} {row['occasion']}") for row in rows]


account_names = _completer(_accounts)
session_names = _completer(_sessions)
project_names = _completer(_projects)
task_numbers = _completer(_tasks())
failed_tasks = _completer(_tasks("failed"))
open_tasks = _completer(_tasks("queued", "delivering", "running"))
checkpoint_numbers = _completer(_checkpoints)
