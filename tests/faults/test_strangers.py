"""Another user of the host tries every door (fault 8)."""

from __future__ import annotations

import json
import os
import signal
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from failover.host import process
from failover.http import auth
from failover.sim.world import World
from tests.faults.pool import ask, pool
from tests.swap.actors import pids, roles


@pytest.fixture
def world() -> Iterator[World]:
    with pool("one") as made:
        yield made


_NOBODY = 65534


def as_nobody(attempts: dict[str, Any]) -> dict[str, str]:
    """Try each thing as the user nobody; return what came of it: "done", or the name of the error."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        found = {}
        try:
            os.setgroups([])
            os.setgid(_NOBODY)
            os.setuid(_NOBODY)
            for name, attempt in attempts.items():
                try:
                    attempt()
                    found[name] = "done"
                except Exception as error:
                    found[name] = type(error).__name__
        finally:
            os.write(writer, json.dumps(found).encode())
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as stream:
        told = stream.read()
    os.waitpid(child, 0)
    found = json.loads(told)
    assert set(found) == set(attempts)
    return dict(found)


def connect(path: str) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        one.settimeout(5)
        one.connect(path)


def test_08_another_user_of_the_host_can_read_nothing_tell_nothing_and_order_nothing(world: World) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    paths, tmux = world.config.paths, f"/tmp/tmux-{os.geteuid()}/{world.socket}"
    ask(world, "one")
    launch_files = sorted(paths.launch_dir.iterdir())
    assert launch_files, "there is something to read"
    sockets = [paths.bus_in.removeprefix("ipc://"), paths.bus_out.removeprefix("ipc://")]
    sockets += [str(paths.control_socket), str(paths.supervisor_socket), tmux]
    files = [paths.store, paths.token_file, paths.state_dir / "supervisord.conf", paths.log_dir / "bus.log"]
    files += [paths.store.with_name("state.db-wal"), paths.locks_dir / "bus.lock", *launch_files]
    for path in (*map(Path, sockets), *files):
        assert path.exists(), path
    session = pids(world)["one"]
    switcher = roles(world)["account-switcher"][1]
    attempts: dict[str, Any] = {f"connect {path}": lambda path=path: connect(path) for path in sockets}
    attempts |= {f"read {path}": lambda path=path: Path(path).read_bytes() for path in files}
    attempts |= {f"write {path}": lambda path=path: Path(path).open("ab").close() for path in files}
    attempts |= {f"kill {one.pid}": lambda one=one: os.kill(one.pid, signal.SIGTERM) for one in (session, switcher)}
    attempts |= {f"environ {one.pid}": lambda one=one: Path(f"/proc/{one.pid}/environ").read_bytes()
                 for one in (session, switcher)}  # fmt: skip
    attempts |= {"list": lambda: list(paths.state_dir.iterdir()), "make": (paths.run_dir / "x").touch}
    where = address(world)
    attempts["http"] = lambda: order_by_http(where)
    modes = {folder: folder.stat().st_mode for folder in (world.root, paths.state_dir)}
    before = world.query("SELECT count(*) FROM orders")[0][0]
    try:
        # First as it is, then with the doors opened by mistake: what lies behind them is still closed.
        for opened in ((world.root,), (world.root, paths.state_dir)):
            for folder in opened:
                folder.chmod(0o755)
            found = as_nobody(attempts)
            allowed = {name for name, what in found.items() if what != "PermissionError"}
            assert allowed <= ({"list"} if paths.state_dir in opened else set()), found
    finally:
        for folder, mode in modes.items():
            folder.chmod(mode & 0o7777)
    assert process.alive(session) and process.alive(switcher)
    assert world.query("SELECT count(*) FROM orders")[0][0] == before
    secrets = auth.tokens(paths.token_file).values()
    lines = [b" ".join(map(os.fsencode, arguments)) for arguments in process.of_user().values()]
    assert not any(one.encode() in line for one in secrets for line in lines), "no token stands in a process list"
    ask(world, "one")


def order_by_http(where: str) -> None:
    """Order a swap over TCP without the token, as any user can try. Raises PermissionError when it is refused."""
    for path in ("/v1/orders", "/hook", "/v1/status"):
        asked = urllib.request.Request(where + path, data=b'{"verb": "swap", "args": {"to": "b"}}')
        asked.add_header("Content-Type", "application/json")
        try:
            urllib.request.urlopen(asked, timeout=10)
        except urllib.error.HTTPError as error:
            if error.code != 401:
                raise
        else:
            return
    raise PermissionError


def address(world: World) -> str:
    (row,) = world.query("SELECT did FROM roles WHERE role = 'control-plane'")
    did: str = row["did"]
    return "http://" + did.split("http://")[1].split(";")[0]
