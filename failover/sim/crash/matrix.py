"""The crash matrix: a swap for each process that can be killed and each point at which it can be, and what came of it.

scripts/crash-matrix [--json FILE] [--only VICTIM[:STEP[:WHEN]]] [--real] [--keep FOLDER]
"""

from __future__ import annotations

import contextlib
import json
import shutil
import statistics
import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from failover.core.move import TERMINAL, TRANSITIONS, State
from failover.sim import interrupt, real_cli
from failover.sim.crash.cell import RECOVERS_WITHIN, VICTIMS, WHEN, Cell, Result, Scenario, blank
from failover.sim.crash.play import play
from failover.sim.crash.stage import Stage

_WIDTH = 100


def happy_path() -> tuple[str, ...]:
    """Return the states that a move enters on its longest way from queued to verified that meets none twice."""

    def ways(state: State, behind: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        if state == "verified":
            yield behind
        for ahead in TRANSITIONS[state].values():
            if ahead not in behind and ahead != "queued":
                yield from ways(ahead, (*behind, ahead))

    return max(ways("queued", ()), key=len)


#: The swaps in which something is killed, each with what no earlier one leads a move to.
SCENARIOS: tuple[Scenario, ...] = (
    Scenario("swap", happy_path()),
    Scenario("target fails", ("leaving",), ends=("verified", "stayed"), target_mode="limit"),
)


def unreached() -> list[str]:
    """Return the states between queued and the end that no scenario reaches, so that no crash there is tried."""
    reached = {step for scenario in SCENARIOS for step in scenario.steps}
    return [state for state in TRANSITIONS if state not in reached | TERMINAL and state != "queued"]


def cells(only: str = "") -> list[Cell]:
    """Return the cells of the matrix, or those that `only` (VICTIM[:STEP[:WHEN]], empty parts for all) names.

    Raises click.BadParameter when it names none.
    """
    found = [
        Cell(scenario, victim, step, when)
        for victim in VICTIMS
        for scenario in SCENARIOS
        for step in scenario.steps
        for when in WHEN
    ]
    parts = (*only.split(":"), "", "")[:3]
    wanted = [
        cell
        for cell in found
        if all(part in ("", name) for part, name in zip(parts, (cell.victim, cell.step, cell.when), strict=True))
    ]
    if not wanted:
        steps = dict.fromkeys(cell.step for cell in found)
        named = f"VICTIM is one of {', '.join(VICTIMS)}; STEP of {', '.join(steps)}; WHEN of {', '.join(WHEN)}"
        raise click.BadParameter(f"{only!r} names no cell; {named}")
    return wanted


def run(
    wanted: Sequence[Cell], real: Path | None, tell: Callable[[Result], None], keep: Path | None = None
) -> list[Result]:
    """Play cells, telling each result as it comes.

    A world serves for one victim, until a cell fails in it; one in which a target fails serves once. The first cell of
    each scenario is preceded by a swap in which nothing is killed, to compare with.
    """
    results: list[Result] = []
    undisturbed: dict[str, float | None] = {}
    left = list(wanted)
    while left:
        with Stage(real) as stage:
            victim, sound = left[0].victim, True
            while sound and left and left[0].victim == victim:
                calm = Cell(left[0].scenario)
                cell = left.pop(0) if calm.scenario.name in undisturbed else calm
                result = play(stage, cell)
                if cell is calm:
                    undisturbed[calm.scenario.name] = result.swap
                result.undisturbed = undisturbed[cell.scenario.name]
                results.append(result)
                tell(result)
                sound = result.outcome != "failed" and cell.scenario.target_mode == "ok"
            if result.outcome == "failed" and keep:
                shutil.copytree(
                    stage.world.root,
                    keep / f"{result.victim}-{result.step}-{result.when}-{stage.world.root.name}",
                    symlinks=True,
                    ignore=lambda folder, names: [name for name in names if "sock" in name],
                )
    return results


def header() -> str:
    """Return the table's head."""
    return _row("victim", "step", "when", "outcome", ("back s", "step s", "end s", "swap s"), "session")


def _row(victim: str, step: str, when: str, outcome: str, seconds: Sequence[str], hit: str) -> str:
    return f"{victim:16} {step:12} {when:6} {outcome:9} {''.join(f'{text:>7}' for text in seconds)}  {hit}".rstrip()


def line(result: Result) -> str:
    """Return a result as a row of the table, at most 100 columns wide, with its problems below."""

    def number(value: float | None) -> str:
        return "-" if value is None else f"{value:.2f}"

    seconds = [number(value) for value in (result.back, result.moved, result.end, result.swap)]
    row = _row(result.victim, result.step or result.scenario, result.when, result.outcome, seconds, result.hit)
    below = [
        wrapped
        for text in [*result.problems, *result.notes]
        for part in text.splitlines()[:3]
        for wrapped in textwrap.wrap(part, _WIDTH - 4, initial_indent="    ", subsequent_indent="    ")
    ]
    return "\n".join([row, *below])


def counts(results: Sequence[Result], planned: int) -> dict[str, Any]:
    """Return the counts of a run; the undisturbed swaps are no cells."""
    played = [result for result in results if result.victim in VICTIMS]
    took = [result.recovery for result in played if result.recovery is not None]
    ends = [result.swap for result in played if result.swap is not None]
    calm = [result.swap for result in results if result.victim not in VICTIMS and result.swap is not None]
    return {
        "cells": planned,
        **{word: sum(r.outcome == word for r in played) for word in ("recovered", "slow", "failed")},
        "skipped": planned - len(played),
        "limit_seconds": RECOVERS_WITHIN,
        "recovery_seconds": {"p50": round(statistics.median(took), 2), "max": max(took)} if took else None,
        "swap_seconds": {"p50": round(statistics.median(ends), 2), "max": max(ends)} if ends else None,
        "undisturbed_swap_seconds": calm[0] if calm else None,
    }


@click.command()
@click.option("--json", "file", type=click.Path(path_type=Path), help="Write the results there, as a list of objects.")
@click.option("--only", default="", metavar="VICTIM[:STEP[:WHEN]]", help="Only these cells.")
@click.option("--real", is_flag=True, help="With the real Claude Code (installed from npm if need be).")
@click.option(
    "--keep", type=click.Path(path_type=Path), help="Copy the folders of worlds in which a cell failed there."
)
def main(file: Path | None, only: str, real: bool, keep: Path | None) -> None:
    """Kill each process at each step of a swap, and say whether the swap recovered within the limit.

    Ends with 0 only when every cell recovered.
    """
    wanted = cells(only)
    interrupt.by_signals()
    results: list[Result] = []

    def tell(result: Result) -> None:
        results.append(result)
        click.echo(line(result))

    click.echo(header())
    with contextlib.suppress(KeyboardInterrupt):
        run(wanted, real_cli.real_claude() if real else None, tell, keep)
    known = {(result.victim, result.step, result.when) for result in results}
    skipped = [blank(cell) for cell in wanted if (cell.victim, cell.step, cell.when) not in known]
    missing = [] if only else [blank(Cell(Scenario("(none)", (step,)), v, step, w))
                               for step in unreached() for v in VICTIMS for w in WHEN]  # fmt: skip
    for result in missing:
        result.problems.append(f"no scenario leads a move to {result.step}")
    for result in (*skipped, *missing):
        click.echo(line(result))
    if file:
        rows = [{**asdict(one), "recovery": one.recovery} for one in (*results, *skipped, *missing)]
        file.write_text(json.dumps(rows, indent=1) + "\n")
    found = counts(results, len(wanted) + len(missing))
    click.echo(json.dumps(found))
    if found["recovered"] != found["cells"] or any(result.outcome != "recovered" for result in results):
        raise click.exceptions.Exit(1)


if __name__ == "__main__":
    main()
