"""Processes: never the wrong one, and deaths at once."""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from failover.host.process import (
    ProcessId,
    alive,
    children,
    cmdline,
    command_lines,
    host_boot_id,
    identify,
    open_end,
    send_signal,
    with_argument,
)
from tests.waiting import wait_for


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "60"]) as process:
        yield process
        process.kill()


def known(process: subprocess.Popen[bytes]) -> ProcessId:
    found = identify(process.pid)
    assert found is not None
    return found


def test_a_zombie_is_dead() -> None:
    with subprocess.Popen(["true"]) as process:
        was = identify(process.pid)
        wait_for(lambda: Path(f"/proc/{process.pid}/stat").read_text().split()[2] == "Z", what="the zombie")
        assert identify(process.pid) is None
        assert was is None or not alive(was)


def test_a_number_that_nobody_has_is_nobody() -> None:
    assert identify(2**22 + 1) is None
    assert open_end(ProcessId(0, 0)) is None
    assert open_end(ProcessId(-1, 0)) is None


def test_a_name_with_brackets_and_blanks_is_read_right(tmp_path: Path) -> None:
    program = tmp_path / "x) Z 1 (y"
    shutil.copy("/bin/sleep", program)
    with subprocess.Popen([program, "60"]) as process:
        found = known(process)
        assert found in children(os.getpid())
        process.kill()


def test_a_signal_reaches_its_process(sleeper: subprocess.Popen[bytes]) -> None:
    process = known(sleeper)
    assert send_signal(process, signal.SIGTERM)
    assert sleeper.wait(5) == -signal.SIGTERM
    assert send_signal(process, signal.SIGTERM) is False


def test_a_death_wakes_a_poll() -> None:
    for _ in range(20):
        with subprocess.Popen(["sleep", "60"]) as process:
            descriptor = open_end(known(process))
            assert descriptor is not None
            poller = select.poll()
            poller.register(descriptor, select.POLLIN)
            assert poller.poll(0) == []
            process.kill()
            assert poller.poll(5000)
            os.close(descriptor)


def test_a_process_is_found_by_an_argument_that_contains_the_text() -> None:
    marker = f"/nowhere/ccl-0.{os.getpid()}.settings.json"
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", f"--settings={marker}"]) as process:
        assert with_argument(marker) == [known(process)]
        assert with_argument(marker, list(command_lines())) == [known(process)]
        assert with_argument(marker, []) == [], "what was read before is not read again"
        assert marker in cmdline(known(process))[-1]
        process.kill()
    assert with_argument(marker) == []


def test_one_that_becomes_another_program_is_never_without_arguments() -> None:
    again = "import os, sys; os.execv(sys.executable, sys.orig_argv)"
    with subprocess.Popen([sys.executable, "-S", "-c", again, "the mark"]) as process:
        one, until = known(process), time.monotonic() + 1.5
        try:
            while time.monotonic() < until:
                assert "the mark" in cmdline(one)
        finally:
            process.kill()
    assert cmdline(one) == ()


def test_a_parent_that_is_gone_already_is_noticed() -> None:
    script = "from failover.host.process import die_with_parent; die_with_parent(1 << 22)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=20)
    assert done.returncode == 1
    assert f"process {1 << 22}) is gone; start it with: claude-failover up" in done.stderr


def test_a_large_buffer_is_given_back_even_after_larger_ones() -> None:
    script = """
from failover.host.process import give_back_memory
def resident():
    return int(open('/proc/self/statm').read().split()[1])
give_back_memory()
for _ in range(8):
    large = [bytes(16 << 20), b'']  # from here on glibc would keep what is smaller
    del large
before = resident()
parts = [bytearray(b'x') * (8 << 20) for _ in range(3)]
after = bytearray(b'x') * 4096  # what would hold the heap's end
del parts
assert resident() - before < 1024, (before, resident())
"""
    if sys.platform == "linux":
        subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


def test_what_was_freed_in_pieces_is_given_back_when_it_is_asked_for() -> None:
    script = """
from failover.host.process import give_back_free
def resident():
    return int(open('/proc/self/statm').read().split()[1])
pieces = [bytes(2000) for _ in range(20_000)]
full = resident()
kept = pieces[::100]  # what holds the heap together
del pieces
before = resident()
give_back_free()
assert full - before < 1024 and before - resident() > 8192, (full, before, resident())
"""
    if sys.platform == "linux":
        subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


def test_the_boot_has_a_name() -> None:
    assert len(host_boot_id()) == 36
