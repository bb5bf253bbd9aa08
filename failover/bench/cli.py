"""What the command line costs: how fast `status` answers, and what `top` takes of a core.

Both against a world that is only a store: twenty sessions, three accounts, a week of readings, and no daemon.
"""

from __future__ import annotations

import os
import pty
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

from failover.bench.effort import Effort
from failover.bench.result import Row, row
from failover.bus.proxy import Proxy
from failover.bus.publisher import Publisher
from failover.config import Config, load
from failover.events import SessionStateChanged
from failover.sim import week
from failover.store import sessions
from failover.store.db import Store

_ACCOUNTS = ("main", "backup", "spare")
_SESSIONS = 20
_PROGRAM = (sys.executable, "-c", "from failover.cli import main; main()")
#: How long the view gets to begin before it is measured (seconds).
_WARM_UP = 6.0
#: While it is busy, so many sessions change their state each second: twenty that each have a turn of five seconds.
_CHANGES = 8


@contextmanager
def pool() -> Iterator[Config]:
    """Give the configuration of a pool whose store is filled."""
    with tempfile.TemporaryDirectory(prefix="cf-") as name:
        folder = Path(name)
        file = folder / "config.yaml"
        file.write_text(
            f"version: 1\nstate_dir: {folder}/s\nshared_dir: {folder}/shared\naccounts:\n"
            + "".join(f"  - {{name: {name}, config_dir: {folder}/{name}}}\n" for name in _ACCOUNTS)
            + f'sessions: [{{name: "ccl-{{1..{_SESSIONS}}}", project: {folder}/p}}]\n'
        )
        config = load(file)
        config.paths.ensure()
        with closing(Store.open(config.paths.store, "quota-monitor", "boot")) as store:
            week.fill(store, _ACCOUNTS, time.time())
            now = store.now_ms()
            with store.transaction() as tx:
                for place, one in enumerate(config.sessions):
                    sessions.place(tx, sessions.Placement(
                        session=one.name, account=_ACCOUNTS[place % 2], conversation=f"{place:036}",
                        cwd=str(one.project), wanted="running", launch=f"{place:012}",
                    ))  # fmt: skip
                    sessions.sight(tx, sessions.Sighting(name=one.name, state="idle", since_ms=now, seen_ms=now))
        yield config


def status(effort: Effort) -> list[Row]:
    """Measure `claude-failover status` against the interpreter's own start and the opening of the store, in turns."""
    with pool() as config:
        ours: list[float] = []
        bare: list[float] = []
        opened = f"import sqlite3; sqlite3.connect({str(config.paths.store)!r}).execute('SELECT 1 FROM events LIMIT 1')"
        for _ in range(2 * effort.trials + 1):
            bare.append(_timed([sys.executable, "-c", opened], config))
            ours.append(answer(config))
        return [
            row("status answers, at best", min(ours) * 1000, "ms", None, 300.0),
            row("status against python and an open store", statistics.median(ours), "s", statistics.median(bare), 6.0),
        ]


def answer(config: Config) -> float:
    """Return the seconds that `claude-failover status` takes."""
    return _timed([*_PROGRAM, "status"], config)


def _environ(config: Config) -> Mapping[str, str]:
    # As installed: the code of modules is compiled once and kept.
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "FAILOVER_CONFIG": str(config.file), "TERM": "xterm-256color"}


def _timed(command: list[str], config: Config) -> float:
    began = time.perf_counter()
    subprocess.run(command, env=_environ(config), cwd=Path(__file__).parents[2], stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began


def top(effort: Effort) -> list[Row]:
    """Measure the CPU that `claude-failover top` takes with twenty sessions: at rest, and while eight change a second.

    The bus is the real one; the doorbell rings for each change.
    """
    with pool() as config, closing(Proxy(config.paths)), _shown(config) as process:
        time.sleep(effort.size(_WARM_UP, 1.0))
        idle = _share(process.pid, effort.seconds)
        stop = threading.Event()
        worker = threading.Thread(target=_change, args=(config, stop))
        worker.start()
        busy = _share(process.pid, effort.seconds)
        stop.set()
        worker.join()
        return [
            row("top at rest", idle * 100, "% of a core", None, 5.0),
            row("top while eight sessions change a second", busy * 100, "% of a core", None, 5.0),
        ]


@contextmanager
def _shown(config: Config) -> Iterator[subprocess.Popen[bytes]]:
    ours, theirs = pty.openpty()
    os.set_blocking(ours, True)
    process = subprocess.Popen(
        [*_PROGRAM, "top"], stdin=theirs, stdout=theirs, stderr=theirs, env=_environ(config),
        cwd=Path(__file__).parents[2], start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    threading.Thread(target=_drain, args=(ours,), daemon=True).start()
    try:
        yield process
        assert process.poll() is None, "top ended by itself"
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        os.close(ours)


def _drain(terminal: int) -> None:
    try:
        while os.read(terminal, 65536):
            pass
    except OSError:
        return


def _share(pid: int, seconds: float) -> float:
    """Return the share of a core that a process takes over so many seconds."""
    import psutil

    process = psutil.Process(pid)
    before, began = process.cpu_times(), time.monotonic()
    time.sleep(seconds)
    after = process.cpu_times()
    return float(after.user + after.system - before.user - before.system) / (time.monotonic() - began)


def _change(config: Config, stop: threading.Event) -> None:
    publisher = Publisher(config.paths.bus_in)
    with closing(Store.open(config.paths.store, "session-watcher", "boot")) as store:
        store.on_commit = publisher.send
        turn = 0
        while not stop.wait(1 / _CHANGES):
            turn += 1
            name = config.sessions[turn % _SESSIONS].name
            state, was = ("working", "idle") if turn // _SESSIONS % 2 == 0 else ("idle", "working")
            now = store.now_ms()
            with store.transaction() as tx:
                sessions.sight(tx, sessions.Sighting(name=name, state=state, since_ms=now, seen_ms=now))  # type: ignore[arg-type]
                tx.emit(SessionStateChanged(session=name, state=state, was=was))
    publisher.close()
