"""Locks: one holder, named; gone with the holder, however it went."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from failover.errors import HostError
from failover.host.lock import RoleLock

_HOLD = """
import sys, time
from pathlib import Path
from failover.host.lock import RoleLock
lock = RoleLock(Path(sys.argv[1]))
lock.acquire()
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def holder(path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Give a process that holds the lock until it is killed or its input ends."""
    command = [sys.executable, "-c", _HOLD, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        yield process
        process.kill()


def test_the_second_is_refused_and_told_who_holds_it(tmp_path: Path) -> None:
    path = tmp_path / "dispatcher.lock"
    with holder(path) as process, pytest.raises(HostError) as refused:
        RoleLock(path).acquire()
    assert f"{path}: held by process {process.pid};" in str(refused.value)


def test_the_lock_of_a_killed_holder_is_free(tmp_path: Path) -> None:
    path = tmp_path / "swap.lock"
    with holder(path) as process:
        process.kill()
        process.wait()
    with RoleLock(path) as lock:
        assert lock.holder() is not None


def test_a_predecessor_that_is_ending_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "bus.lock"
    with holder(path) as process:
        assert process.stdin is not None
        process.stdin.close()
        RoleLock(path).acquire(wait=5)


def test_the_file_stays_the_same_one(tmp_path: Path) -> None:
    path = tmp_path / "swap.lock"
    with RoleLock(path):
        was = path.stat().st_ino
    with RoleLock(path):
        assert path.stat().st_ino == was
    assert path.exists()


def test_its_folder_is_made_where_there_is_none(tmp_path: Path) -> None:
    with RoleLock(tmp_path / "new" / "tree" / "x.lock") as lock:
        assert lock.holder() is not None


def test_a_place_that_cannot_be_locked_is_named(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "x.lock"
    (tmp_path / "missing").touch()
    with pytest.raises(HostError, match="missing"):
        RoleLock(path).acquire()


def test_a_full_disk_keeps_nobody_from_the_lock(tmp_path: Path) -> None:
    path = tmp_path / "up.lock"
    (tmp_path / "up.lock.holder.part").symlink_to("/dev/full")
    with RoleLock(path) as lock:
        assert lock.holder() is None
        with pytest.raises(HostError, match="a process that did not leave its number"):
            RoleLock(path).acquire()


def test_what_a_kill_left_half_noted_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "up.lock.holder.part").write_text('{"pid": 1, "st')
    with RoleLock(tmp_path / "up.lock") as lock:
        assert lock.holder() is not None
    assert sorted(path.name for path in tmp_path.iterdir()) == ["up.lock", "up.lock.holder"]
