"""Measurements of the control plane: many listeners and askers at once, and what they cost hooks and a swap."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import socket
import statistics
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from failover.bench.effort import Effort
from failover.bench.result import Row, row
from failover.http import auth
from failover.sim.world import World

LISTENERS, RATE = 200, 100
#: How often a hook is sent meanwhile (seconds). Each becomes an event that every listener is told.
_HOOK_EVERY = 0.05


class Figures:
    """What was measured: seconds each. asked: from when a request was due to its whole answer; hooks: from a hook to
    its answer; swaps: from beginning to end. quiet: without load, in the same run."""

    def __init__(self) -> None:
        self.asked: list[float] = []
        self.heard = self.failed = 0
        self.first_failure = ""
        self.hooks: dict[str, list[float]] = {"quiet": [], "loaded": []}
        self.swaps: dict[str, list[float]] = {"quiet": [], "loaded": []}
        self.cpu = 0.0  # of the control plane under load, of one core


def measure(effort: Effort) -> Figures:
    """Swap a pool back and forth, half of the trials without load, then all under load, then the rest without."""
    found, trials = Figures(), effort.trials
    names = {f"ccl-{number}": "app" for number in range(effort.size(4, 1))}
    with World(real=effort.real, accounts=("a", "b"), sessions=names) as world:
        world.up()
        world.launch(account="a")
        targets = iter(["b", "a"] * (2 * trials + 2))
        _swap(world, next(targets))  # the warm-up
        with _hooks(world, found.hooks["quiet"]):
            for _ in range((trials + 1) // 2):
                found.swaps["quiet"].append(_swap(world, next(targets)))
        with _load(world, found, effort.size(LISTENERS, 5)), _hooks(world, found.hooks["loaded"]):
            end, made = time.monotonic() + effort.seconds, 0
            while made < trials or time.monotonic() < end:
                if made < trials:
                    found.swaps["loaded"].append(_swap(world, next(targets)))
                    made += 1
                else:
                    time.sleep(0.2)
        with _hooks(world, found.hooks["quiet"]):
            for _ in range((trials + 1) // 2):
                found.swaps["quiet"].append(_swap(world, next(targets)))
    return found


def api(effort: Effort) -> list[Row]:
    """Measure 200 listeners and 100 status requests a second for so many seconds, and what they cost a swap and the
    hooks."""
    found = measure(effort)
    told = figures(found)
    click.echo("; ".join(f"{name}: {value}" for name, value in told.items()), err=True)
    loaded, quiet = (statistics.median(found.swaps[when]) for when in ("loaded", "quiet"))
    return [
        row("requests under load that failed", found.failed, "of them", None, 0.0),
        row("status under load, p99", told["status p99"], "ms", None, 50.0),
        row("a swap under load, against one without", loaded, "s", quiet, 1.1),
        row("a hook under load, p99", told["hook p99, loaded"], "ms", None, 60.0),
    ]


def _swap(world: World, target: str) -> float:
    world.wait(lambda: all(world.state_of(name) == "idle" for name in world.sessions), "all sessions idle", 60)
    world.cli("swap", "--to", target)
    ((started, finished),) = world.query("SELECT started_ms, finished_ms FROM swaps ORDER BY id DESC LIMIT 1")
    return float(finished - started) / 1000


@contextlib.contextmanager
def _load(world: World, found: Figures, listeners: int) -> Iterator[None]:
    """Let a process of its own listen and ask, until the block ends."""
    ((pid, did),) = world.query("SELECT pid, did FROM roles WHERE role = 'control-plane'")
    port = did.partition("http://127.0.0.1:")[2].partition(";")[0]
    token = auth.token(world.config.paths.token_file, "read")
    process = subprocess.Popen(
        [sys.executable, "-m", "failover.bench.api_load", port, str(listeners), str(RATE)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, "LOAD_TOKEN": token},
    )  # fmt: skip
    assert process.stdin is not None and process.stdout is not None
    try:
        assert process.stdout.readline() == "listening\n", "the load did not begin"
        began, used = time.monotonic(), cpu_of(pid)
        yield
        found.cpu = (cpu_of(pid) - used) / (time.monotonic() - began)
    finally:
        process.stdin.close()
        said = process.stdout.read()
        process.stdout.close()
        process.wait(30)
    told = json.loads(said)
    found.asked, found.heard = told["asked"], told["heard"]
    found.failed, found.first_failure = told["errors"], told["first"]


def cpu_of(pid: int) -> float:
    """Return the processor time that a process has taken (seconds, in hundredths)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def _hooks(world: World, took: list[float]) -> Iterator[None]:
    """Send hooks of a session that is none, and note how long each takes, until the block ends."""
    over = threading.Event()
    path = str(world.config.paths.control_socket)
    body = json.dumps({"session_id": str(uuid.uuid4()), "hook_event_name": "PreToolUse", "cwd": "/"})

    def send() -> None:
        while not over.wait(_HOOK_EVERY):
            connection = http.client.HTTPConnection("failover", timeout=30)
            connection.sock = socket.socket(socket.AF_UNIX)
            began = time.monotonic()
            connection.sock.connect(path)
            connection.request("POST", "/hook?session=bench&account=a&launch=bench", body)
            if connection.getresponse().status == 204:
                took.append(time.monotonic() - began)
            connection.close()

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def at(values: Sequence[float], part: float) -> float:
    """Return the value below which that part of all values lies."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * part), len(ordered) - 1)]


def figures(found: Figures) -> dict[str, Any]:
    """Return what is worth telling, in milliseconds where it is a time of a request or hook."""
    ms = {
        "status p50": at(found.asked, 0.5), "status p99": at(found.asked, 0.99),
        **{f"hook {part}, {when}": at(took, share) for when, took in found.hooks.items()
           for part, share in (("p50", 0.5), ("p99", 0.99))},
    }  # fmt: skip
    return {
        **{name: round(value * 1000, 2) for name, value in ms.items()},
        "requests": len(found.asked),
        "failed": f"{found.failed} {found.first_failure}".strip(),
        "events told": found.heard,
        "swap, quiet (s)": round(statistics.median(found.swaps["quiet"]), 3),
        "swap, loaded (s)": round(statistics.median(found.swaps["loaded"]), 3),
        "control plane, of a core": round(found.cpu, 3),
    }
