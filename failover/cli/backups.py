"""`claude-failover backups …`."""

from __future__ import annotations

import time
from pathlib import Path

import click

from failover.cli.shared import Cli, ago, json_option, print_json, table
from failover.errors import Refused, UsageError


@click.group("backups")
def backups_group() -> None:
    """List copies of the store that the janitor made, and go back to one."""


@backups_group.command("list")
@json_option
@click.pass_obj
def list_command(cli: Cli, as_json: bool) -> None:
    """List the copies, newest first. Works while the daemon is down."""
    from failover.store import backup

    found = backup.backups(cli.config.paths.backup_dir)
    if as_json:
        print_json(
            [{"file": str(one.path), "at_ms": one.at_ms, "size": one.size, "layout": one.layout} for one in found]
        )
    elif found:
        rows = [(one.path.name, ago(one.at_ms), f"{one.size / 1e6:.1f} MB", str(one.layout)) for one in found]
        click.echo(table(("copy", "ago", "size", "layout"), rows))
    else:
        click.echo("no copies yet; the janitor makes one when the daemon runs")


@backups_group.command("restore")
@click.argument("copy", type=click.Path(path_type=Path))
@json_option
@click.pass_obj
def restore_command(cli: Cli, copy: Path, as_json: bool) -> None:
    """Put a COPY (its name, or a path) in the store's place. The daemon must be down; the sessions may run on.

    The store that was there is kept beside it. What it knew that the copy does not is found again by looking at the
    sessions and the task files, or is not known any more: docs/janitor.md.
    """
    from failover.host import daemon
    from failover.host.lock import RoleLock
    from failover.store import backup

    paths = cli.config.paths
    path = copy if "/" in str(copy) else paths.backup_dir / copy
    if not path.is_file():
        raise UsageError(f"{path}: there is no such copy; see: claude-failover backups list")
    if daemon.find(paths) is not None:
        raise Refused("the daemon runs; end it first with: claude-failover down (the sessions go on)")
    locks = [RoleLock(paths.locks_dir / f"{role}.lock") for role in daemon.ROLES]
    try:
        for lock in locks:
            lock.acquire()  # no role has the store open, nor opens it meanwhile
        was = backup.restore(path, paths, int(time.time() * 1000))
    finally:
        for lock in locks:
            lock.release()
    if as_json:
        print_json({"store": str(paths.store), "was": str(was) if was else None})
        return
    click.echo(f"{paths.store} is {path.name} now" + (f"; what was there is {was.name}" if was else ""))
    click.echo("start the daemon with: claude-failover up")
