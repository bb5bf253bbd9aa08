"""What a scrape costs the control plane, against an answer that tells nothing."""

from __future__ import annotations

import contextlib
import http.client
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from failover.bench.api import cpu_of
from failover.bench.effort import Effort
from failover.bench.result import Row, row
from failover.http import auth
from failover.sim import history
from failover.sim.world import World
from failover.store.db import Store

_SESSIONS, _READINGS = 20, 400
#: The kernel counts processor time in hundredths of a second, so it takes many to tell one.
_TIMES = 100


def metrics(effort: Effort) -> list[Row]:
    """Measure what a scrape of a pool of 20 sessions costs the control plane."""
    found = cost(effort.size(_TIMES, 10))
    return [
        row("an answer that tells nothing, processor", found["/healthz"], "ms", None, 20.0),
        row("a scrape of 20 sessions, processor", found["/metrics"], "ms", None, 20.0),
        row("a scrape with the roles' share of memory, processor", found["/metrics?pss=1"], "ms", None, 40.0),
    ]


def cost(times: int) -> dict[str, float]:
    """Return milliseconds of processor time that the control plane takes for one answer, by path."""
    names = [f"s-{number}" for number in range(_SESSIONS)]
    with World(sessions=dict.fromkeys(names, "app")) as world:
        world.config.paths.ensure()
        store = Store.open(world.config.paths.store, "account-switcher", "bench")
        history.remember(world.config, store, readings=_READINGS, sessions=_SESSIONS)
        with _control_plane(world, store) as (pid, port):
            found = {path: _each(world, pid, port, path, times) for path in ("/healthz", "/metrics", "/metrics?pss=1")}
        store.close()
    return found


@contextlib.contextmanager
def _control_plane(world: World, store: Store) -> Iterator[tuple[int, int]]:
    root = Path(__file__).resolve().parents[2]
    process = subprocess.Popen([sys.executable, "-m", "workers.control_plane"], cwd=root, env=world.environment(),
                               stderr=subprocess.DEVNULL)  # fmt: skip
    try:
        sql = "SELECT did FROM roles WHERE role = 'control-plane' AND did LIKE '%http://127.0.0.1:%'"
        did = world.wait(lambda: store.one(sql), "the control plane to serve")["did"]
        yield process.pid, int(did.partition("http://127.0.0.1:")[2].partition(";")[0])
    finally:
        process.terminate()
        process.wait(20)


def _each(world: World, pid: int, port: int, path: str, times: int) -> float:
    headers = {"Authorization": f"Bearer {auth.token(world.config.paths.token_file, 'read')}"}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    for _ in range(3):  # the first one loads what it needs
        _ask(connection, path, headers)
    before = cpu_of(pid)
    for _ in range(times):
        _ask(connection, path, headers)
    used = cpu_of(pid) - before
    connection.close()
    return used / times * 1000


def _ask(connection: http.client.HTTPConnection, path: str, headers: dict[str, str]) -> None:
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    answer.read()
    assert answer.status == 200, f"{path}: {answer.status}"
