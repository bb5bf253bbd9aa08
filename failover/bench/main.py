"""`scripts/bench [NAME ...]`: measure, each figure against its limit in the same run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path

import click
import msgspec

from failover.bench.result import Row, machine
from failover.errors import HostError
from failover.sim import real_cli

#: name → module of this package, the function in it. A function takes the real binary (None: the simulated one) and
#: how many trials are counted; those of `TIMED` also how many seconds they watch.
BENCHMARKS = {
    "blackout": ("blackout", "blackout"),
    "pool": ("pool", "pool"),
    "threshold": ("threshold", "threshold"),
    "death": ("death", "death"),
    "bus": ("bus", "bus"),
    "hook": ("hook", "hook"),
    "queue": ("queue", "queue"),
    "checkpoint": ("checkpoint", "checkpoint"),
    "recovery": ("recovery", "recovery"),
    "up": ("daemon", "up"),
    "idle": ("daemon", "idle"),
    "status": ("cli", "status"),
    "top": ("cli", "top"),
    "api": ("api", "api"),
    "page": ("page", "page"),
    "metrics": ("metrics", "metrics"),
    "growth": ("growth", "growth"),
}
TIMED = ("idle", "top", "api")


def measure(name: str, real: Path | None, trials: int, seconds: float) -> list[Row]:
    """Run the benchmark of that name."""
    module, function = BENCHMARKS[name]
    found: Callable[..., list[Row]] = getattr(import_module(f"failover.bench.{module}"), function)
    return found(real, trials, seconds) if name in TIMED else found(real, trials)


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(list(BENCHMARKS)))
@click.option("--real", is_flag=True, help="With the real Claude Code (installed from npm if need be).")
@click.option("--trials", default=5, show_default=True, help="Counted trials, after one warm-up.")
@click.option("--seconds", default=60.0, show_default=True, help=f"How long {', '.join(TIMED)} watch.")
@click.option("--json", "file", type=click.Path(path_type=Path), help="Write the results there.")
@click.option(
    "--compare",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Results of an earlier run; each figure is shown beside its own.",
)
def main(
    names: Sequence[str], real: bool, trials: int, seconds: float, file: Path | None, compare: Path | None
) -> None:
    """Measure, each figure against its limit in the same run. A benchmark that breaks ends it with 1; one that is
    outside its budget does not: that may be the machine. Of all, one that lacks something of this host is left out."""
    binary = real_cli.real_claude() if real else None
    before = _earlier(compare) if compare else {}
    results: list[Row] = []
    for name in names or BENCHMARKS:
        click.echo(f"{name}: measuring ...", err=True)
        try:
            found = measure(name, binary, trials, seconds)
        except HostError as error:
            if name in names:
                raise click.ClickException(str(error)) from None
            click.echo(f"{name}: left out, since {error}", err=True)
            continue
        for result in found:
            results.append(result)
            click.echo(result.sentence() + _beside(result, before.get(result.name)))
    outside = [result.name for result in results if result.verdict == "outside"]
    click.echo(f"{len(results) - len(outside)} of {len(results)} within their budgets", err=True)
    click.echo(f"({machine()}; {'Claude Code ' + real_cli.PINNED if real else 'simulated binary'})")
    if file:
        file.write_bytes(msgspec.json.format(msgspec.json.encode(results), indent=1) + b"\n")


def _earlier(file: Path) -> dict[str, Row]:
    try:
        rows = msgspec.json.decode(file.read_bytes(), type=list[Row])
    except msgspec.MsgspecError as error:
        raise click.BadParameter(f"{file} holds no results of this suite: {error}", param_hint="--compare") from None
    return {row.name: row for row in rows}


def _beside(now: Row, was: Row | None) -> str:
    if was is None:
        return ""
    change = f" ({now.value / was.value:.2f} x)" if was.value else ""
    return f"; was {was.value:g} {was.unit}, {was.verdict}{change}"


if __name__ == "__main__":
    main()
