"""`claude-failover janitor`."""

from __future__ import annotations

import click

from failover.cli import control
from failover.cli.shared import Cli, json_option, print_json, printable, table


@click.command("janitor")
@click.option("--dry-run", is_flag=True, help="Say what a sweep would do now and why; do nothing.")
@json_option
@click.pass_obj
def janitor_command(cli: Cli, dry_run: bool, as_json: bool) -> None:
    """Sweep at once. With --dry-run only look, which works while the daemon is down."""
    if not dry_run:
        control.order(cli, "sweep", {}, as_json)
        return
    from failover.clock import SystemClock
    from failover.janitor.ground import Ground
    from failover.janitor.sweeping import Sweeper

    found, troubles = Sweeper(Ground(cli.config, cli.store, SystemClock())).find()
    if as_json:
        print_json({"findings": found, "troubles": troubles})
        return
    if found:
        click.echo(table(("what", "count", "which", "why"), [(f.kind, f.count, f.subject, f.why) for f in found]))
    else:
        click.echo("nothing to sweep")
    for trouble in troubles:
        click.echo(printable(trouble), err=True)
