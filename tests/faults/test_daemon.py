"""The daemon dies, is doubled, finds what a power loss left, is stopped whole (faults 9, 10, 11, 41)."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from failover.cli.down import down
from failover.cli.up import up
from failover.config import Config, load
from failover.errors import HostError, Refused
from failover.host import daemon
from failover.host.lock import RoleLock
from failover.host.process import ProcessId, alive, children, identify, send_signal
from failover.host.tmux import Tmux
from failover.store.db import Store
from tests.places import small_config
from tests.waiting import wait_for


@pytest.fixture
def config() -> Iterator[Config]:
    with small_config() as made:
        yield made
        down(made)


def roles(config: Config) -> dict[str, ProcessId]:
    """Return the live processes that the roles' rows name."""
    with closing(Store.read_only(config.paths.store)) as store:
        rows = {row["role"]: ProcessId(row["pid"], row["start"]) for row in store.query("SELECT * FROM roles")}
    return {role: process for role, process in rows.items() if alive(process)}


# -- 9: supervisord is killed -------------------------------------------------------------------------

_CHILD = """
import time
from failover.host.process import die_with_parent
die_with_parent()
print(1, flush=True)
time.sleep(60)
"""


_PARENT = f"import subprocess, sys; p = subprocess.Popen([sys.executable, '-c', {_CHILD!r}]); p.wait()"


def test_09_a_role_does_not_outlive_its_parent() -> None:
    with subprocess.Popen([sys.executable, "-c", _PARENT], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"1\n"
        (child,) = children(parent.pid)
        parent.kill()
        wait_for(lambda: not alive(child), timeout=5, what="the child's death")


def test_09_no_role_outlives_its_supervisord_and_up_takes_over(config: Config) -> None:
    up(config, wait=60)
    found = daemon.find(config.paths)
    assert found is not None
    ours = children(found.pid)
    assert len(ours) == 9
    send_signal(found, signal.SIGKILL)
    wait_for(lambda: not any(alive(process) for process in ours), timeout=5, what="the roles' end")
    up(config, wait=60)
    assert set(roles(config)) == set(daemon.ROLES)


# -- 10: two daemons ------------------------------------------------------------------------------------


def test_10_a_second_daemon_on_one_state_dir_is_refused_and_the_first_works_on(config: Config) -> None:
    up(config, wait=60)
    found, before = daemon.find(config.paths), roles(config)
    assert found is not None
    with pytest.raises(Refused, match=rf"{config.state_dir}: a daemon already runs there \(.*process {found.pid}\)"):
        up(config)
    # Neither does a supervisord that a person starts by hand: each of its roles finds its lock taken.
    conf = str(daemon.conf_file(config.paths))
    by_hand = subprocess.run(
        [sys.executable, "-m", "supervisor.supervisord", "-n", "-c", conf], capture_output=True, text=True, timeout=30
    )
    assert by_hand.returncode != 0
    assert "Another program is already listening" in by_hand.stdout + by_hand.stderr
    assert (daemon.find(config.paths), roles(config)) == (found, before)


def test_10_a_second_daemon_on_the_same_shared_tree_is_told_who_holds_it_and_where(config: Config) -> None:
    """Its state dir is another one, but the conversations are the same: only one may start and stop them."""
    up(config, wait=60)
    holder = roles(config)["account-switcher"].pid
    text = config.file.read_text()
    file = config.file.with_name("second.yaml")
    file.write_text(text.replace(f"state_dir: {config.state_dir}", f"state_dir: {config.state_dir}2"))
    second = load(file)
    assert (second.shared_dir, second.state_dir != config.state_dir) == (config.shared_dir, True)
    lock = config.shared_dir / ".claude-failover.lock"
    before = roles(config)
    try:
        for wait in (6, 45):  # on a machine at its limits the roles may not even have begun in the first of them
            with pytest.raises(HostError) as refused:
                up(second, wait=wait)
            if str(lock) in str(refused.value):
                break
            down(second)
        assert re.search(rf"account-switcher: .*{re.escape(str(lock))}: held by process {holder};", str(refused.value))
    finally:
        down(second)
    assert roles(config) == before


def test_10_a_second_process_of_one_role_is_refused_by_number_and_path(config: Config) -> None:
    config.paths.ensure()
    Store.open(config.paths.store, "test").close()
    command = [sys.executable, "-m", "tests.tiny_role", "tiny", "plain"]
    environment = {**os.environ, "FAILOVER_CONFIG": str(config.file)}
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as first:
        wait_for(lambda: "tiny" in roles(config), 60, "the first")
        second = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
        first.kill()
    assert second.returncode == 1
    lock = config.paths.locks_dir / "tiny.lock"
    assert f"{lock}: held by process {first.pid};" in msgspec.json.decode(second.stderr)["message"]


# -- 11: what a power loss leaves ---------------------------------------------------------------------------


def test_11_files_left_by_a_power_loss_lock_nobody_out(tmp_path: Path) -> None:
    path = tmp_path / "swap.lock"
    path.touch()
    (tmp_path / "swap.lock.holder").write_text('{"pid": 1, "start": 1}')
    RoleLock(path).acquire()
    (tmp_path / "half.lock.holder").write_text('{"pid": 1, "st')
    half = RoleLock(tmp_path / "half.lock")
    assert half.holder() is None
    half.acquire()


def test_11_a_state_dir_as_a_power_loss_left_it_is_taken_over_and_no_stranger_is_touched(config: Config) -> None:
    """Locks, sockets and rows name numbers that other processes have by now."""
    paths = config.paths
    paths.ensure()
    with subprocess.Popen(["sleep", "600"]) as stranger:
        known = identify(stranger.pid)
        assert known is not None
        former = ProcessId(known.pid, known.start - 100)
        try:
            with closing(Store.open(paths.store, "test")) as store, store.transaction() as tx:
                for role in daemon.ROLES:
                    sql = "INSERT INTO roles (role, boot, pid, start, at_ms) VALUES (?, 'b', ?, ?, 0)"
                    tx.execute(sql, (role, former.pid, former.start))
            names = [*daemon.ROLES, "up", "bus-endpoints"]
            # A lock whose beside-file names a living stranger by its very start is free all the same: the kernel knows.
            for number, name in enumerate(names):
                (paths.locks_dir / f"{name}.lock").touch()
                noted = known if number % 2 else former
                (paths.locks_dir / f"{name}.lock.holder").write_bytes(msgspec.json.encode(noted))
            for path in (paths.control_socket, paths.supervisor_socket, paths.run_dir / "bus-in.sock"):
                with socket.socket(socket.AF_UNIX) as dead:
                    dead.bind(str(path))
            (paths.run_dir / "supervisord.pid").write_text(f"{known.pid}\n")
            (paths.run_dir / "store-checked").write_text("the boot before this one")
            up(config, wait=60)
            assert set(roles(config)) == set(daemon.ROLES)
            down(config)
            assert alive(known)
        finally:
            stranger.kill()


# -- 41: the service manager stops the daemon -------------------------------------------------------------


def test_41_sessions_notice_nothing_of_down_kill_and_up(config: Config, tmp_path: Path) -> None:
    up(config, wait=60)
    tmux = Tmux(config.tmux.socket, conf="/dev/null")
    pane = tmux.new_session("ccl-0", tmp_path, ["sh", "-c", "echo at work; exec sleep 60"])
    wait_for(lambda: "at work" in tmux.capture(pane.pane_id), what="the session")
    process, shown = identify(pane.pid), tmux.capture(pane.pane_id)
    assert process is not None
    down(config)
    assert alive(process)
    up(config, wait=60)
    found = daemon.find(config.paths)
    assert found is not None
    for ours in (found, *children(found.pid)):
        send_signal(ours, signal.SIGKILL)
    wait_for(lambda: not roles(config), what="the end of everything of ours")
    up(config, wait=60)
    down(config)
    assert alive(process)
    assert tmux.panes()["ccl-0"].pid == pane.pid
    assert tmux.capture(pane.pane_id) == shown


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_41_a_signal_to_the_daemons_whole_process_group_reaches_no_session(
    config: Config, tmp_path: Path, number: signal.Signals
) -> None:
    """The tmux server is started as a role would start it: by a process of the daemon's own group and session."""
    up(config, wait=60)
    found = daemon.find(config.paths)
    assert found is not None
    everyone = [found, *children(found.pid)]
    assert {os.getsid(one.pid) for one in everyone} == {found.pid}
    launcher = (
        "import os, sys; from pathlib import Path; from failover.host.tmux import Tmux;"
        "Tmux(sys.argv[1], conf='/dev/null').new_session('ccl-0', Path('/'), ['sleep', '600']); os.read(0, 1)"
    )
    command = [sys.executable, "-c", launcher, config.tmux.socket]
    with subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True) as role:
        tmux = Tmux(config.tmux.socket, conf="/dev/null")
        wait_for(lambda: "ccl-0" in tmux.panes(), 60, "the session")
        session = identify(tmux.panes()["ccl-0"].pid)
        assert session is not None
        server = _server(tmux)
        assert os.getsid(server) == os.getpgid(server) == server
        assert os.getsid(session.pid) not in (role.pid, found.pid)
        os.killpg(role.pid, number)
        os.killpg(found.pid, number)
        role.wait(60)
    wait_for(lambda: not any(alive(one) for one in everyone), 60, "the daemon's end")
    assert alive(session)
    assert identify(server) is not None


def _server(tmux: Tmux) -> int:
    command = ["tmux", "-L", tmux.socket_name, "display-message", "-p", "#{pid}"]
    return int(subprocess.run(command, capture_output=True, text=True, timeout=20).stdout)
