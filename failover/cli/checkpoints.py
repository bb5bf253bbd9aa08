"""`claude-failover checkpoints …`."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Any

import click

from failover.cli.completion import checkpoint_numbers, session_names
from failover.cli.shared import Cli, ago, clock_time, json_option, manual, paint, print_json, printable, table, width
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
        rows = [
            (one.id, ago(one.at_ms), one.session, said.get("state", "-"), said.get("account", "-"), one.occasion,
             _at_a_glance(said))
            for one in found
            for said in [_said(one)]
        ]  # fmt: skip
        click.echo(table(("id", "ago", "session", "state", "account", "occasion", "doing"), rows))
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
    said = _said(found)
    click.echo(f"{printable(found.session)} at {clock_time(found.at_ms)}: {printable(found.occasion)}")
    for name, text in (*_lines(said), ("conversation", found.conversation)):
        if name == "state":
            click.echo(f"  {name:<14}{paint(printable(text))}")
            continue
        click.echo(
            textwrap.fill(
                printable(text),
                width(),
                initial_indent=f"  {name:<14}",
                subsequent_indent=" " * 16,
                break_on_hyphens=False,
            )
        )


def _said(one: views.CheckpointView) -> dict[str, Any]:
    return one.detail if isinstance(one.detail, dict) else {}


def _at_a_glance(said: dict[str, Any]) -> str:
    """Return what a session was doing in a few words: its task, else its tool, else its prompt."""
    task, tool = said.get("task"), said.get("tool")
    if task:
        return f"task {task['task']} ({task['name']})"
    if said.get("prompt"):
        return f"{tool['name']}: {tool['input']}" if tool else str(said["prompt"])
    return ""


def _lines(said: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield "state", str(said.get("state", "-"))
    yield "account", str(said.get("account", "-"))
    yield "folder", str(said.get("cwd", "-"))
    if git := said.get("git"):
        changed = ", tracked files changed" if git["dirty"] else ""
        yield "git", f"{git['branch']} at {git['head'][:12] or 'no commit yet'}{changed}"
    if task := said.get("task"):
        yield "task", f"{task['task']} ({task['name']}), attempt {task['attempt']}"
    if tool := said.get("tool"):
        yield "last tool", f"{tool['name']}: {tool['input']} (outcome {tool['outcome']})"
    if said.get("context_tokens") is not None:
        anew = said.get("recache_tokens")
        yield "context", f"{said['context_tokens']} tokens{'' if anew is None else f', {anew} to be cached anew'}"
    if said.get("prompt"):
        yield "prompt", str(said["prompt"])
