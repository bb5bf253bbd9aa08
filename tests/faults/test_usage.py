"""Fault 25 (and 29): whoever is asked for readings answers nothing, garbage, too much, too late, or a secret."""

from __future__ import annotations

import json
import logging
import os
import sqlite3
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from failover import log as logs
from failover.clock import SystemClock
from failover.config import load
from failover.host import process
from failover.quota.ledger import Ledger
from failover.quota.poller import Poller
from failover.runtime import Host
from failover.sim.api import Api
from failover.sim.real_cli import config_dir, sim_claude
from failover.store import events, usage
from failover.store.db import Store
from failover.store.usage import Poll
from tests.waiting import wait_for

CANARY = "canary-7f3a9c"
GOOD = {"account": "a", "window": "five_hour", "used": 42.5, "resets_at": None}


class Clock(SystemClock):
    """The host's clock, and what a test lets pass."""

    ahead = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.ahead


class Desk:
    """A poller on a store of its own; `claude` and the operator's command are what the test writes."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.clock = folder, Clock()
        self.claude = folder / "claude"
        self.extra = ""
        self.environment: dict[str, str] = {}

    def configure(self, script: str = "", **wanted: Any) -> None:
        """Write `claude` and the configuration, and let a new role begin."""
        if script:
            self.claude.write_text(f"#!/bin/sh\n{script}\n")
            self.claude.chmod(0o755)
        file = self.folder / "config.yaml"
        account = {"name": "a", "config_dir": str(self.folder / "a")}
        file.write_text(json.dumps({
            "version": 1, "state_dir": str(self.folder / "s"), "shared_dir": str(self.folder / "shared"),
            "claude": {"command": str(self.claude), "env": self.environment}, "accounts": [account],
            "usage": {"timeout": "30s", **wanted},
        }))  # fmt: skip
        config = load(file, {"HOME": str(self.folder)})
        config.paths.ensure()
        self.store = Store.open(config.paths.store, "quota-monitor", "boot", self.clock)
        log = logging.getLogger("quota-monitor")
        self.poller = Poller(
            Host(config, config.paths, self.store, self.clock, "boot", cast(Any, None), log, cast(Any, None))
        )

    def ask(self) -> Poll:
        """Let the next question be put and answered; return what came of it."""
        self.poller.step()
        assert self.poller.descriptors()
        wait_for(self.over, 20, "an answer")
        (poll,) = usage.polls(self.store).values()
        return poll

    def hang(self) -> process.ProcessId:
        """Let the next question be put to a command that neither answers nor heeds SIGTERM, and return it."""
        deaf = self.folder / "deaf"
        self.configure(f"trap '' TERM; : >{deaf}; sleep 600 & wait; sleep 600")
        self.poller.step()
        wait_for(deaf.exists, 20, "a shell that has set its trap")
        return self.child()

    def heard(self) -> None:
        Ledger(self.store, ["a"]).keep(self.poller.step() if self.poller.descriptors() else [])

    def over(self) -> bool:
        """Take in what was answered; say whether no answer is awaited any more."""
        self.heard()
        return not self.poller.descriptors()

    def child(self) -> process.ProcessId:
        (poll,) = usage.polls(self.store).values()
        return process.ProcessId(poll.pid, poll.start)

    def readings(self) -> list[tuple[str, float]]:
        return [(r.window, r.used) for r in usage.recent(self.store, 0)]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.poller.close()
    made.store.close()


@pytest.mark.parametrize(
    "script",
    ["", "exit 0", "echo garbage", "echo '{\"result\": \"Usage: see the web\"}'", "exec cat /dev/zero",
     "echo \"error: unknown option '--no-session-persistence'\" >&2; exit 1", "kill -9 $$"],
    ids=["no program", "nothing", "garbled", "another version", "endless", "older", "killed"],
)  # fmt: skip
def test_25_an_answer_that_is_missing_garbled_or_of_another_version_is_an_error_and_backs_off(
    desk: Desk, script: str
) -> None:
    desk.configure(script)
    if script:
        poll = desk.ask()
    else:
        desk.poller.step()
        (poll,) = usage.polls(desk.store).values()
    assert poll.failures == 1
    assert desk.readings() == []
    assert "claude -p /usage of a" in poll.said
    assert [one.event.what for one in events.latest(desk.store, 9) if hasattr(one.event, "what")] == ["poll_failed"]
    desk.clock.ahead += 599
    desk.poller.step()
    assert desk.poller.descriptors() == []
    desk.clock.ahead += 10
    if script:
        assert desk.ask().failures == 2


def test_25_a_command_that_hangs_is_ended_and_the_role_goes_on_meanwhile(desk: Desk) -> None:
    child = desk.hang()
    begun = time.monotonic()
    for _ in range(50):
        assert desk.poller.step() == []
    assert time.monotonic() - begun < 5, "a step waits for nobody"
    desk.clock.ahead += 31
    desk.poller.step()
    assert process.alive(child), "it was told to end, and given a moment"
    desk.clock.ahead += 6
    wait_for(desk.over, 10, "its end")
    assert not process.alive(child)
    (poll,) = usage.polls(desk.store).values()
    assert poll.said == "claude -p /usage of a gave no answer within 30 s"


def test_25_a_command_is_not_killed_while_it_refreshes_its_login(desk: Desk) -> None:
    lock = desk.folder / "a" / ".oauth_refresh.lock"
    lock.mkdir(parents=True)
    child = desk.hang()
    for _ in range(3):
        desk.clock.ahead += 40
        desk.poller.step()
    assert process.alive(child)
    lock.rmdir()
    wait_for(desk.over, 10, "its end")


def test_25_a_back_off_outlives_the_role_and_so_does_no_command(desk: Desk) -> None:
    desk.configure("exec sleep 600")
    desk.poller.step()
    child = desk.child()
    desk.configure()  # as after a SIGKILL of the role
    wait_for(lambda: not process.alive(child) or os.waitpid(child.pid, os.WNOHANG)[0], 10, "the end of what was left")
    desk.clock.ahead += 500
    desk.poller.step()
    assert desk.poller.descriptors() == []
    assert usage.polls(desk.store)["account/a"].failures == 1


@pytest.mark.parametrize(
    ("answer", "place"),
    [
        ("", "is empty"),
        ("no json", "no JSON"),
        ("[]", "Expected `object`"),
        ({}, "missing required field `readings`"),
        ({"readings": [GOOD, {**GOOD, "used": "42"}]}, "$.readings[1].used"),
        ({"readings": [{**GOOD, "used": -1}]}, "$.readings[0].used"),
        ({"readings": [{**GOOD, CANARY: 1}]}, "a field that is not in it"),
        ({"readings": [{**GOOD, "account": CANARY}]}, "$.readings[0]: an account that the configuration does not name"),
        ({"readings": [{**GOOD, "window": CANARY}]}, "$.readings[0]: no window"),
        ({"readings": [{**GOOD, "resets_at": 17}]}, "$.readings[0]: resets_at is no time of this week"),
        ({"readings": [{**GOOD, "observed_at": 1.8e12}]}, "$.readings[0]: observed_at is no time of the last week"),
    ],
)  # fmt: skip
def test_25_the_operators_command_is_an_error_when_any_of_it_is_wrong(desk: Desk, answer: object, place: str) -> None:
    text = answer if isinstance(answer, str) else json.dumps(answer)
    desk.configure(poll=False, command=[sys.executable, "-c", f"print({text!r}, end='')"])
    poll = desk.ask()
    assert place in poll.said
    assert CANARY not in poll.said
    assert (poll.failures, desk.readings()) == (1, [])


def test_the_operators_command_is_run_as_often_as_was_said_and_its_readings_are_kept(desk: Desk) -> None:
    answer = json.dumps({"readings": [GOOD, {**GOOD, "window": "seven_day_sonnet", "observed_at": time.time() - 60}]})
    desk.configure(poll=False, every="10m", command=[sys.executable, "-c", f"print({answer!r})"])
    assert desk.ask().failures == 0
    assert sorted(desk.readings()) == [("five_hour", 42.5), ("seven_day_sonnet", 42.5)]
    desk.clock.ahead += 590
    desk.poller.step()
    assert desk.poller.descriptors() == []


def test_what_the_simulated_claude_answers_is_kept_to_the_digit(desk: Desk) -> None:
    with Api(desk.folder / "api.jsonl") as api:
        api.account("a", u5=0.426, u7=0.05, models={"opus": 0.34})
        config_dir(desk.folder / "a", "a", real=False)
        desk.environment = {"ANTHROPIC_BASE_URL": api.url}
        desk.claude = sim_claude(desk.folder / "bin")
        desk.configure()
        assert desk.ask().failures == 0
        assert sorted(desk.readings()) == [("five_hour", 42.6), ("seven_day", 5.0), ("seven_day_opus", 34.0)]
        api.account("a", usage="429")
        file = desk.folder / "a" / ".claude.json"
        state = json.loads(file.read_text())
        state["cachedUsageUtilization"]["fetchedAtMs"] -= 1_700_000
        file.write_text(json.dumps(state))
        desk.clock.ahead += 3700
        assert "repeated its answer" in desk.ask().said


def test_29_what_lies_about_in_files_environment_and_answers_gets_into_nothing_that_we_write_or_say(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A canary in every place where a credential may stand, and in all that the commands print, right and wrong."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", f"sk-ant-{CANARY}")
    monkeypatch.setenv("CLAUDE_CODE_OAUTH_TOKEN", f"sk-ant-oat01-{CANARY}")
    monkeypatch.setenv("SOME_PASSWORD", CANARY)
    place = config_dir(desk.folder / "a", "a", real=True)
    (place / ".credentials.json").write_text(json.dumps({"claudeAiOauth": {"accessToken": f"sk-ant-{CANARY}"}}))
    state = json.loads((place / ".claude.json").read_text())
    state |= {"primaryApiKey": CANARY, "customApiKeyResponses": {"approved": [CANARY]},
              "mcpServers": {"x": {"env": {"TOKEN": CANARY}}},
              "cachedUsageUtilization": {"fetchedAtMs": 1, "accountUuid": CANARY, "utilization": {}}}  # fmt: skip
    (place / ".claude.json").write_text(json.dumps(state))
    log = logs.setup("quota-monitor")
    heard = desk.folder / "heard"
    loud = f'env >{heard}; echo "Bearer {CANARY}" >&2; echo "{CANARY}"; '
    for script in (
        f"{loud} exit 3",
        loud,
        f'{loud[:-1]}; echo \'{{"result": "{CANARY}"}}\'',
        f"echo '{{\"{CANARY}\": 1}}'",
    ):
        desk.configure(script)
        desk.ask()
        with desk.store.transaction() as tx:
            tx.execute("DELETE FROM polls")
        desk.store.close()
    desk.configure(poll=False, command=[str(desk.claude)])
    desk.poller.step()
    wait_for(desk.over, 20, "an answer")
    assert "sk-ant" not in heard.read_text(), "no login of the daemon's environment is handed on"
    for path in (desk.folder / "s").rglob("*"):
        assert not path.is_file() or CANARY.encode() not in path.read_bytes(), path
    with sqlite3.connect(desk.folder / "s" / "state.db") as store:
        assert CANARY not in "\n".join(store.iterdump())
    written = capfd.readouterr()
    assert CANARY not in written.out + written.err
    assert "claude -p /usage of a" in written.err + written.out
    assert log.name == "quota-monitor"
