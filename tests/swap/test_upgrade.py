"""`up` of another release takes the running daemon over, role by role; the sessions work on and an open swap ends."""

from __future__ import annotations

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
from failover.config import Config
from failover.errors import Refused
from failover.host import daemon
from failover.host.process import ProcessId, alive
from failover.program import program
from failover.sim.demo import drop_task, finished
from failover.sim.world import World
from failover.store.db import Store
from tests.faults.pool import PATIENCE
from tests.places import short_dir, small_config
from tests.swap.actors import (
    assert_nothing_lost,
    ended,
    hold_stands,
    moves,
    order,
    pids,
    rest,
    result,
    say,
    started,
    swaps,
    work,
)  # fmt: skip
from tests.swap.releases import command, release, restate
from tests.waiting import wait_for


def programs(config: Config) -> dict[str, str]:
    """Return the version that each living role runs."""
    with closing(Store.read_only(config.paths.store)) as store:
        rows = store.query("SELECT role, pid, start, program FROM roles")
    return {row["role"]: row["program"].split()[0] for row in rows if alive(ProcessId(row["pid"], row["start"]))}


def everyone(version: str) -> dict[str, str]:
    return dict.fromkeys(daemon.ROLES, version)


def test_an_upgrade_in_the_middle_of_a_swap_costs_no_session_no_task_and_no_swap() -> None:
    names = ("one", "two", "three", "four")
    with (
        short_dir() as place,
        World(accounts=("a", "b"), sessions=dict.fromkeys(names, "app"),
              failover={"deadline": {"soft": "3m", "hard": "3s"}}) as world,
    ):  # fmt: skip
        world.api.control(chunk_delay=0.01)
        world.up()
        world.launch(account="a")
        say(world, *names)
        # One is in a tool that outlasts the upgrade's first roles, two have tasks, one is at rest and is not moved.
        world.type("one", work(world, "long", 12, 0.5))
        tasks = ["build", "lint"]
        for task in tasks:
            drop_task(world, "app", task, 6, 1.5)
        world.wait(lambda: started(world, "long", 1), "the long tool")
        world.wait(lambda: all(started(world, task, 1) for task in tasks), "both tasks at work", PATIENCE)
        (resting,) = [name for name in names if world.state_of(name) == "idle"]
        busy = [name for name in names if name != resting]
        ordered = order(world, "swap", "--to", "b", *(word for name in busy for word in ("--session", name)))
        world.wait(lambda: hold_stands(world, "one"), "a hold on who is in the long tool", PATIENCE)
        supervisor, before = daemon.find(world.config.paths), pids(world)
        panes = {name: (pane.pane_id, pane.server) for name, pane in world.tmux.panes().items()}

        new = release(place / "new", "0.2.0")
        done = command(new, world.environment(), "up", "--wait", "60")
        assert done.returncode == 0, done.stderr
        assert re.fullmatch(
            r"Upgraded to 0\.2\.0 \([0-9a-f]{8}\) in \d+\.\d s: 9 processes, one after another; the sessions go on\n",
            done.stdout,
        )
        assert programs(world.config) == everyone("0.2.0")
        assert daemon.find(world.config.paths) == supervisor
        code, said = result(ordered)
        world.wait(lambda: swaps(world)[-1][0] != "open", "the end of the swap", PATIENCE)
        assert swaps(world)[-1] == ("done", "b"), (moves(world), code, said)
        world.wait(lambda: finished(world, tasks) == set(tasks), "the tasks", 120)
        rest(world, *names)
        say(world, *names)
        assert {name: (pane.pane_id, pane.server) for name, pane in world.tmux.panes().items()} == panes
        assert pids(world)[resting] == before[resting], "who was not moved is the same process"
        assert {name: world.placement(name).account for name in busy} == dict.fromkeys(busy, "b")
        expected = sorted([("long", 1), ("long", 2), *((task, step) for task in tasks for step in range(1, 7))])
        assert ended(world) == expected
        for name in names:
            assert not any(word in world.screen(name).lower() for word in ("hook", "curl", "refused"))
        assert_nothing_lost(world)


@pytest.fixture
def config() -> Iterator[Config]:
    with small_config() as made:
        yield made
        down(made)


@pytest.fixture
def new() -> Iterator[Path]:
    with short_dir() as place:
        yield release(place / "new", "0.2.0")


def upgrade(place: Path, config: Config, wait: int = 60) -> subprocess.CompletedProcess[str]:
    return command(place, {"FAILOVER_CONFIG": str(config.file)}, "up", "--wait", str(wait))


def test_an_upgrade_stops_at_the_first_role_that_does_not_come_back_and_the_next_goes_on(
    config: Config, new: Path
) -> None:
    up(config, wait=60)
    own = next(iter(programs(config).values()))
    worker = new / "workers" / "dispatcher.py"
    right = worker.read_text()
    worker.write_text("raise SystemExit('it misses a screw')\n")
    done = upgrade(new, config, wait=8)
    assert (done.returncode, done.stdout) == (1, "")
    assert "the upgrade to 0.2.0 stopped at dispatcher, which is not ready in time: it misses a screw" in done.stderr
    assert "; left as they were: checkpoint, notifier, janitor. Mend that and go on with: claude-failover up" in (
        done.stderr
    )
    found = programs(config)
    assert {role for role, version in found.items() if version == own} == {"checkpoint", "notifier", "janitor"}
    assert {role for role, version in found.items() if version == "0.2.0"} == set(daemon.ROLES[:5])

    worker.write_text(right)
    supervisor = daemon.find(config.paths)
    before = roles(config)
    done = upgrade(new, config)
    assert ": 9 processes" in done.stdout, "another fingerprint, so all of them"
    assert programs(config) == everyone("0.2.0") and daemon.find(config.paths) == supervisor
    assert not set(before.values()) & set(roles(config).values())
    done = upgrade(new, config)
    assert (done.returncode, "a daemon already runs there" in done.stderr) == (3, True)


def roles(config: Config) -> dict[str, ProcessId]:
    with closing(Store.read_only(config.paths.store)) as store:
        rows = store.query("SELECT role, pid, start FROM roles")
    return {row["role"]: one for row in rows if alive(one := ProcessId(row["pid"], row["start"]))}


def test_an_upgrade_that_was_killed_between_two_steps_is_finished_by_the_next(config: Config, new: Path) -> None:
    up(config, wait=60)
    supervisor = daemon.find(config.paths)
    began = subprocess.Popen(
        [sys.executable, "-c", "from failover.cli import main; main()", "up"],
        cwd=new, env={"FAILOVER_CONFIG": str(config.file), "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    wait_for(lambda: "0.2.0" in programs(config).values(), 60, "the first role of the upgrade")
    began.send_signal(signal.SIGKILL)
    began.wait()
    # As it is left when the kill comes where a role is taken out of supervisord and not in again.
    supervisord = daemon.supervisord(config.paths, 30)
    supervisord.stopProcess("janitor")
    supervisord.removeProcessGroup("janitor")
    done = upgrade(new, config)
    assert done.returncode == 0, done.stderr
    assert programs(config) == everyone("0.2.0") and daemon.find(config.paths) == supervisor


def test_a_change_of_supervisord_itself_starts_all_anew_unless_somebody_keeps_it(config: Config, new: Path) -> None:
    first = command(new, {"FAILOVER_CONFIG": str(config.file)}, "up", "--wait", "60")
    assert first.returncode == 0, first.stderr
    supervisor = daemon.find(config.paths)
    assert supervisor is not None
    conf = new / "failover" / "supervisord.conf"
    conf.write_text(conf.read_text().replace("[program:bus]", "; of no account\n[program:bus]"))
    restate(new, "0.3.0")
    assert ": 9 processes, one after another;" in upgrade(new, config).stdout, "a comment is no change"
    assert daemon.find(config.paths) == supervisor and programs(config) == everyone("0.3.0")

    conf.write_text(conf.read_text().replace("logfile_backups=2", "logfile_backups=3", 1))
    kept = daemon.conf_file(config.paths)
    kept.write_text(kept.read_text().replace("[supervisord]\n", "[supervisord]\n; started by up --foreground\n"))
    done = upgrade(new, config)
    assert (done.returncode, done.stdout) == (3, "")
    assert f"supervisord itself (process {supervisor.pid}) has to be started anew for 0.3.0 (" in done.stderr
    assert "systemctl --user restart claude-failover. The sessions go on" in done.stderr
    assert daemon.find(config.paths) == supervisor and "logfile_backups=3" not in kept.read_text()

    kept.write_text(kept.read_text().replace("; started by up --foreground\n", ""))
    done = upgrade(new, config)
    assert done.returncode == 0, done.stderr
    assert ": all roles, and supervisord too; the sessions go on" in done.stdout
    assert not alive(supervisor) and programs(config) == everyone("0.3.0")


def test_a_role_that_a_newer_release_no_longer_has_ends_and_one_that_is_down_comes_back(
    config: Config, new: Path
) -> None:
    up(config, wait=60)
    conf = daemon.conf_file(config.paths)
    extra = "\n[program:old]\ncommand=sleep 1000\nautostart=true\n"
    conf.write_text(conf.read_text() + extra)
    supervisord = daemon.supervisord(config.paths, 30)
    supervisord.reloadConfig()
    supervisord.addProcessGroup("old")
    wait_for(lambda: daemon.programs(config.paths).get("old") == "RUNNING", 30, "the old role")
    supervisord.stopProcess("notifier")
    assert upgrade(new, config).returncode == 0
    assert set(daemon.programs(config.paths)) == set(daemon.ROLES)
    assert programs(config) == everyone("0.2.0")


def test_a_daemon_of_this_very_program_is_refused_and_a_role_that_was_stopped_by_hand_is_started(
    config: Config,
) -> None:
    up(config, wait=60)
    assert set(programs(config).values()) == {program().split()[0]}
    with pytest.raises(Refused, match="a daemon already runs there"):
        up(config)
    daemon.supervisord(config.paths, 30).stopProcess("janitor")
    before = roles(config)
    assert ": 1 process;" in up(config, wait=60)
    assert {role: one for role, one in roles(config).items() if role != "janitor"} == before
