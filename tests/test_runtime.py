"""The shell of the roles, with real processes; logging and redaction."""

from __future__ import annotations

import io
import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from failover import log as logs
from failover.config import Config
from failover.redact import redact
from failover.store.db import Store
from tests.places import small_config
from tests.waiting import wait_for

_FIRST = "Heard [], sees ['tiny'], woken 0"


class Stage:
    """Starts roles as processes on one state dir, and reads what they wrote."""

    def __init__(self, config: Config, stack: ExitStack) -> None:
        self.config = config
        self._stack = stack

    def start(self, *command: str, **environ: str) -> subprocess.Popen[str]:
        """Start `python -m COMMAND`; it is killed at the end of the test."""
        environment = {**os.environ, "FAILOVER_CONFIG": str(self.config.file), **environ}
        process = subprocess.Popen([sys.executable, "-m", *command], env=environment, stderr=subprocess.PIPE, text=True)
        self._stack.callback(process.wait)
        self._stack.callback(process.kill)
        return process

    def query(self, sql: str, *args: object) -> list[Any]:
        """Return rows from the store, none when there is no store yet."""
        if not self.config.paths.store.exists():
            return []
        store = Store.read_only(self.config.paths.store)
        try:
            return store.query(sql, args)
        finally:
            store.close()

    def did(self, role: str) -> str:
        """Return the role's last sentence."""
        rows = self.query("SELECT did FROM roles WHERE role = ?", role)
        return rows[0]["did"] if rows else ""


@pytest.fixture
def stage() -> Iterator[Stage]:
    with small_config() as config, ExitStack() as stack:
        config.paths.ensure()
        Store.open(config.paths.store, "test").close()
        yield Stage(config, stack)


def test_a_role_reports_itself_and_ends_cleanly(stage: Stage) -> None:
    role = stage.start("tests.tiny_role", "tiny", "plain")
    wait_for(lambda: stage.did("tiny") == _FIRST, what="its sentence")
    (row,) = stage.query("SELECT * FROM roles")
    assert row["pid"] == role.pid
    (event,) = stage.query("SELECT * FROM events")
    assert (event["type"], event["boot"], event["seq"]) == ("role.started", row["boot"], 1)
    role.send_signal(signal.SIGTERM)
    _, said = role.communicate(timeout=5)
    assert role.returncode == 0
    (line,) = map(json.loads, said.splitlines())
    assert (line["role"], line["level"], line["message"]) == ("tiny", "info", _FIRST)


@pytest.mark.parametrize("way", ["plain", "late"])
def test_a_role_hears_another_over_the_bus_although_it_started_first(stage: Stage, way: str) -> None:
    stage.start("tests.tiny_role", "one", way)
    stage.start("workers.bus")
    wait_for(lambda: stage.did("bus") == "Forwarding envelopes", what="the bus")
    wait_for(lambda: "sees ['bus', 'one']" in stage.did("one"), timeout=4, what="a look, for the bus is new")
    stage.start("tests.tiny_role", "two", "plain")
    # Whether it heard of the bus too is a matter of luck: that one rang while the two were finding each other.
    wait_for(lambda: "'two'], sees" in stage.did("one"), timeout=20, what="the first event of two")


@pytest.mark.parametrize("way", ["rest", "settle"])
def test_what_a_role_lets_wait_is_heard_together_but_its_descriptors_wake_it(stage: Stage, way: str) -> None:
    fifo = stage.config.paths.state_dir / "fifo"
    os.mkfifo(fifo)
    stage.start("workers.bus")
    wait_for(lambda: stage.did("bus") == "Forwarding envelopes", what="the bus")
    stage.start("tests.tiny_role", "one", way, TINY_FIFO=str(fifo))
    stage.start("tests.tiny_role", "other", "plain")
    wait_for(lambda: stage.did("one") and stage.did("other"), what="both")
    for name in ("two", "three"):
        stage.start("tests.tiny_role", name, "plain")
        wait_for(lambda name=name: f"'{name}'" in stage.did("other").partition("sees")[0], timeout=20, what=name)  # type: ignore[misc]
    assert not {"two", "three"} & set(stage.did("one").partition("sees")[0].split("'"))
    with fifo.open("wb", buffering=0) as end:
        end.write(b"x")
    wait_for(lambda: "'two', 'three'], sees" in stage.did("one") and "woken 1" in stage.did("one"), what="a look")


def test_a_role_works_without_a_bus(stage: Stage) -> None:
    stage.start("tests.tiny_role", "tiny", "wake")
    wait_for(lambda: stage.did("tiny") == "Heard [], sees ['tiny'], woken 1", what="a cycle called by a descriptor")


def test_a_cycle_that_fails_is_tried_again_and_says_so(stage: Stage) -> None:
    role = stage.start("tests.tiny_role", "tiny", "stumble")
    wait_for(lambda: stage.did("tiny").startswith("Heard"), what="a good cycle")
    role.terminate()
    _, said = role.communicate(timeout=5)
    assert [json.loads(line)["message"] for line in said.splitlines()] == [
        "Trying again, since stumbled over stone 1",
        "Trying again, since stumbled over stone 2",
        _FIRST,
    ]


def test_an_error_that_nobody_expected_ends_the_role_with_its_traceback_but_no_secret(stage: Stage) -> None:
    role = stage.start("tests.tiny_role", "tiny", "crash")
    _, said = role.communicate(timeout=10)
    assert role.returncode == 1
    line = json.loads(said.splitlines()[-1])
    assert line["level"] == "error"
    assert "ZeroDivisionError: with token=[redacted]" in line["error"]


def test_a_role_with_a_wrong_configuration_names_the_place(stage: Stage) -> None:
    stage.config.file.write_text("version: 1\nacounts: []\n")
    _, said = (role := stage.start("tests.tiny_role", "tiny", "plain")).communicate(timeout=10)
    assert role.returncode == 2
    assert f"{stage.config.file}:2: acounts" in json.loads(said)["message"]


def test_a_role_whose_supervisor_is_gone_does_not_start(stage: Stage) -> None:
    role = stage.start("tests.tiny_role", "tiny", "plain", CLAUDE_FAILOVER_PARENT=str(1 << 22))
    _, said = role.communicate(timeout=10)
    assert role.returncode == 1
    assert "is gone; start it with: claude-failover up" in said


def test_a_reload_keeps_the_old_configuration_when_the_new_one_is_wrong(stage: Stage) -> None:
    right = stage.config.file.read_text()
    role = stage.start("tests.tiny_role", "tiny", "plain")
    assert role.stderr is not None
    assert _FIRST in role.stderr.readline()
    (before,) = stage.query("SELECT * FROM roles")
    stage.config.file.write_text("version: 2\n")
    role.send_signal(signal.SIGHUP)
    assert f"The old configuration stays, since {stage.config.file}:1" in role.stderr.readline()
    stage.config.file.write_text(right)
    role.send_signal(signal.SIGHUP)
    wait_for(lambda: stage.query("SELECT * FROM roles")[0]["boot"] != before["boot"], what="its new start")
    assert stage.query("SELECT * FROM roles")[0]["pid"] == role.pid
    role.terminate()
    assert role.wait(5) == 0


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("key sk-ant-oat01-AbC_def-123456 in use", "AbC_def"),
        ("Authorization: Bearer abc.DEF-123456", "DEF-123456"),
        ('{"access_token": "xyzzy", "input_tokens": 123}', "xyzzy"),
        ("CLAUDE_CODE_OAUTH_TOKEN=xyzzy claude", "xyzzy"),
        ("http://user:xyzzy@proxy:8080/", "xyzzy"),
        ("AWS id AKIAIOSFODNN7EXAMPLE", "IOSFODNN7"),
        ("https://api.telegram.org/bot123456789:AAE-abcdefghijklmnopqrstuvwxyz01234/send", "AAE-abc"),
        ("password = 'hunter two'", "two"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.sig", "eyJzdWI"),
    ],
)
def test_a_secret_is_taken_out(text: str, secret: str) -> None:
    assert secret in text
    assert secret not in redact(text)
    assert "[redacted]" in redact(text)


@pytest.mark.parametrize(
    "text",
    [
        "Moved ccl-0 from main to backup in 0.9 s",
        '{"input_tokens": 12345, "cache_tokens": 0}',
        "recache_tokens_if_cold=1200 for ccl-1",
        "no token was found; log in with: claude auth login",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redact(text) == text


def test_redaction_is_quick_on_hostile_text() -> None:
    for text in ("token" * 20_000, "a" * 100_000 + "=", "://" + "x" * 100_000, 'secret="' + "\\" * 100_000):
        redact(text)


def test_a_terminal_gets_sentences_without_secrets() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    root = logging.getLogger()
    before, level, terminal = root.handlers[:], root.level, Terminal()
    try:
        logs.setup("dispatcher", terminal).warning("token=%s", "xyzzy")
    finally:
        root.handlers[:] = before
        root.setLevel(level)
    assert terminal.getvalue().endswith("dispatcher WARNING token=[redacted]\n")
