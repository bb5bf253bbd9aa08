"""The host crashed: the pool comes back by order, each session with what it had, and what may live is left alone."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from failover.claude import transcript
from failover.host import daemon, process
from failover.host.process import ProcessId
from failover.sim import real_cli
from failover.sim.world import World
from tests.faults.pool import tmux_server
from tests.swap.actors import ended, pids, requests, rest, started, texts, work

SESSIONS = ("worker", "rester", "stopped", "elsewhere")


@pytest.fixture
def world() -> Iterator[World]:
    extra: dict[str, Any] = {"sessions_restart": "never"}
    with World(accounts=("a", "b"), sessions=dict.fromkeys(SESSIONS, "app"), extra=extra) as made:
        made.write_config()
        config = json.loads(made.config_file.read_text())
        config["notify"] = [{"kind": "file", "path": str(made.root / "notices")}]
        made.config_file.write_text(json.dumps(config))
        made.api.control(chunk_delay=0.01)
        made.up()
        made.launch(account="a")
        yield made


def crash(world: World) -> None:
    """End daemon, tmux server and sessions at once, as a host that loses its power does."""
    found, server, those = daemon.find(world.config.paths), tmux_server(world), list(pids(world).values())
    assert found is not None
    for one in (found, server, *those):
        process.send_signal(one, signal.SIGKILL)
    world.wait(lambda: not any(process.alive(one) for one in (found, server, *those)), "the end of everything")


def open_by_hand(world: World, conversation: str) -> subprocess.Popen[bytes]:
    """Go on with a conversation in a terminal of one's own."""
    home = {"CLAUDE_CONFIG_DIR": str(world.accounts["a"]), **real_cli.api_environment(world.api.url)}
    environment = {**world.environment(), **home, "IS_SANDBOX": "1"}
    command = ["script", "-qc", f"{world.command} --resume {conversation}", "/dev/null"]
    return subprocess.Popen(
        command, cwd=world.projects["app"], env=environment, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
    )


def on(conversation: str) -> list[ProcessId]:
    return [one for one in process.with_argument(conversation) if "script" not in process.cmdline(one)[0]]


def answer(world: World, *arguments: str) -> dict[str, dict[str, Any]]:
    done = world.cli("sessions", "restore", *arguments, "--json")
    return {part["session"]: part for part in json.loads(done.stdout)["detail"]["sessions"]}


def test_after_a_crash_of_the_host_the_pool_comes_back_by_order(world: World) -> None:
    world.cli("sessions", "stop", "stopped")
    world.cli("pause")  # so that nobody leaves a, whose window is nearly used up
    world.api.account("a", u5=0.95)
    for name in ("rester", "elsewhere"):
        world.type(name, f"remember {name}")
    rest(world, "rester", "elsewhere")
    world.wait(lambda: world.query("SELECT 1 FROM readings WHERE account = 'a' AND used >= 95"), "the reading of a")
    world.type("worker", work(world, "build", 30, 0.1))
    world.wait(lambda: started(world, "build", 1), "the tool")
    was = {name: world.placement(name).conversation for name in SESSIONS}
    # What it is at reaches its transcript a tenth of a second after it began (docs/guarantees.md, 5).
    place = world.shared, world.projects["app"], was["worker"]
    world.wait(
        lambda: (file := transcript.locate(*place)) and transcript.ending(file).open_tools, "the tool in the transcript"
    )
    asked = len(requests(world, "rester"))
    crash(world)
    by_hand = open_by_hand(world, was["elsewhere"])
    try:
        world.wait(lambda: on(was["elsewhere"]), "the conversation opened by hand")
        world.up()
        file = world.root / "notices"
        world.wait(lambda: file.exists() and "sessions restore" in file.read_text(), "the notice")
        assert file.read_text().count("session.lost") == 1

        plan = answer(world, "--dry-run")
        assert {name: part["action"] for name, part in plan.items()} == {
            "worker": "restore", "rester": "restore", "stopped": "left", "elsewhere": "left",
        }  # fmt: skip
        assert "the tool call Bash" in plan["worker"]["told"] and plan["rester"]["told"] == ""
        assert "open elsewhere" in plan["elsewhere"]["why"] and "stopped by order" in plan["stopped"]["why"]
        assert pids_of(world) == {}, "nothing was done"
        refused = world.cli("sessions", "restore", check=False)
        assert refused.returncode == 3 and "paused" in refused.stderr
        world.cli("resume")

        said = world.cli("sessions", "restore").stdout
        assert max(len(line) for line in said.splitlines()) <= 80
        assert "elsewhere  left alone" in said and "restored under b" in said
        world.wait(lambda: ("build", 2) in ended(world), "the work goes on", 60)
        rest(world, "worker", "rester")
        assert {name: world.placement(name).conversation for name in SESSIONS} == was
        told = texts(requests(world, "worker")[-1])
        assert "was brought back" in told and "outcome is unknown" in told
        assert len(requests(world, "rester")) == asked, "one at rest is told nothing"
        assert {world.placement(name).account for name in ("worker", "rester")} == {"b"}
        assert set(pids(world)) == {"worker", "rester"}
        again = world.cli("sessions", "restore", "worker")
        assert "it runs" in again.stdout
    finally:
        by_hand.kill()
        by_hand.wait()


def pids_of(world: World) -> dict[str, ProcessId]:
    panes = world.tmux.panes()
    return {} if not panes else pids(world)
