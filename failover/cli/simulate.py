"""`claude-failover simulate`: what different policies would make of a demand."""

from __future__ import annotations

import sys
import textwrap
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from failover.cli.shared import Cli, json_option, manual, print_json, printable, span, table
from failover.errors import UsageError

if TYPE_CHECKING:
    from failover.replay.compare import Result
    from failover.replay.demand import Demand
    from failover.replay.policies import Policy
    from failover.replay.world import Record

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command(
    "simulate",
    epilog=manual(
        {
            "simulate --record pool.jsonl": "the demand of your own pool, of the last 14 days",
            "simulate --trace pool.jsonl --policy new.yaml": "what a configuration would have made of it",
            "simulate --synthetic days=30,sessions=20,accounts=5,seed=9": "made-up demand",
        },
        {
            "done M": "millions of tokens worked off; of all: of those asked for",
            "blocked": "hours in which sessions stood",
            "recached": "millions of tokens cached anew by moves",
            "5 h left": "of the quota of ended windows, what was not used",
        },
    ),
)
@click.option("--trace", type=_FILE, help="Demand from a file: recorded, or a scenario of docs/scenarios/.")
@click.option(
    "--synthetic", metavar="K=V,…", help="Made-up demand: days=30,sessions=20,accounts=5,seed=9,shape=mixed …"
)
@click.option("--policy", "policies", multiple=True, type=_FILE, help="A configuration; several are compared.")
@click.option("--png", type=_FILE, help="Draw it, too (.png or .svg).")
@click.option("--record", "to", type=_FILE, help="Write the demand of your own pool to a file instead.")
@click.option("--since", default="14d", show_default=True, help="How far back --record goes.")
@json_option
@click.pass_obj
def simulate_command(
    cli: Cli, trace: Path | None, synthetic: str | None, policies: tuple[Path, ...], png: Path | None, to: Path | None,
    since: str, as_json: bool,
) -> None:  # fmt: skip
    """Replay demand against policies and compare what comes of it.

    Without --policy the default policy is compared with three simpler ones. No account is asked and nothing is moved.
    """
    if sum(given is not None for given in (trace, synthetic, to)) != 1:
        raise UsageError("give one of --trace FILE, --synthetic days=30,sessions=20,accounts=5,seed=9, --record FILE")
    if to is not None:
        _record(cli, to, since, as_json)
        return
    from failover.replay import policies as chosen
    from failover.replay import synthetic as made
    from failover.replay.trace import read

    if png is not None:
        from failover.cli import plot

        plot.check(png)
    demand = read(trace) if trace is not None else made.demand(made.parse(synthetic or ""))
    compared = chosen.of_files(policies, demand.accounts) if policies else chosen.usual(demand.accounts)
    played = _play(demand, compared)
    results = [result for result, _ in played]
    if png is not None:
        from failover.cli.simulate_plot import draw

        draw(demand, played, compared, png)
    if as_json:
        print_json({
            "about": demand.about, "sessions": len(demand.sessions()),
            "accounts": [one.name for one in demand.accounts],
            "seconds": demand.seconds, "results": results,
        })  # fmt: skip
        return
    asked = f"{results[0].asked / 1e6:.1f} million tokens asked for"
    for line in textwrap.wrap(printable(demand.about), 80):
        click.echo(line)
    click.echo(f"{len(demand.sessions())} sessions, {len(demand.accounts)} accounts, {span(demand.seconds)}, {asked}")
    click.echo(results_table(results))


def results_table(results: Sequence[Result]) -> str:
    """Return the comparison as a table of at most 80 columns: done, recached in millions of tokens, of the quota of
    ended windows what was left."""
    heads = ("policy", "done M", "of all", "blocked", "swaps", "recached", "5 h left", "week left")
    return table(heads, [result_row(result) for result in results], columns=80)


def result_row(result: Result) -> tuple[str, ...]:
    """Return the cells of one policy."""
    hours = result.blocked / 3600
    return (
        result.policy,
        f"{result.done / 1e6:.1f}",
        f"{100 * result.done / result.asked:.1f} %",
        f"{hours:.1f} h" if hours < 100 else f"{hours:.0f} h",
        f"{result.swaps}",
        f"{result.recached / 1e6:.1f}",
        *(f"{one.percent:.1f} %" if one.periods else "-" for one in result.unused.values()),
    )


def _play(demand: Demand, compared: Sequence[Policy]) -> list[tuple[Result, Record]]:
    """Play the demand under each policy, with a bar for each on a terminal."""
    from failover.replay.compare import compare

    if not sys.stderr.isatty():
        return compare(demand, compared)
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import Progress

    # Drawn by hand, not by a thread of its own: the players are forked while only one runs.
    with Progress(console=Console(stderr=True), transient=True, auto_refresh=False) as progress:
        bars = [progress.add_task(escape(one.name), total=1.0) for one in compared]

        def tick(shares: Sequence[float]) -> None:
            for bar, share in zip(bars, shares, strict=True):
                progress.update(bar, completed=share)
            progress.refresh()

        return compare(demand, compared, tick)


def _record(cli: Cli, to: Path, since: str, as_json: bool) -> None:
    from failover.config_yaml import seconds_in
    from failover.replay.record import record
    from failover.replay.trace import write

    seconds = seconds_in(since)
    if not seconds:
        raise UsageError(f"--since {since}: no duration; write a number and a unit, such as 36h or 14d")
    demand = record(cli.config, cli.store, int((time.time() - seconds) * 1000))
    write(demand, to)
    if as_json:
        print_json({"file": str(to), "turns": len(demand.turns), "seconds": demand.seconds})
    else:
        click.echo(
            f"{len(demand.turns)} turns of {len(demand.sessions())} sessions in {span(demand.seconds)} are in {to}"
        )
