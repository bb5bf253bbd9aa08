"""Fault 35: a configuration that is changed under a running daemon."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from failover.host import process
from failover.host.daemon import ROLES
from failover.host.process import ProcessId
from failover.sim.world import World


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with World(accounts=("main", "backup"), sessions={"ccl-0": "app"}) as made:
        made.up()
        made.launch(account="main")
        yield made


def _roles(world: World) -> dict[str, tuple[int, str]]:
    return {row["role"]: (row["pid"], row["boot"]) for row in world.query("SELECT role, pid, boot FROM roles")}


def _alive(world: World) -> bool:
    placement = world.placement("ccl-0")
    return process.alive(ProcessId(placement.pid, placement.start))


def test_35_a_reload_is_taken_by_every_role_in_its_own_process_and_names_what_changed(world: World) -> None:
    before, session = _roles(world), world.placement("ccl-0")
    world._failover["margin"] = 7
    world._extra["claude"] = {"command": str(world.command), "env": world.config.claude.env}
    world.write_config()
    told = json.loads(world.cli("config", "reload", "--json").stdout)
    after = _roles(world)
    assert told["changed"] == ["claude", "failover"] and told["at_next_start"] == ["claude"]
    assert set(told["roles"]) == set(ROLES) == set(after)
    assert all(after[role][0] == before[role][0] and after[role][1] != before[role][1] for role in ROLES)
    assert world.placement("ccl-0") == session and _alive(world)
    assert "nothing in it had changed" in world.cli("config", "reload").stdout


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"version": 1', '"version": 1, "nonsense": 2', "nonsense"),
        ('"socket": "', '"socket": "other-', "sessions stop"),
        ('"name": "main"', '"name": "renamed"', "main is gone while 1 of its sessions live"),
    ],
    ids=["broken", "another tmux server", "the active account removed"],
)
def test_35_a_reload_that_cannot_be_taken_changes_nothing_and_says_what_to_do(
    world: World, old: str, new: str, said: str
) -> None:
    before, good = _roles(world), world.config_file.read_text()
    assert old in good
    world.config_file.write_text(good.replace(old, new))
    done = world.cli("config", "reload", check=False)
    world.config_file.write_text(good)
    assert done.returncode == 2 and said in done.stderr, done
    assert _roles(world) == before and _alive(world)


def test_35_roles_that_start_without_the_account_that_a_session_runs_on_leave_that_session_alone(world: World) -> None:
    good = world.config_file.read_text()
    world.cli("down")
    world.config_file.write_text(good.replace('"name": "main"', '"name": "renamed"'))
    world.up()
    world.wait(lambda: world.state_of("ccl-0") == "idle", "the session seen")
    status = json.loads(world.cli("status", "--json").stdout)
    assert all(role["running"] for role in status["roles"])
    assert [(one["name"], one["account"], one["state"]) for one in status["sessions"]] == [("ccl-0", "main", "idle")]
    assert not [role for role in status["roles"] if "Trying again" in role["did"]], status["roles"]
    assert world.cli("swap", "--dry-run", check=False).returncode in (0, 3)
    assert _alive(world)
    world.cli("down")
    world.config_file.write_text(good)
    world.up()
