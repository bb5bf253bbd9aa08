"""The demo: three made-up accounts, six sessions, two projects with tasks. A quota runs down; the work goes on."""

from __future__ import annotations

import contextlib
import json
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from failover.cli.shared import manual
from failover.core.move import AWAY
from failover.errors import FailoverError
from failover.sim import audit, interrupt, real_cli
from failover.sim.bus_witness import BusWitness
from failover.sim.world import World

if TYPE_CHECKING:
    from rich.console import RenderableType

_SESSIONS = {f"ccl-{number}": ("app" if number < 3 else "web") for number in range(6)}
_TASKS = 18
_STEP_SECONDS = 1.5
#: The first account starts this full and fills by this much with each request (fractions of its five-hour window).
_START, _COST = 0.83, 0.0035
_GIVE_UP_AFTER = 300.0
_TITLE = "claude-failover demo: made-up accounts, nothing leaves this machine"


@click.command(
    "demo",
    epilog=manual(
        {
            "demo": "watch it, a minute long",
            "demo --headless --json": "only the figures, as the fake API and the tools saw them",
            "demo --real": "with Claude Code itself, against a fake API on loopback",
        },
        note="Ends with 1 when something was lost.",
    ),
)
@click.option("--real", is_flag=True, help="With the real Claude Code (installed from npm if need be).")
@click.option("--claude-version", default=real_cli.PINNED, show_default=True, help="Which version of it.")
@click.option("--headless", is_flag=True, help="Without the live view.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object at the end.")
@click.option("--keep", is_flag=True, help="Keep the folder with logs and transcripts; its path is printed.")
@click.option("--picture", type=click.Path(path_type=Path), help="Save the view in mid-swap as an SVG file.")
def demo_command(
    real: bool, claude_version: str, headless: bool, as_json: bool, keep: bool, picture: Path | None
) -> None:
    """Show a failover on this machine: made-up accounts, a fake API on loopback, everything else real."""
    binary = None
    if real:
        click.echo(f"using Claude Code {claude_version} (installed from npm where it is missing) ...", err=True)
        try:
            binary = real_cli.ensure(real_cli.cache_folder(), claude_version)
        except real_cli.InstallError as error:
            raise FailoverError(str(error)) from None
    interrupt.by_signals()
    with World(real=binary, sessions=_SESSIONS, failover={"cooldown": "10s"}) as world:
        try:
            result = run(world, headless=headless, picture=picture)
        except KeyboardInterrupt:
            click.echo("interrupted; cleaning up ...", err=True)
            raise click.exceptions.Exit(130) from None
        if keep:
            print(f"kept: {keep_copy(world)}", file=sys.stderr)
    if as_json:
        click.echo(json.dumps(result))
    else:
        _summary(result)
    good = result["swaps"] >= 1 and result["tasks_done"] == _TASKS
    if not good or result["lost_turns"] or result["lost_tool_results"] or result["tasks_lost"]:
        raise click.exceptions.Exit(1)


def run(world: World, *, headless: bool = True, picture: Path | None = None) -> dict[str, Any]:
    """Run the demo in a world that was just made and return its figures, counted from the logs of the others."""
    world.api.control(
        chunk_delay=0.01,
        accounts={
            "main": {"u5": _START, "cost5": _COST},
            "backup": {"u5": 0.05, "cost5": _COST / 3},
            "spare": {"u5": 0.20, "cost5": _COST / 3},
        },
    )
    tasks = [f"t{number:02}" for number in range(1, _TASKS + 1)]
    world.up()
    bus = BusWitness(world, "swap.started")
    try:
        with _shown(world, headless, picture):
            world.launch()
            for number, task in enumerate(tasks):
                drop_task(world, "app" if number % 2 else "web", task, _steps(number), _STEP_SECONDS)
            world.wait(
                lambda: finished(world, tasks) == set(tasks) and _settled(world), "all tasks done", _GIVE_UP_AFTER
            )
    finally:
        bus.stop()
    return figures(world, tasks, bus)


def _steps(number: int) -> int:
    """Return how long a task is: unequal, so that a swap meets sessions in all states."""
    return 3 + number * 5 % 4


def _settled(world: World) -> bool:
    return not world.query("SELECT 1 FROM swaps WHERE state = 'open'")


def drop_task(world: World, project: str, name: str, steps: int, seconds: float) -> None:
    """Put a task into a project's inbox by rename, as a careful program does."""
    inbox = world.projects[project] / ".agent-queue" / "inbox"
    text = f'# {name}\n\nPLAN{{name={name} steps={steps} command="{world.step} {name} {{step}} {seconds}"}}\n'
    temporary = inbox.parent / f"{name}.tmp"
    temporary.write_text(text)
    temporary.rename(inbox / f"{name}.md")


def finished(world: World, tasks: list[str]) -> set[str]:
    """Return the tasks whose file is in `done/`."""
    folders = [project / ".agent-queue" / "done" for project in world.projects.values()]
    return {task for task in tasks if any((folder / f"{task}.md").exists() for folder in folders)}


def figures(world: World, tasks: list[str], bus: BusWitness) -> dict[str, Any]:
    """Return what the fake API, the tools and a listener on the bus saw; nothing here is the daemon's own claim."""
    found = audit.audit(world.api.records(), world.steps())
    done = finished(world, tasks)
    stepped = {(note["task"], note["step"]) for note in world.steps() if note["event"] == "end"}
    steps = {task: range(1, _steps(number) + 1) for number, task in enumerate(tasks)}
    worked = {task for task in done if all((task, step) in stepped for step in steps[task])}
    waits = [
        began - crossed for crossed in found.threshold_crossed.values() for began in bus.heard[:1] if began > crossed
    ]
    return {
        "swaps": len(bus.heard),
        "sessions": len(world.sessions),
        "moves": found.moves,
        "lost_turns": found.lost_turns,
        "lost_tool_results": found.lost_tool_results,
        "tools_run_twice": found.tools_run_twice,
        "tasks_done": len(worked),
        "tasks_lost": len(tasks) - len(worked),
        "blackout_ms": _spread(found.blackout_ms),
        "threshold_to_swap_ms": _spread([wait * 1000 for wait in waits]),
    }


def _spread(values: list[float]) -> dict[str, int | None]:
    ordered = sorted(values)
    if not ordered:
        return {"p50": None, "max": None}
    return {"p50": round(ordered[len(ordered) // 2]), "max": round(ordered[-1])}


@contextlib.contextmanager
def _shown(world: World, headless: bool, picture: Path | None) -> Iterator[None]:
    if headless and picture is None:
        yield
        return
    from rich.console import Console
    from rich.live import Live

    from failover.cli.live import screen

    config, done = world.config, threading.Event()
    console = Console(quiet=True) if headless else Console()

    def paint(live: Live) -> None:
        wanted, store = picture, world.store
        while not done.wait(0.2):
            view = screen(config, store, _TITLE)
            live.update(view)
            if wanted is not None and _in_mid_swap(world):
                wanted.write_text(drawn(view))
                wanted = None
        store.close()

    with Live(console=console, refresh_per_second=5) as live:
        painter = threading.Thread(target=paint, args=(live,), daemon=True)
        painter.start()
        try:
            yield
            time.sleep(0.5)  # so that the last state is seen
        finally:
            done.set()
            painter.join(timeout=2)


def _in_mid_swap(world: World) -> bool:
    """Say whether some sessions have moved and others have not."""
    rows = world.query("SELECT m.state FROM moves m JOIN swaps s ON s.id = m.swap WHERE s.state = 'open'")
    states = [row["state"] for row in rows]
    return states.count("verified") >= 2 and any(state in AWAY for state in states)


def drawn(view: RenderableType) -> str:
    """Return a view as an SVG picture."""
    import io

    from rich.console import Console

    console = Console(record=True, width=102, file=io.StringIO())
    console.print(view)
    return console.export_svg(title="scripts/demo")


def _summary(result: dict[str, Any]) -> None:
    lost = result["lost_turns"] + result["lost_tool_results"] + result["tasks_lost"]
    away = result["blackout_ms"]
    times = (
        f" Working sessions were away for {away['p50']} ms (median), {away['max']} ms at most." if away["p50"] else ""
    )
    swaps = "1 swap" if result["swaps"] == 1 else f"{result['swaps']} swaps"
    click.echo(
        f"{swaps}, {result['moves']} sessions moved; {result['tasks_done']} tasks done, "
        f"{lost or 'nothing'} lost.{times}"
    )


def keep_copy(world: World) -> Path:
    """Copy all files of a world, which goes when it is closed, and return where they are."""
    import shutil

    kept = Path(f"{world.root}-kept")
    shutil.copytree(world.root, kept, symlinks=True, ignore=lambda folder, names: [n for n in names if "sock" in n])
    return kept
