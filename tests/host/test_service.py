"""The daemon as a service: units that systemd accepts, readiness and watchdog, and what a stop leaves alone."""

from __future__ import annotations

import contextlib
import os
import plistlib
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from failover.config import Config
from failover.errors import UsageError
from failover.host import daemon, process, service, service_notify
from failover.host.process import ProcessId, alive, identify
from failover.sim.world import World
from tests.cli.run import PROGRAM, ROOT, Answer, cli
from tests.places import short_dir, small_config
from tests.swap.releases import command, release

ODD = Path('/opt/50% of $HOME/my "bin"/claude-failover')


def described(manager: service.Manager, system: bool = False, program: Path = Path("/bin/true")) -> service.Service:
    return service.describe(
        manager, system=system, program=program, config=Path("/home/op/my %c/config.yaml"), home=Path("/home/op"),
        user="op", environ={"PATH": "/home/op/.local/bin:/usr/bin"},
    )  # fmt: skip


@pytest.mark.parametrize("system", [False, True])
def test_systemd_finds_nothing_wrong_with_the_unit(system: bool, tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is not installed (Debian: apt-get install systemd)")
    unit = described("systemd", system)
    text = unit.text.replace("User=op\n", "User=root\n").replace("WorkingDirectory=/home/op", "WorkingDirectory=/")
    file = tmp_path / unit.file.name
    file.write_text(text)
    scope = [] if system else ["--user"]
    done = subprocess.run(
        [analyze, "verify", *scope, "--man=no", str(file)], capture_output=True, text=True, timeout=60,
        env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)},
    )  # fmt: skip
    said = [line for line in (done.stdout + done.stderr).splitlines() if unit.file.name in line]
    assert said == []


def test_the_unit_kills_nobody_but_supervisord_and_says_how_it_is_started() -> None:
    user, system = described("systemd"), described("systemd", system=True)
    assert user.file == Path("/home/op/.config/systemd/user/claude-failover.service")
    assert system.file == Path("/etc/systemd/system/claude-failover.service")
    for unit in (user, system):
        lines = unit.text.splitlines()
        for wanted in (
            "Type=notify", "NotifyAccess=all", "Restart=always", "KillMode=process", "OOMPolicy=continue",
            'ExecStart="/bin/true" up --foreground', 'ExecStop="/bin/true" down',
            'Environment="FAILOVER_CONFIG=/home/op/my %%c/config.yaml"',
            'Environment="PATH=/home/op/.local/bin:/usr/bin"',
        ):  # fmt: skip
            assert wanted in lines
        assert "@" not in unit.text
    assert "WantedBy=default.target" in user.text and "User=" not in user.text
    assert "WantedBy=multi-user.target" in system.text and "User=op\n" in system.text
    assert user.enable[0] == ("systemctl", "--user", "daemon-reload")
    odd = described("systemd", program=ODD).text
    assert 'ExecStart="/opt/50%% of $$HOME/my \\"bin\\"/claude-failover" up --foreground' in odd
    with pytest.raises(UsageError, match="control character"):
        described("systemd", program=Path("/a\nExecStart=/bin/evil"))


def test_launchds_list_leaves_the_process_group_alone() -> None:
    agent = described("launchd", program=ODD)
    content = plistlib.loads(agent.text.encode())
    assert content["ProgramArguments"] == [str(ODD), "up", "--foreground"]
    assert content["AbandonProcessGroup"] is True and content["KeepAlive"] is True
    assert content["EnvironmentVariables"]["FAILOVER_CONFIG"] == "/home/op/my %c/config.yaml"
    assert (agent.file.name, service.MARK in agent.text) == ("local.claude-failover.plist", True)
    assert plistlib.loads(described("launchd", system=True).text.encode())["UserName"] == "op"


@pytest.fixture
def host() -> Iterator[tuple[Path, Config]]:
    with small_config() as config:
        place = config.file.parent
        (place / "bin").mkdir()
        tool = place / "bin" / "systemctl"
        tool.write_text(f'#!/bin/sh\necho "$@" >>{place}/asked\ntest ! -e {place}/broken\n')
        tool.chmod(0o755)
        yield place, config


def run(place: Path, *arguments: str) -> Answer:
    path = f"{place}/bin:{Path(sys.executable).parent}:{os.environ['PATH']}"
    return cli(place / "config.yaml", "service", *arguments, HOME=str(place), PATH=path, XDG_CONFIG_HOME="")


@pytest.mark.skipif(sys.platform == "darwin", reason="systemd's")
def test_install_show_and_uninstall(host: tuple[Path, Config]) -> None:
    place, _ = host
    file, asked = place / ".config" / "systemd" / "user" / "claude-failover.service", place / "asked"
    shown = run(place, "install", "--dry-run")
    assert (shown.code, file.exists(), asked.exists()) == (0, False, False)
    assert "would be run: systemctl --user enable claude-failover" in shown.out
    assert ": not installed" in run(place, "show").out
    installed = run(place, "install")
    assert (installed.code, installed.err) == (0, "")
    assert "loginctl enable-linger" in installed.out
    assert "start it: claude-failover down; systemctl --user start claude-failover" in installed.out
    assert asked.read_text() == "--user daemon-reload\n--user enable claude-failover\n"
    assert f'Environment="FAILOVER_CONFIG={place}/config.yaml"' in file.read_text()
    assert file.read_text() in shown.out
    assert run(place, "show", "--json").json["state"] == "installed"
    assert not run(place, "install", "--json").json["changed"]
    (place / "broken").touch()
    removed = run(place, "uninstall", "--json").json
    assert (removed["removed"], file.exists()) == (True, False)
    assert "systemctl --user disable --now claude-failover" in removed["left"]
    file.write_text("[Service]\nExecStart=/mine\n")
    refused = run(place, "install")
    assert (refused.code, "was not written by us" in refused.err) == (2, True)
    assert "left to you" in run(place, "install", "--force").out


def test_the_managers_own_variables_reach_no_session() -> None:
    given = {"NOTIFY_SOCKET": "/run/n", "WATCHDOG_USEC": "5", "WATCHDOG_PID": "1", "INVOCATION_ID": "x", "A": "b"}
    assert service_notify.handed_over(given) == {
        "A": "b", service_notify.SOCKET: "/run/n", service_notify.WATCHDOG: "5"
    }  # fmt: skip
    assert service_notify.handed_over({"A": "b"}) == {"A": "b"}


class Manager:
    """What systemd does with Type=notify, Restart=always and KillMode=process, in little."""

    def __init__(self, world: World) -> None:
        self._world, self._address = world, world.root / "notify"
        self.told: list[str] = []
        self.starts: list[ProcessId] = []
        self.stopping = False
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(self._address))
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._keeper = threading.Thread(target=self._keep, daemon=True)
        self._listener.start()
        self._keeper.start()

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while text := self._socket.recv(4096):
                self.told += text.decode().splitlines()

    def _keep(self) -> None:
        own = {"NOTIFY_SOCKET": str(self._address), "WATCHDOG_USEC": "900000", "INVOCATION_ID": "made-up"}
        environment = {**self._world.environment(), **own, "PYTHONPATH": str(ROOT)}
        while not self.stopping:
            with (self._world.root / "out").open("ab") as out:
                child = subprocess.Popen([*PROGRAM, "up", "--foreground"], env=environment, stdout=out, stderr=out)
            one = identify(child.pid)
            assert one is not None
            self.starts.append(one)
            self.exit = child.wait()

    def stop(self) -> int:
        """End the service as `systemctl stop` does with the unit's ExecStop, and return how it ended."""
        self.stopping = True
        self._world.cli("down")
        self._keeper.join(60)
        assert not self._keeper.is_alive()
        self._socket.shutdown(socket.SHUT_RDWR)
        self._listener.join(10)
        self._socket.close()
        return self.exit


def test_under_a_manager_it_tells_of_itself_and_takes_over_what_a_kill_left() -> None:
    with World(accounts=("a",), sessions={"one": "app"}) as world:
        manager, paths = Manager(world), world.config.paths
        try:
            world.wait(lambda: "READY=1" in manager.told, "READY", 60)
            # It is true: every role is there, and supervisord is the very process that was started.
            first = daemon.find(paths)
            assert first == manager.starts[0]
            roles = process.children(first.pid)
            assert len(roles) == len(daemon.ROLES) + 1
            assert set(daemon.programs(paths).values()) == {"RUNNING"}
            world.launch()
            session = identify(world.placement("one").pid)
            assert session is not None
            environment = Path(f"/proc/{session.pid}/environ").read_bytes()
            for name in (b"NOTIFY", b"WATCHDOG", b"INVOCATION_ID"):
                assert name not in environment
            # A role that does not live is not hidden from the watchdog.
            (bus,) = [one for one in roles if any(word == "workers.bus" for word in process.cmdline(one))]
            process.send_signal(bus, signal.SIGKILL)
            world.wait(lambda: any("not running: bus" in line for line in manager.told), "the loss of a role told")
            count = len(manager.told)
            world.wait(lambda: manager.told[count:].count("WATCHDOG=1") > 1, "the watchdog to be fed again")
            manager.told.clear()
            process.send_signal(first, signal.SIGKILL)
            world.wait(lambda: "READY=1" in manager.told, "READY again", 60)
            assert daemon.find(paths) == manager.starts[1]
            assert not any(alive(one) for one in (first, *roles))
            # The session is the one of before, and has a turn that the new daemon sees.
            assert identify(world.placement("one").pid) == session
            world.type("one", "are you there")
            world.wait(lambda: any("are you there" in str(one) for one in world.api.requests()), "the session to ask")
            world.wait(lambda: world.state_of("one") == "idle", "the session idle again")
            assert manager.stop() == 0
        finally:
            if not manager.stopping:
                manager.stop()
        assert daemon.find(paths) is None
        assert alive(session)


def test_under_a_manager_an_upgrade_replaces_the_roles_and_who_tells_the_manager_of_them() -> None:
    with short_dir() as place, World(accounts=("a",), sessions={"one": "app"}) as world:
        manager, paths = Manager(world), world.config.paths
        try:
            world.wait(lambda: "READY=1" in manager.told, "READY", 60)
            first = daemon.find(paths)
            assert first is not None
            before = set(process.children(first.pid))
            manager.told.clear()
            done = command(release(place / "new", "0.2.0"), world.environment(), "up", "--wait", "60")
            assert done.returncode == 0, done.stderr
            assert ": 10 processes, one after another; the sessions go on" in done.stdout
            assert daemon.find(paths) == first == manager.starts[-1]
            now = process.children(first.pid)
            assert len(now) == len(daemon.ROLES) + 1 and not before & set(now)
            for one in now:
                assert Path(f"/proc/{one.pid}/cwd").readlink() == (place / "new").resolve()
            world.wait(lambda: "WATCHDOG=1" in manager.told, "the watchdog to be fed by the new one")
            assert manager.stop() == 0
        finally:
            if not manager.stopping:
                manager.stop()


def test_up_for_cron_succeeds_when_it_runs_already_and_a_second_foreground_is_refused() -> None:
    with small_config() as config:
        try:
            first = cli(config.file, "up", "--if-down", "--wait", "60")
            assert (first.code, first.out.startswith("Up in ")) == (0, True)
            again = cli(config.file, "up", "--if-down")
            assert (again.code, again.out.startswith("Up already (supervisord, process ")) == (0, True)
            assert cli(config.file, "up", "--foreground").code == 3
        finally:
            cli(config.file, "down")


def test_a_manager_that_does_not_listen_is_no_error() -> None:
    with short_dir() as place:
        service_notify.tell(str(place / "nobody"), "READY=1")
        name = f"@{place.name}"
        with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as listener:
            listener.bind(f"\0{place.name}")
            service_notify.tell(name, "READY=1")
            assert listener.recv(100) == b"READY=1"
