"""What it costs to write a checkpoint, against a bare SQLite transaction that writes as much."""

from __future__ import annotations

import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from failover.bench.effort import Effort
from failover.bench.result import Row, row, worst_but_one_percent
from failover.events import CheckpointWritten
from failover.store import checkpoints
from failover.store.checkpoints import MAX_BYTES, Checkpoint, Doing, Git, Tool
from failover.store.db import Store

#: So many of each are written, by turns, after a few that do not count.
_ROUNDS, _WARM_UP = 400, 20

#: As large as one can be: every part of it has to be cut.
_LARGE = Checkpoint(
    state="working",
    account="main",
    cwd="/home/dev/src/" + "a-long-name/" * 300,
    launch="0123456789ab",
    call=123456,
    git=Git("feature/" + "b" * 500, "0" * 40, True),
    task=Doing(1234, "nightly " * 200, 2),
    tool=Tool("Bash", "make test && echo 'done' # é " * 200, "unknown"),
    context_tokens=150_000,
    recache_tokens=140_000,
    prompt="Read the file and carry out what it says. " * 400,
)


def checkpoint(effort: Effort) -> list[Row]:
    """Measure the writing of a checkpoint of the largest size, against a bare transaction; they take turns."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store.open(Path(folder) / "state.db", "checkpoint", "boot")
        bare = sqlite3.connect(Path(folder) / "bare.db", isolation_level=None)
        bare.execute("PRAGMA journal_mode = WAL")
        bare.execute("PRAGMA synchronous = NORMAL")
        bare.execute("CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT)")
        body = checkpoints.fit(_LARGE).decode()
        assert len(body.encode()) <= MAX_BYTES

        def ours() -> None:
            with store.transaction() as tx:
                row = checkpoints.add(
                    tx, session="ccl-0", conversation="c", at_ms=1, occasion="Stop", checkpoint=_LARGE
                )
                tx.emit(CheckpointWritten(checkpoint=row, session="ccl-0", occasion="Stop"))

        def plain() -> None:
            bare.execute("BEGIN IMMEDIATE")
            bare.execute("INSERT INTO notes (body) VALUES (?)", (body,))
            bare.execute("COMMIT")

        took: list[tuple[float, float]] = [(_took(ours), _took(plain)) for _ in range(_ROUNDS + _WARM_UP)][_WARM_UP:]
        store.close()
        bare.close()
    own, other = [one for one, _ in took], [bare for _, bare in took]
    middle, slow = statistics.median(own), worst_but_one_percent(own)
    return [
        row("checkpoint of the largest size written, p50", middle, "ms", None, 5.0),
        row("checkpoint against a bare transaction, p50", middle, "ms", statistics.median(other), 10.0),
        row("checkpoint against a bare transaction, p99", slow, "ms", worst_but_one_percent(other), 10.0),
    ]


def _took(action: Callable[[], None]) -> float:
    began = time.perf_counter()
    action()
    return (time.perf_counter() - began) * 1000
