"""The nine roles under supervisord, for real: up, down, kills, and sessions that notice none of it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from failover.cli.down import down
from failover.cli.up import up
from failover.config import Config, load
from failover.errors import HostError
from failover.host import daemon
from failover.host.lock import RoleLock
from failover.host.process import ProcessId, alive, send_signal
from failover.store.db import Store
from tests.places import small_config
from tests.waiting import wait_for


@pytest.fixture
def config() -> Iterator[Config]:
    with small_config() as made:
        yield made
        down(made)


def supervisorctl(conf: Path, *words: str) -> str:
    """Return what supervisorctl prints."""
    command = [sys.executable, "-m", "supervisor.supervisorctl", "-c", str(conf), *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=30).stdout


def roles(config: Config) -> dict[str, ProcessId]:
    """Return the live processes that the roles' rows name."""
    with closing(Store.read_only(config.paths.store)) as store:
        rows = {row["role"]: ProcessId(row["pid"], row["start"]) for row in store.query("SELECT * FROM roles")}
    return {role: process for role, process in rows.items() if alive(process)}


def test_the_programs_are_the_nine_roles_and_each_has_its_module() -> None:
    text = (Path(daemon.__file__).parents[2] / "supervisord.conf").read_text()
    assert tuple(re.findall(r"^\[program:(.+)\]$", text, re.MULTILINE)) == daemon.ROLES
    assert len(daemon.ROLES) == 9
    for role in daemon.ROLES:
        assert f"\ncommand=python -m workers.{role.replace('-', '_')}\n" in text
    assert "password" not in text


@pytest.mark.parametrize(
    ("system", "said"),
    [
        ("darwin", r"^the daemon has never been tried on macOS .*`macos: untried` in .*\.yaml$"),
        ("freebsd14", "^the daemon runs on Linux, and this is freebsd14; "),
    ],
)
def test_where_it_was_never_tried_up_says_so_and_leaves_nothing(
    config: Config, monkeypatch: pytest.MonkeyPatch, system: str, said: str
) -> None:
    monkeypatch.setattr(sys, "platform", system)
    with pytest.raises(HostError, match=said):
        up(config)
    assert not config.state_dir.exists()


def test_a_full_disk_leaves_no_half_of_a_configuration(config: Config) -> None:
    config.paths.ensure()
    part = daemon.conf_file(config.paths).with_name("supervisord.conf.part")
    part.symlink_to("/dev/full")
    with pytest.raises(HostError, match=r"supervisord\.conf: cannot be written: No space left"):
        daemon.write_conf(config.paths)
    assert not part.is_symlink()
    part.write_text("[supervis")  # as a kill leaves it
    assert "[program:bus]" in daemon.write_conf(config.paths).read_text()
    assert not part.exists()


def test_up_starts_nine_roles_and_down_ends_them(config: Config) -> None:
    said = up(config, wait=60)
    found = daemon.find(config.paths)
    assert found is not None
    assert re.fullmatch(
        rf"Up in \d+\.\d s: 9 roles run under supervisord \(process {found.pid}\), state in {config.state_dir}", said
    )
    conf = daemon.conf_file(config.paths)
    assert len(re.findall(r"^\S+ +RUNNING +pid \d+", supervisorctl(conf, "status"), re.MULTILINE)) == 9
    assert set(roles(config)) == set(daemon.ROLES)

    assert "dispatcher: stopped" in supervisorctl(conf, "stop", "dispatcher")
    assert "STOPPED" in supervisorctl(conf, "status", "dispatcher")
    assert "dispatcher: started" in supervisorctl(conf, "start", "all")

    assert re.fullmatch(r"Down in \d+\.\d s; the sessions go on", down(config))
    assert daemon.find(config.paths) is None
    assert roles(config) == {}
    assert down(config) == f"Nothing runs for {config.state_dir}"


def test_a_killed_role_works_again(config: Config) -> None:
    up(config, wait=60)
    for role, process in roles(config).items():
        assert send_signal(process, signal.SIGKILL)
        wait_for(lambda role=role, was=process: roles(config).get(role, was) != was, what=role)  # type: ignore[misc]


def test_up_names_the_role_that_is_not_ready_and_why(config: Config) -> None:
    config.paths.ensure()
    lock = RoleLock(config.paths.locks_dir / "janitor.lock")
    with lock, pytest.raises(HostError, match=rf"not ready in time: janitor: .*held by process {os.getpid()}"):
        up(config, wait=10)


def test_the_shipped_file_serves_the_default_state_dir(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    shipped = Path(daemon.__file__).parents[2] / "supervisord.conf"
    monkeypatch.setenv("HOME", str(config.state_dir.parent))
    config.file.write_text(config.file.read_text().replace(f"state_dir: {config.state_dir}\n", ""))
    default = load(config.file)
    assert default.state_dir == config.state_dir.parent / ".local" / "state" / "claude-failover"
    up(default, wait=60)
    try:
        assert supervisorctl(shipped, "status").count("RUNNING") == 9
    finally:
        down(default)
