"""The store is copied each day, whole and for the operator alone, and can be gone back to."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from failover.core.task import Task
from failover.errors import HostError, UsageError
from failover.events import RolesPaused, StoreBackedUp
from failover.host.lock import RoleLock
from failover.store import backup, tasks
from failover.store.db import Store
from tests.janitor.house import DAY, House
from tests.waiting import wait_for


def cli(house: House, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "FAILOVER_CONFIG": str(house.config.file), "HOME": str(house.folder)}
    command = [sys.executable, "-c", "from failover.cli import main; main()", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)


def queued(house: House, name: str) -> int:
    with house.store.transaction() as tx:
        return tasks.add(tx, Task(id=0, name=name, project=str(house.project))).id


def test_a_copy_is_made_each_day_and_the_newest_are_kept(house: House) -> None:
    folder = house.config.paths.backup_dir
    (first,) = folder.iterdir()
    assert stat.S_IMODE(first.stat().st_mode) == 0o600
    (event,) = [one.event for one in house.events() if isinstance(one.event, StoreBackedUp)]
    assert (event.file, event.size) == (first.name, first.stat().st_size)
    house.later(DAY / 2)
    assert "backups" not in house.sweep()
    for _ in range(10):
        house.later(DAY)
        house.sweep()
    house.later(600)
    house.sweep()
    assert len(list(folder.iterdir())) == 7 and not first.exists()


def test_a_copy_that_was_made_while_the_clock_was_ahead_keeps_no_other_from_being_made(house: House) -> None:
    (house.config.paths.backup_dir / "state-29990101T000000Z.db").write_text("x")
    assert "backups" not in house.sweep()
    house.later(DAY)
    assert "1 backups" in house.sweep() and "backups" not in house.sweep()


def test_no_copies_are_made_or_removed_where_they_are_off(tmp_path: Path) -> None:
    house = House(tmp_path, janitor={"backup_every": "0", "backups": 1})
    for day in (1, 2):
        (house.config.paths.backup_dir / f"state-2026010{day}T000000Z.db").write_text("x")
    house.sweep()
    assert len(list(house.config.paths.backup_dir.iterdir())) == 2


def test_a_copy_is_not_made_where_the_disk_would_be_full(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.later(2 * DAY)
    monkeypatch.setattr(os, "statvfs", lambda path: SimpleNamespace(f_bavail=1000, f_frsize=1000))
    house.put("done", "a.md")
    house.later(31 * DAY)
    said = house.sweep()
    assert "0 MiB are free" in said and "make room there" in said and "1 finished tasks" in said, "the rest goes on"
    assert len(list(house.config.paths.backup_dir.iterdir())) == 1


def test_writers_write_on_while_a_copy_is_made(house: House) -> None:
    with house.store.transaction() as tx:
        tx.execute(
            "INSERT INTO events (at_ms, source, boot, seq, type, body) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL"
            " SELECT i + 1 FROM n WHERE i < 20000) SELECT i, 'x', 'x', i, 'x', hex(randomblob(500)) FROM n"
        )
    committed: list[float] = []
    done = threading.Event()

    def write() -> None:
        own = Store.open(house.config.paths.store, "control-plane", "writer")
        while not done.is_set():
            with own.transaction() as tx:
                tx.emit(RolesPaused(by="x"))
            committed.append(time.monotonic())
        own.close()

    writer = threading.Thread(target=write)
    writer.start()
    wait_for(lambda: committed, what="the writer")
    began = time.monotonic()
    made = backup.make(house.janitor._store, house.config.paths.store, house.config.paths.backup_dir, 1)
    ended = time.monotonic()
    done.set()
    writer.join()
    assert sum(began < at < ended for at in committed) >= 2
    backup.check(made.path)


def test_one_goes_back_to_a_copy(house: House) -> None:
    queued(house, "kept")
    house.later(2 * DAY)
    house.sweep()
    copy = backup.backups(house.config.paths.backup_dir)[0].path
    queued(house, "after")
    house.store.close()
    done = cli(house, "backups", "restore", copy.name)
    assert done.returncode == 0 and "claude-failover up" in done.stdout, done.stderr
    store = Store.open(house.config.paths.store, "dispatcher", "again")
    assert [task.name for task in tasks.open_tasks(store)] == ["kept"]
    with store.transaction() as tx:
        assert tasks.add(tx, Task(id=0, name="new", project="p")).id > 1_000_000, "no number is given twice"
    (was,) = house.config.paths.state_dir.glob("state.db.before-*Z")
    kept = Store.open(was, "reader")
    assert [task.name for task in tasks.open_tasks(kept)] == ["kept", "after"], "what was there is kept whole"
    assert stat.S_IMODE(house.config.paths.store.stat().st_mode) == 0o600


def test_a_damaged_store_is_gone_back_from_too(house: House) -> None:
    queued(house, "kept")
    house.later(2 * DAY)
    house.sweep()
    copy = backup.backups(house.config.paths.backup_dir)[0].path
    store = house.config.paths.store
    log = store.with_name(f"{store.name}-wal")
    store.write_bytes(b"torn" * 5000)
    assert log.exists()
    done = cli(house, "backups", "restore", copy.name, "--json")
    assert done.returncode == 0, done.stderr
    was = Path(json.loads(done.stdout)["was"])
    assert was.read_bytes() == b"torn" * 5000
    again = Store.open(store, "dispatcher", "again")
    again.check()
    assert [task.name for task in tasks.open_tasks(again)] == ["kept"]


def test_nobody_goes_back_while_a_role_runs(house: House) -> None:
    copy = backup.backups(house.config.paths.backup_dir)[0].path
    queued(house, "kept")
    with RoleLock(house.config.paths.locks_dir / "dispatcher.lock"):
        done = cli(house, "backups", "restore", copy.name)
    assert done.returncode == 1 and "dispatcher.lock: held by process" in done.stderr
    assert [task.name for task in tasks.open_tasks(house.store)] == ["kept"]


def test_what_is_no_copy_is_refused_and_the_store_stays(house: House) -> None:
    folder = house.config.paths.backup_dir
    torn = folder / "state-20200101T000000Z.db"
    whole = backup.backups(folder)[0].path.read_bytes()
    torn.write_bytes(whole[: len(whole) // 2])
    torn.chmod(0o600)
    for name, said in (
        (torn.name, "damaged"),
        ("nothing", "there is no such copy"),
        (str(house.config.file), "no copy"),
    ):
        done = cli(house, "backups", "restore", name)
        assert done.returncode == 2 and (said in done.stderr or "no copy" in done.stderr), done.stderr
    open_to_others = backup.backups(folder)[0].path
    open_to_others.chmod(0o644)
    with pytest.raises(HostError, match="chmod 600"):
        backup.restore(open_to_others, house.config.paths, 1)
    with pytest.raises(UsageError, match="backups list"):
        backup.check(house.config.file)
    house.store.check()
