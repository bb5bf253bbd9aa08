"""What the module for macOS shares with the one for Linux, and what of it can be tried anywhere. The rest of
tests/host asks the kernel that the tests run on, whichever that is."""

from __future__ import annotations

import ctypes
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from failover.claude import registry
from failover.cli.account_check import login_by_hand
from failover.config import Config
from failover.host import process, resources
from failover.host.kernel import kernel, macos
from failover.host.kernel.facts import Look
from tests.places import small_config
from tests.waiting import wait_for


@pytest.fixture
def child(tmp_path: Path) -> Iterator[process.ProcessId]:
    environment = {"CLAUDE_CONFIG_DIR": "/home/op/ü", "EMPTY": ""}
    with subprocess.Popen(["/bin/sleep", "600"], cwd=tmp_path, env=environment) as made:
        one = process.identify(made.pid)
        assert one is not None
        wait_for(lambda: process.cmdline(one)[:1] == ("/bin/sleep",), what="the program")
        yield one
        made.kill()


@pytest.mark.parametrize("ask", ["arguments", "environment", "folder", "program"])
def test_both_say_the_same_of_a_process(child: process.ProcessId, ask: str) -> None:
    ours: Callable[[int], Any] = getattr(kernel, ask)
    theirs: Callable[[int], Any] = getattr(macos, ask)
    assert ours(child.pid) == theirs(child.pid)
    assert ours(child.pid)
    assert not theirs(1 << 22)
    assert not ours(1 << 22)


def test_both_count_alike(child: process.ProcessId) -> None:
    ours, theirs = kernel.cost(os.getpid()), macos.cost(os.getpid())
    assert ours is not None
    assert theirs is not None
    assert ours[0] == pytest.approx(theirs[0], rel=0.05)
    assert ours[1] == pytest.approx(theirs[1], abs=0.5)
    assert kernel.cost(1 << 22) is None
    assert macos.cost(1 << 22) is None
    assert {child.pid, os.getpid()} <= set(macos.pids()) & set(kernel.pids())
    assert macos.proportional(child.pid) is None


def test_a_share_of_memory_is_no_more_than_what_is_resident(child: process.ProcessId) -> None:
    cost, share = resources.resources(child), resources.proportional(child)
    assert cost is not None
    assert share is None or 0 < share <= cost.resident
    assert resources.proportional(process.ProcessId(child.pid, child.start + 1)) is None
    assert resources.resources(process.ProcessId(child.pid, child.start + 1)) is None


class BsdInfo(ctypes.Structure):
    """sys/proc_info.h of macOS, field by field."""

    _fields_ = (
        *((f"pbi_{name}", ctypes.c_uint32) for name in
          ("flags", "status", "xstatus", "pid", "ppid", "uid", "gid", "ruid", "rgid", "svuid", "svgid", "rfu_1")),
        ("pbi_comm", ctypes.c_char * 16), ("pbi_name", ctypes.c_char * 32),
        *((name, ctypes.c_uint32) for name in ("pbi_nfiles", "pbi_pgid", "pbi_pjobc", "e_tdev", "e_tpgid")),
        ("pbi_nice", ctypes.c_int32), ("pbi_start_tvsec", ctypes.c_uint64), ("pbi_start_tvusec", ctypes.c_uint64),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("status", "device", "look"),
    [
        (2, 0x10000005, Look(77, 1786708750, True)),
        (3, 0xFFFFFFFF, Look(77, 1786708750, False)),
        (5, 0xFFFFFFFF, None),
    ],
    ids=["running on a terminal", "asleep without one", "a zombie"],
)
def test_what_the_kernel_of_macos_says_is_read_right(status: int, device: int, look: Look | None) -> None:
    said = BsdInfo(
        pbi_status=status, pbi_pid=4711, pbi_ppid=77, pbi_uid=501, e_tdev=device, e_tpgid=9,
        pbi_start_tvsec=1786708750, pbi_start_tvusec=999_999, pbi_comm=b"claude",
    )  # fmt: skip
    assert macos.read_info(bytes(said)) == (look, 501)


def test_who_listens_is_known(tmp_path: Path) -> None:
    place = f"s-{os.getpid()}"
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as caller:
        listener.bind(str(tmp_path / place) if len(str(tmp_path)) < 80 else f"\0{place}")
        listener.listen()
        caller.connect(listener.getsockname())
        assert kernel.peer(caller) == os.getpid()


@pytest.fixture
def config() -> Iterator[Config]:
    with small_config() as made:
        yield made


def test_on_macos_a_login_is_told_of_the_keychain(config: Config) -> None:
    folder = config.accounts[0].config_dir
    plain = login_by_hand(config, folder, "linux")
    assert plain.endswith("then /login")
    assert "Keychain" in login_by_hand(config, folder, "darwin")
    assert login_by_hand(config, folder, "darwin").startswith(plain)


@pytest.mark.skipif(sys.platform != "darwin", reason="only macOS tells starts as ps shows them")
def test_on_macos_a_start_is_what_ps_shows(tmp_path: Path) -> None:
    ps, clean = ["ps", "-o", "lstart=", "-p", str(os.getpid())], {"LC_ALL": "C", "TZ": "UTC"}
    shown = subprocess.run(ps, env=clean, capture_output=True, text=True).stdout.strip()
    file = tmp_path / "1.json"
    file.write_text(json.dumps({"pid": os.getpid(), "sessionId": "here", "procStart": shown}))
    entry, me = registry.read_file(file), process.identify(os.getpid())
    assert entry is not None
    assert me == process.ProcessId(entry.pid, entry.start)
