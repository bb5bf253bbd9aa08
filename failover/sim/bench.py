"""Measurements against a limit taken in the same run. A ratio says more than milliseconds on somebody's machine.

scripts/bench [NAME ...] [--real] [--json FILE] [--trials N] [--seconds S]
"""

from __future__ import annotations

import functools
import json
import os
import platform
import statistics
import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from failover.claude.launch import LaunchSpec, write_launch_files
from failover.host import process
from failover.sim import real_cli
from failover.sim.bench_queue import queue
from failover.sim.demo import BusWitness
from failover.sim.world import World
from failover.switcher.launcher import Launcher


def machine() -> str:
    """Return what the figures were taken on."""
    return f"{os.cpu_count()} cores, {platform.system()} {platform.release()}, Python {platform.python_version()}"


def row(name: str, value: float, unit: str, limit: float | None, budget: float) -> dict[str, Any]:
    """Return one result. With a limit the budget is a ratio to it, else it is in the unit of the value."""
    ratio = value / limit if limit else None
    within = (ratio if ratio is not None else value) <= budget
    return {
        "name": name,
        "value": round(value, 3),
        "unit": unit,
        "limit": round(limit, 3) if limit else None,
        "ratio": round(ratio, 3) if ratio is not None else None,
        "budget": budget,
        "verdict": "within" if within else "outside",
        "machine": machine(),
    }


def blackout(real: Path | None, trials: int) -> list[dict[str, Any]]:
    """Measure how long a working session is away in a swap, against a bare SIGTERM and `claude --resume`.

    Ours: from the end of its tool, by the tool's own note, to its request at the API under the other account. Bare:
    from the signal to that request, on a session with as much history. The two take turns.
    """
    ours: list[float] = []
    bare: list[float] = []
    with World(real=real, accounts=("a", "b"), sessions={"ccl-0": "app"}) as world:
        world.api.control(chunk_delay=0)
        world.up()
        world.launch(account="a")
        stand = _Bare(world)
        for trial in range(trials + 1):
            source, target = ("a", "b") if trial % 2 == 0 else ("b", "a")
            bare.append(stand.trial(target))
            ours.append(_swap_at_a_tools_end(world, trial, target))
            assert world.placement("ccl-0").account == target != source
    return [row("blackout of one session", _middle(ours), "s", _middle(bare), 1.3)]


def _middle(values: Sequence[float]) -> float:
    return statistics.median(values[1:])  # the first is the warm-up


def _swap_at_a_tools_end(world: World, trial: int, target: str) -> float:
    conversation = world.placement("ccl-0").conversation
    known = len(world.api.requests(conversation))
    world.wait(lambda: world.state_of("ccl-0") == "idle", "ccl-0 idle")
    world.type("ccl-0", "MARK_BASH{" + f"{world.step} bench {trial} 4" + "}")
    world.wait(lambda: any(s["step"] == trial and s["event"] == "start" for s in world.steps()), "the tool at work")
    world.cli("swap", "--to", target)
    end = next(s["t"] for s in world.steps() if s["step"] == trial and s["event"] == "end")
    under = [r for r in world.api.requests(conversation)[known:] if r["account"] == target]
    return float(under[0]["t"]) - float(end)


class _Bare:
    """A session that nobody manages, stopped and resumed as one would by hand."""

    def __init__(self, world: World) -> None:
        self._world, self._conversation = world, str(uuid.uuid4())
        self._launch("a", "MARK_BASH{true}", resume=False)
        world.wait(lambda: len(world.api.requests(self._conversation)) >= 2, "the bare session's first turn")

    def _launch(self, account: str, prompt: str, resume: bool) -> None:
        config = self._world.config
        Launcher(config, self._world.tmux).make_whole(account)
        script = write_launch_files(
            LaunchSpec(
                session="bare",
                account=account,
                launch=uuid.uuid4().hex[:12],
                conversation=self._conversation,
                cwd=self._world.projects["app"],
                config_dir=self._world.accounts[account],
                command=config.claude.command,
                args=config.claude.args,
                env=config.claude.env,
                resume=resume,
                prompt=prompt,
                directory=config.paths.launch_dir,
                control_socket=self._world.root / "nobody.sock",
            )
        )
        pane = self._world.tmux.panes().get("bare")
        if pane is None:
            self._world.tmux.new_session("bare", self._world.projects["app"], ["sh", str(script)])
        else:
            self._world.tmux.respawn(pane.pane_id, self._world.projects["app"], ["sh", str(script)])

    def trial(self, target: str) -> float:
        """Stop the session, resume it under `target`, and return the seconds until its request."""
        import signal

        known = len(self._world.api.requests(self._conversation))
        old = process.identify(self._world.tmux.panes()["bare"].pid)
        assert old is not None
        began = time.time()
        process.send_signal(old, signal.SIGTERM)
        while process.alive(old):
            time.sleep(0.001)
        self._launch(target, "Continue.", resume=True)
        self._world.wait(lambda: len(self._world.api.requests(self._conversation)) > known, "the bare request")
        request = self._world.api.requests(self._conversation)[known]
        time.sleep(0.5)  # its turn ends, so that the other one's trial has the machine to itself
        return float(request["t"]) - began


def threshold(real: Path | None, trials: int) -> list[dict[str, Any]]:
    """Measure the time from a statusline that goes from 89 to 91 % (the threshold is 90) to the swap's beginning.

    The statusline's time is noted by the user's own statusline command, the beginning by a listener on the bus.
    """
    accounts = [f"a{number}" for number in range(trials + 2)]
    waits: list[float] = []
    with World(
        real=real, accounts=accounts, sessions={"ccl-0": "app"}, failover={"cooldown": "0s", "margin": 5}
    ) as world:
        seen = world.root / "statusline.jsonl"
        script = world.root / "statusline"
        script.write_text(
            '#!/bin/sh\nread -r line\nprintf \'{"t": %s, "line": %s}\\n\' "$(date +%s.%3N)" "$line" >>"'
            + str(seen)
            + '"\n'
        )
        script.chmod(0o755)
        settings = json.loads((world.shared / "settings.json").read_text())
        settings["statusLine"] = {"type": "command", "command": str(script)}
        (world.shared / "settings.json").write_text(json.dumps(settings))
        world.api.control(chunk_delay=0)
        world.up()
        world.launch(account=accounts[0])
        bus = BusWitness(world)
        for trial, account in enumerate(accounts[:-1]):
            world.api.account(account, u5=0.89)
            known = len(seen.read_text().splitlines()) if seen.exists() else 0
            world.type("ccl-0", f"hello number {trial}")
            world.wait(lambda: any(_used(n["line"]) == 89 for n in _lines(seen, known)), "89 % in the statusline")  # noqa: B023
            world.wait(lambda: world.state_of("ccl-0") == "idle", "ccl-0 idle")
            assert len(bus.began) == trial, "a swap began below the threshold"
            world.api.account(account, u5=0.91)
            world.type("ccl-0", f"hello again, number {trial}")
            world.wait(lambda trial=trial: len(bus.began) > trial, "a swap")  # type: ignore[misc]
            world.wait(lambda: not world.query("SELECT 1 FROM swaps WHERE state = 'open'"), "its end", 60)
            shown = [n["t"] for n in _lines(seen, known) if _used(n["line"]) >= 90]
            # The push leaves beside the user's command, so the swap may even begin before that has noted the time.
            waits.append(max(0.0, bus.began[trial] - shown[0]))
            world.wait(lambda: world.state_of("ccl-0") == "idle", "ccl-0 idle")
        bus.stop()
        took = [
            (row[0] - row[1]) / 1000 for row in world.query("SELECT finished_ms, started_ms FROM swaps ORDER BY id")
        ]
    return [
        row("threshold to swap, p50", _middle(waits) * 1000, "ms", None, 100.0),
        row("threshold to swap, worst, against the swap that follows", max(waits[1:]), "s", _middle(took), 0.5),
    ]


def _lines(file: Path, known: int) -> list[dict[str, Any]]:
    """Return what the statusline command noted after the first `known` lines; one that is being written is left out."""
    text = file.read_text()
    return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()[known:]]


def _used(line: dict[str, Any]) -> float:
    window = (line.get("rate_limits") or {}).get("five_hour") or {}
    return float(window.get("used_percentage") or 0)


def api(real: Path | None, trials: int, seconds: float = 60.0) -> list[dict[str, Any]]:
    """Measure 200 listeners and 100 status requests a second, and what they cost a swap and the hooks."""
    from failover.sim import bench_api

    found = bench_api.measure(real, trials, seconds)
    told = bench_api.figures(found)
    click.echo("; ".join(f"{name}: {value}" for name, value in told.items()), err=True)
    loaded, quiet = (statistics.median(found.swaps[when]) for when in ("loaded", "quiet"))
    return [
        row("requests that failed", found.failed, "of them", None, 0.0),
        row("status under load, p99", told["status p99"], "ms", None, 50.0),
        row("a swap under load, against one without", loaded, "s", quiet, 1.1),
        row("a hook under load, p99", told["hook p99, loaded"], "ms", None, 60.0),
    ]


def metrics(real: Path | None, trials: int) -> list[dict[str, Any]]:
    """Measure what a scrape of a pool of 20 sessions costs the control plane."""
    from failover.sim import bench_metrics

    found = bench_metrics.cost()
    bare = found["/healthz"]
    return [
        row("an answer that tells nothing, processor", bare, "ms", None, 20.0),
        row("a scrape of 20 sessions, processor", found["/metrics"], "ms", None, 20.0),
        row("a scrape with the roles' share of memory, processor", found["/metrics?pss=1"], "ms", None, 40.0),
    ]


BENCHMARKS: dict[str, Callable[[Path | None, int], list[dict[str, Any]]]] = {
    "blackout": blackout,
    "threshold": threshold,
    "queue": queue,
    "api": api,
    "metrics": metrics,
}


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(list(BENCHMARKS)))
@click.option("--real", is_flag=True, help="With the real Claude Code (installed from npm if need be).")
@click.option("--trials", default=5, show_default=True, help="Counted trials, after one warm-up.")
@click.option("--seconds", default=60.0, show_default=True, help="How long the load of `api` lasts at least.")
@click.option("--json", "file", type=click.Path(path_type=Path), help="Write the results there.")
def main(names: Sequence[str], real: bool, trials: int, seconds: float, file: Path | None) -> None:
    """Measure, each figure against its limit in the same run."""
    binary = real_cli.real_claude() if real else None
    results: list[dict[str, Any]] = []
    for name in names or BENCHMARKS:
        click.echo(f"{name}: measuring ...", err=True)
        measure = functools.partial(api, seconds=seconds) if name == "api" else BENCHMARKS[name]
        for result in measure(binary, trials):
            results.append(result)
            against = f" against {result['limit']} {result['unit']}: ratio {result['ratio']}" if result["limit"] else ""
            click.echo(
                f"{result['name']}: {result['value']} {result['unit']}{against}; "
                f"budget {result['budget']}, {result['verdict']}"
            )
    click.echo(f"({machine()}; {'Claude Code ' + real_cli.PINNED if real else 'simulated binary'})")
    if file:
        file.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
