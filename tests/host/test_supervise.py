"""supervisord outlives a disk that takes neither its log nor its complaints about that."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from failover.host import process, supervise
from tests.waiting import wait_for

_CONF = """
[supervisord]
pidfile={0}/pid
logfile=/dev/full
logfile_maxbytes=0
[program:sleeper]
command=sleep 600
autorestart=true
startsecs=0
stdout_logfile=/dev/full
stdout_logfile_maxbytes=0
"""


@contextmanager
def running(folder: Path, *program: str) -> Iterator[subprocess.Popen[bytes]]:
    """Give a supervisord whose log and stderr are on a disk that is full."""
    conf = folder / "supervisord.conf"
    conf.write_text(_CONF.format(folder))
    with Path("/dev/full").open("wb") as full:
        started = subprocess.Popen([sys.executable, *program, "-n", "-c", str(conf)], stdout=full, stderr=full)
    try:
        yield started
    finally:
        left = process.children(started.pid)
        started.kill()
        started.wait()
        for one in left:
            process.send_signal(one, signal.SIGKILL)


def test_a_full_disk_ends_neither_supervisord_nor_its_care(tmp_path: Path) -> None:
    with running(tmp_path, "-P", supervise.__file__) as started:
        (first,) = wait_for(lambda: process.children(started.pid), 30)
        for _ in range(3):
            assert process.send_signal(first, signal.SIGKILL)
            (first,) = wait_for(lambda was=first: set(process.children(started.pid)) - {was}, 30)  # type: ignore[misc]
        assert started.poll() is None


def test_it_is_needed(tmp_path: Path) -> None:
    with running(tmp_path, "-m", "supervisor.supervisord") as started:
        assert wait_for(lambda: started.poll() is not None, 30), "supervisord lives on by itself: supervise can go"


@pytest.mark.parametrize("text", ["a word", "ein längeres Wort\n"])
def test_what_can_be_written_is_written(text: str, tmp_path: Path) -> None:
    with (tmp_path / "out").open("w") as stream:
        assert supervise.Forgiving(stream).write(text) == len(text)
        assert (tmp_path / "out").read_text() == text
