"""`claude-failover usage`: the windows of accounts over time, as a chart, a picture, JSON or CSV."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import click

from failover.cli.completion import account_names
from failover.cli.shared import Cli, Duration, json_option, manual, print_json, width


@click.command(
    "usage",
    epilog=manual(
        {
            "usage": "the last week, in block characters",
            "usage --account main --since 2d": "two days of one account",
            "usage --png week.png": "needs: pip install 'claude-failover[plots]'",
            "usage --csv": "every reading, one a line",
        }
    ),
)
@click.option("--account", default="", shell_complete=account_names, help="Only this account.")
@click.option("--since", type=Duration(), default="7d", show_default=True, help="How far back.")
@click.option("--png", type=click.Path(path_type=Path), help="Draw a picture to this file (.png or .svg).")
@click.option("--csv", "as_csv", is_flag=True, help="Print the readings, one a line.")
@json_option
@click.pass_obj
def usage_command(cli: Cli, account: str, since: float, png: Path | None, as_csv: bool, as_json: bool) -> None:
    """Show what was used of each window, its threshold, its resets, and the swaps. Works while the daemon is down."""
    from failover.http.usage_views import usage_view

    if png:
        from failover.cli import plot

        plot.check(png)
    view = usage_view(cli.config, cli.store, since, account)
    if png:
        from failover.cli.usage_plot import draw

        draw(view, png)
    if as_json:
        print_json(view)
    elif as_csv:
        from failover.cli.account_table import utc

        out = io.StringIO()
        rows = csv.writer(out, lineterminator="\n")
        rows.writerow(("account", "window", "observed", "used", "resets_at", "source"))
        for one in (reading for window in view.windows for reading in window.readings):
            observed = utc(one.observed_ms / 1000)
            rows.writerow((one.account, one.window, observed, one.used, utc(one.resets_at), one.source))
        click.echo(out.getvalue(), nl=False)
    elif png:
        click.echo(str(png))
    else:
        from failover.cli.usage_chart import chart

        click.echo(chart(view, min(width(), 160)))
