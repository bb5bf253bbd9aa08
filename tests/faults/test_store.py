"""The disk is full, fails, or a power loss tore the store (faults 16, 17, 18)."""

from __future__ import annotations

import json
import os
import platform
import random
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest

from failover.cli.down import down
from failover.cli.up import up
from failover.clock import ManualClock
from failover.config import Config
from failover.errors import HostError, StoreBroken, StoreError
from failover.events import RolesPaused
from failover.host import daemon
from failover.host.process import alive, identify
from failover.host.tmux import Tmux
from failover.sim.world import World
from failover.store import events
from failover.store.db import Store
from tests.faults.failing_fsync import CALLS
from tests.faults.pool import PATIENCE, ask, at_work, ends, press
from tests.places import small_config
from tests.swap.actors import assert_nothing_lost, ended, hold_stands, order, pids, requests, result, roles, status


@pytest.fixture
def config() -> Iterator[Config]:
    with small_config() as made:
        made.paths.ensure()
        yield made
        down(made)


# -- 16: the disk is full ------------------------------------------------------------------------------------


@contextmanager
def small_disk(place: Path, size: str) -> Iterator[None]:
    """Mount a disk of so many bytes at a new folder."""
    place.mkdir(mode=0o700)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=700", "cf-test", str(place)]
    done = subprocess.run(mount, capture_output=True, text=True, timeout=20)
    if done.returncode:
        pytest.skip(f"no small disk can be mounted here: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True, timeout=20)


def fill(world: World) -> Path:
    """Fill the disk of the state dir to the last byte, and the store's log too; return what has to be removed."""
    filler = world.state / "filler"
    with filler.open("wb", buffering=0) as stream:
        for size in (1 << 20, 1 << 12, 1):
            try:
                while True:
                    stream.write(b"x" * size)
            except OSError:
                continue
    # What SQLite has of its own in its log would do for a while.
    with closing(Store.open(world.config.paths.store, "test")) as store:
        for size in (100_000, 10_000, 10):
            while True:
                try:
                    with store.transaction() as tx:
                        tx.emit(RolesPaused(by="x" * size))
                except StoreError as error:
                    assert f"{world.config.paths.store}: the disk is full; make room there" in str(error)
                    break
    return filler


def test_16_a_full_disk_is_said_the_sessions_work_on_and_with_room_everything_goes_on() -> None:
    failover = {"deadline": {"soft": "3m", "hard": "3s"}}
    with ExitStack() as stack:
        world = stack.enter_context(
            World(accounts=("a", "b"), sessions={"one": "app", "two": "app"}, failover=failover)
        )
        disk = stack.enter_context(ExitStack())
        disk.enter_context(small_disk(world.state, "24m"))
        stack.callback(world.cli, "down", check=False)
        world.api.control(chunk_delay=0.01)
        world.up()
        world.launch(account="a")
        ask(world, "one", "two")
        (task,) = at_work(world, "one", seconds=(4, 2, 1))
        ordered = order(world, "swap", "--to", "b", "--session", "one")
        world.wait(lambda: hold_stands(world, "one"), "a hold")
        before = pids(world)
        filler = fill(world)
        for verb in (("pause",), ("swap", "--to", "b", "--session", "two")):
            done = world.cli(*verb, check=False)
            assert done.returncode == 1, f"{verb}: {done.stdout}{done.stderr}"
            assert f"{world.config.paths.store}: the disk is full; make room there" in done.stderr
        # Nobody is held by what cannot be written, and a person is served as ever.
        world.wait(lambda: (task, 3) in ended(world), "the turn's end", PATIENCE)
        press(world, "two", "how is the weather in PINEAPPLE")
        world.wait(lambda: "PINEAPPLE" in str(requests(world, "two")[-1]["messages"]), "a turn of the other")
        assert pids(world) == before
        for name in world.sessions:
            assert not any(word in world.screen(name).lower() for word in ("hook", "curl", "disk", "store"))

        filler.unlink()
        code, said = result(ordered)
        assert code == 0, said
        world.wait(lambda: set(roles(world)) == set(daemon.ROLES), "nine roles", PATIENCE)
        world.wait(lambda: status(world).count("RUNNING") == 9, "nine RUNNING", PATIENCE)
        ask(world, "one", "two")
        assert requests(world, "one")[-1]["account"] == "b"
        assert ends(world, task) == [(task, step) for step in (1, 2, 3)]
        assert world.query("PRAGMA integrity_check")[0][0] == "ok"
        assert_nothing_lost(world)


# -- 17: fsync fails -------------------------------------------------------------------------------------------


@pytest.mark.skipif(platform.machine() not in CALLS, reason="the numbers of its system calls are not known here")
def test_17_a_role_whose_disk_fails_a_sync_ends_and_never_tries_that_descriptor_again(config: Config) -> None:
    environment = {**os.environ, "FAILOVER_CONFIG": str(config.file)}
    command = [sys.executable, "-m", "tests.faults.failing_fsync"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1, done.stderr
    *_, last = map(json.loads, done.stderr.splitlines())
    assert last["level"] == "error" and "error" not in last, "a sentence, and no traceback"
    assert f"{config.paths.store}: disk I/O error; see that its disk has room and is well" in last["message"]
    # Whoever is started in its place finds all that was committed.
    with closing(Store.open(config.paths.store, "test")) as store:
        told = [one.event.by for one in events.after(store, 0) if isinstance(one.event, RolesPaused)]
        assert told == ["cycle 1", "cycle 2"]
        store.check()
        store.one("PRAGMA wal_checkpoint(TRUNCATE)")


# -- 18: a power loss tore the store ------------------------------------------------------------------------------

_PAGE = 4096
_FRAME = 24 + _PAGE  # of the write-ahead log, behind a header of 32 bytes (sqlite.org/fileformat2.html)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a store of some 60 pages, a third of its events only in the write-ahead log."""
    folder = tmp_path_factory.mktemp("whole")
    path = folder / "state.db"
    store = Store.open(path, "tester", "boot", ManualClock())
    for number in range(300):
        if number == 200:
            store.one("PRAGMA wal_checkpoint(TRUNCATE)")
        with store.transaction() as tx:
            tx.emit(RolesPaused(by=f"{number} " + "x" * 600))
    kept = tmp_path_factory.mktemp("kept")
    for suffix in ("", "-wal"):  # as a power loss would find them: not closed
        shutil.copy(f"{path}{suffix}", kept / f"state.db{suffix}")
    store.close()
    return kept


def copy(whole: Path, place: Path, suffixes: tuple[str, ...] = ("", "-wal")) -> Path:
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    for suffix in suffixes:
        shutil.copy(whole / f"state.db{suffix}", place / f"state.db{suffix}")
    return place / "state.db"


def numbers(path: Path) -> list[int]:
    """Return the events of a store in their order, after a look at all of it and a write. Raises StoreError."""
    with closing(Store.open(path, "tester")) as store:
        store.check()
        found = [int(one.event.by.split()[0]) for one in events.after(store, 0, 1000)]  # type: ignore[union-attr]
        with store.transaction() as tx:
            tx.emit(RolesPaused(by="1000 afterwards"))
    return found


def test_18_a_log_torn_at_any_frame_costs_the_newest_events_and_nothing_else(whole: Path, tmp_path: Path) -> None:
    size = (whole / "state.db-wal").stat().st_size
    frames = (size - 32) // _FRAME
    assert frames >= 100
    counts = [len(numbers(copy(whole, tmp_path / "torn")))]
    for frame in range(0, frames + 1, 7):
        for offset in (0, 11, 24 + 2000):
            path = copy(whole, tmp_path / "torn")
            os.truncate(f"{path}-wal", min(size, 32 + frame * _FRAME + offset))
            found = numbers(path)
            assert found == list(range(len(found))) and len(found) >= 200
            counts.append(len(found))
        path = copy(whole, tmp_path / "torn")
        with Path(f"{path}-wal").open("r+b") as stream:
            stream.seek(min(size - 100, 32 + frame * _FRAME + 500))
            stream.write(random.Random(frame).randbytes(100))
        found = numbers(path)
        assert found == list(range(len(found))) and len(found) >= 200
    assert min(counts) == 200 and max(counts) == 300


def test_18_a_store_torn_at_any_page_is_whole_or_named_with_the_mend(whole: Path, tmp_path: Path) -> None:
    """A page that was never written is empty, or holds what was there before: something else's."""
    size = (whole / "state.db").stat().st_size
    named = 0
    for page in range(size // _PAGE):
        for damage in ("truncated", "empty", "strange", "half"):
            path = copy(whole, tmp_path / "torn", ("",))
            with path.open("r+b") as stream:
                stream.seek(page * _PAGE + (_PAGE // 2 if damage == "half" else 0))
                if damage == "truncated":
                    stream.truncate()
                elif damage == "empty":
                    stream.write(bytes(_PAGE))
                else:
                    stream.write(random.Random(page).randbytes(_PAGE // 2))
            try:
                found = numbers(path)
            except StoreError as error:
                named += 1
                assert str(error).startswith(f"{path}: ")
                assert "move state.db, state.db-wal and state.db-shm away" in str(error) or "not a store" in str(error)
            except sqlite3.Error as error:
                pytest.fail(f"{damage} at page {page}: {error!r} instead of a sentence")
            except ValueError:
                continue  # the text of an event, and nothing that holds the file together, was damaged
            else:
                assert found == list(range(200)) or damage in ("half", "strange"), f"{damage} at page {page}"
    assert named > 100


def damage(config: Config, what: str) -> None:
    """Overwrite the page on which a table or an index begins."""
    with closing(sqlite3.connect(config.paths.store)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (root,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (what,)).fetchone()
    with config.paths.store.open("r+b") as stream:
        stream.seek((root - 1) * _PAGE)
        stream.write(random.Random(1).randbytes(_PAGE))


@pytest.mark.parametrize("rebooted", [True, False], ids=["after-a-power-loss", "found-later"])
def test_18_up_reports_a_torn_store_with_the_mend_and_the_sessions_go_on(
    config: Config, tmp_path: Path, rebooted: bool
) -> None:
    store = config.paths.store
    tmux = Tmux(config.tmux.socket, conf="/dev/null")
    pane = tmux.new_session("ccl-0", tmp_path, ["sleep", "600"])
    session = identify(pane.pid)
    assert session is not None
    up(config, wait=60)
    down(config)
    damage(config, "sqlite_autoindex_placements_1")
    if rebooted:
        (config.paths.run_dir / "store-checked").write_text("the boot before this one")
        with pytest.raises(StoreBroken) as refused:
            up(config, wait=60)
        assert daemon.find(config.paths) is None, "nothing was started on it"
    else:
        for wait in (5, 45):  # on a machine at its limits the roles may not even have begun in the first of them
            with pytest.raises(HostError) as late:
                up(config, wait=wait)
            refused = late  # type: ignore[assignment]
            down(config)
            if "damaged" in str(late.value):
                break
    said = str(refused.value)
    assert f"{store}: damaged" in said
    assert "claude-failover down, move state.db, state.db-wal and state.db-shm away, then: claude-failover up" in said
    assert alive(session)

    aside = tmp_path / "aside"
    aside.mkdir()
    for file in store.parent.glob("state.db*"):
        shutil.move(file, aside / file.name)
    up(config, wait=60)
    assert alive(session)
