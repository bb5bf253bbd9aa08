"""`scripts/bench [NAME ...]`: measure, each figure against its limit in the same run."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path

import click
import msgspec

from failover.bench import result
from failover.bench.effort import Effort
from failover.bench.result import Row, machine
from failover.errors import FailoverError, HostError, UsageError
from failover.sim import interrupt, real_cli

#: name → module of this package, the function in it, which takes an Effort.
BENCHMARKS = {
    "blackout": ("blackout", "blackout"),
    "pool": ("pool", "pool"),
    "threshold": ("threshold", "threshold"),
    "death": ("death", "death"),
    "bus": ("bus", "bus"),
    "hook": ("hook", "hook"),
    "queue": ("queue", "queue"),
    "tasks": ("tasks", "tasks"),
    "checkpoint": ("checkpoint", "checkpoint"),
    "recovery": ("recovery", "recovery"),
    "up": ("daemon", "up"),
    "idle": ("daemon", "idle"),
    "store": ("store", "store"),
    "status": ("cli", "status"),
    "top": ("cli", "top"),
    "api": ("api", "api"),
    "page": ("page", "page"),
    "metrics": ("metrics", "metrics"),
    "growth": ("growth", "growth"),
    "long": ("long", "long"),
}
#: These watch for so many seconds.
TIMED = ("idle", "top", "api", "long")
#: This one runs only when it is named.
NOT_BY_ITSELF = ("long",)


def measure(name: str, effort: Effort) -> list[Row]:
    """Run the benchmark of that name."""
    module, function = BENCHMARKS[name]
    found: Callable[[Effort], list[Row]] = getattr(import_module(f"failover.bench.{module}"), function)
    binary = f"Claude Code {real_cli.PINNED}" if effort.real else "simulated"
    return [msgspec.structs.replace(row, benchmark=name, binary=binary) for row in found(effort)]


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(list(BENCHMARKS)))
@click.option("--real", is_flag=True, help="With the real Claude Code (installed from npm if need be).")
@click.option("--trials", default=5, show_default=True, help="Counted trials, after one warm-up.")
@click.option("--seconds", default=60.0, show_default=True, help=f"How long {', '.join(TIMED)} watch.")
@click.option("--sessions", default=100, show_default=True, help="How many the long run has.")
@click.option("--quick", is_flag=True, help="Few sessions, small sizes: proves that it runs, and is no figure.")
@click.option("--json", "file", type=click.Path(path_type=Path, dir_okay=False), help="Write the results there.")
@click.option("--add", is_flag=True, help="Keep what the file of --json holds of other benchmarks and binaries.")
@click.option(
    "--compare",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Results of an earlier run; each figure is shown beside its own.",
)
@click.option("--pages", is_flag=True, help="Measure nothing: make tables and plots of docs/ from its results.")
def main(
    names: Sequence[str],
    real: bool,
    trials: int,
    seconds: float,
    sessions: int,
    quick: bool,
    file: Path | None,
    add: bool,
    compare: Path | None,
    pages: bool,
) -> None:
    """Measure, each figure against its limit in the same run. A benchmark that breaks ends it with 1; one that is
    outside its budget does not: that may be the machine. Of all, one that lacks something of this host is left out."""
    if pages:
        from failover.bench import pages as of_docs

        try:
            click.echo("\n".join(map(str, of_docs.write())))
        except FailoverError as error:
            raise click.ClickException(str(error)) from None
        return
    interrupt.by_signals()
    effort = Effort(
        real=real_cli.real_claude() if real else None, trials=trials, seconds=seconds, sessions=sessions, quick=quick
    )
    before = {(row.name, row.binary): row for row in _read(compare)} if compare else {}
    kept = _read(file) if file and add and file.exists() else []
    results: list[Row] = []
    wanted = list(names) or [name for name in BENCHMARKS if name not in NOT_BY_ITSELF]
    for place, name in enumerate(wanted, 1):
        click.echo(f"{place} of {len(wanted)}, {name}: measuring ...", err=True)
        began = time.monotonic()
        try:
            found = measure(name, effort)
        except HostError as error:
            if name in names:
                raise click.ClickException(str(error)) from None
            click.echo(f"{name}: left out, since {error}", err=True)
            continue
        click.echo(f"{name}: took {time.monotonic() - began:.0f} s", err=True)
        for one in found:
            results.append(one)
            click.echo(one.sentence() + _beside(one, before.get((one.name, one.binary))))
        if file:  # after each: what was measured outlives what comes next
            result.write(file, _merged(kept, results))
    outside = [one.name for one in results if one.verdict == "outside"]
    click.echo(f"{len(results) - len(outside)} of {len(results)} within their budgets", err=True)
    click.echo(f"({machine()}; {'Claude Code ' + real_cli.PINNED if real else 'simulated binary'})")


def _merged(kept: Sequence[Row], found: Sequence[Row]) -> list[Row]:
    """Return all results in the order of the suite; those of a benchmark replace all that it told before."""
    anew = {(row.benchmark, row.binary) for row in found}
    order = list(BENCHMARKS)
    rows = [row for row in kept if (row.benchmark, row.binary) not in anew and row.benchmark in order]
    return sorted([*rows, *found], key=lambda row: (order.index(row.benchmark), row.binary != "simulated"))


def _read(file: Path) -> list[Row]:
    try:
        return result.read(file)
    except UsageError as error:
        raise click.UsageError(str(error)) from None


def _beside(now: Row, was: Row | None) -> str:
    if was is None:
        return ""
    change = f" ({now.value / was.value:.2f} x)" if was.value else ""
    return f"; was {was.value:g} {was.unit}, {was.verdict}{change}"


if __name__ == "__main__":
    main()
