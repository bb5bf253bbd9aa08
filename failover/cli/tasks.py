"""`claude-failover tasks …`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from failover.cli import control
from failover.cli.shared import Cli, ago, clock_time, json_option, paint, print_json, printable, table
from failover.errors import Refused, UsageError
from failover.http import views
from failover.queue import adding


@click.group("tasks")
def tasks_group() -> None:
    """List, add and look at tasks; cancel them, or try failed ones again."""


@tasks_group.command("list")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 10_000), help="How many.")
@json_option
@click.pass_obj
def list_command(cli: Cli, limit: int, as_json: bool) -> None:
    """List tasks, open ones first. Works while the daemon is down."""
    found = views.tasks(cli.store, limit)
    if as_json:
        print_json(found)
    elif found:
        rows = [
            (task.id, task.state, ago(task.finished_ms or task.started_ms or task.queued_ms),
             f"{task.attempt}/{task.max_attempts}", task.name, task.project)
            for task in found
        ]  # fmt: skip
        click.echo(table(("id", "state", "ago", "try", "task", "project"), rows))
    else:
        click.echo("no tasks yet")


@tasks_group.command("add")
@click.argument("text", required=False)
@click.option("--project", type=click.Path(path_type=Path), help="Whose; without it, the only one or this one.")
@click.option("--name", default="", help="Its file's name without .md; without it, the time.")
@click.option("--priority", type=int, default=None, help="Higher ones go first (default 0).")
@json_option
@click.pass_obj
def add_command(
    cli: Cli, text: str | None, project: Path | None, name: str, priority: int | None, as_json: bool
) -> None:
    """Put a task into a project's inbox. TEXT is what is to be done; without it, standard input is read.

    It is a file of its own in PROJECT/.agent-queue/inbox; the daemon need not run for that.
    """
    body = text if text is not None else sys.stdin.read()
    try:
        path = adding.add(_project(cli, project), body, name=name, priority=priority)
    except Refused as error:
        raise UsageError(str(error)) from None
    if as_json:
        print_json({"file": str(path)})
    else:
        click.echo(f"queued as {path}")


@tasks_group.command("show")
@click.argument("number", type=click.IntRange(1, 2**53))
@json_option
@click.pass_obj
def show_command(cli: Cli, number: int, as_json: bool) -> None:
    """Show all that is known of a task, how it ended before it was retried too. Works while the daemon is down."""
    found = views.task(cli.store, number)
    if found is None:
        raise UsageError(f"there is no task {number}; see: claude-failover tasks list")
    if as_json:
        print_json(found)
        return
    told, finish = found.detail, found.detail.get("finish") or {}
    folder = {"done": "done", "failed": "failed"}.get(found.state, "inbox")
    rows = [
        ("state", found.state),
        ("waits for", told.get("blocked")),
        ("file", f"{found.project}/.agent-queue/{folder}/{finish.get('target') or found.name}.md"),
        ("priority", found.priority),
        ("attempt", f"{found.attempt} of {found.max_attempts}"),
        ("session", told.get("session")),
        ("conversation", told.get("conversation")),
        ("queued", clock_time(found.queued_ms)),
        ("started", clock_time(found.started_ms)),
        ("finished", clock_time(found.finished_ms)),
        ("reason", finish.get("reason") or told.get("reason")),
        *(("before that", _past(past)) for past in reversed(told.get("history", []))),
    ]
    click.echo(f"task {found.id}: {printable(found.name)}")
    for head, value in rows:
        if value not in (None, "", "-"):
            click.echo(f"  {head:<13} {paint(printable(str(value)))}")
    if message := finish.get("message"):
        click.echo("\n" + "\n".join(printable(line) for line in message.splitlines()))


def _past(past: dict[str, Any]) -> str:
    finish = past["finish"]
    return f"{finish['outcome']} {clock_time(past['finished_ms'])}, attempt {past['attempts']}: {finish['reason']}"


@tasks_group.command("retry")
@click.argument("number", type=click.IntRange(1, 2**53))
@json_option
@click.pass_obj
def retry_command(cli: Cli, number: int, as_json: bool) -> None:
    """Put a failed task back into its inbox, with as many attempts as at first."""
    control.order(cli, "retry", {"task": number}, as_json)


@tasks_group.command("cancel")
@click.argument("number", type=click.IntRange(1, 2**53))
@json_option
@click.pass_obj
def cancel_command(cli: Cli, number: int, as_json: bool) -> None:
    """End a task: its file goes to failed/. A session that is at it is left alone, and the answer says so."""
    control.order(cli, "cancel", {"task": number}, as_json)


def _project(cli: Cli, project: Path | None) -> Path:
    known = cli.config.projects
    if project is None:
        here = [one for one in known if Path.cwd().is_relative_to(one)]
        if not here and len(known) != 1:
            raise UsageError("say with --project whose task it is; projects: " + ", ".join(map(str, known)))
        return (here or list(known))[0]
    return adding.project_of(cli.config, project)
