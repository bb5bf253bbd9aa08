"""What the command line shows comes from the store, with or without a daemon."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from failover.core.move import Move
from failover.core.usage import Reading
from failover.events import RoleStarted
from failover.host import daemon
from failover.http import views
from failover.store import checkpoints, sessions, swaps, usage
from failover.store.checkpoints import Checkpoint, Doing, Git, Tool
from failover.store.db import Store
from tests.cli.run import PROGRAM, ROOT, Answer, cli
from tests.http.plane import Plane
from tests.waiting import wait_for


@pytest.fixture(scope="module")
def stopped(control: Plane) -> Plane:
    """A state dir with some history, and no daemon."""
    store = control.store
    now = store.now_ms()
    control.stop()
    with store.transaction() as tx:
        for number in range(2):
            name = f"s-{number}"
            sessions.place(tx, sessions.Placement(
                session=name, account="a", conversation=f"{number}" * 36, cwd=f"{control.folder}/p", wanted="running",
                launch="0" * 12,
            ))  # fmt: skip
            sessions.sight(tx, sessions.Sighting(name=name, state="idle", since_ms=now, seen_ms=now))
        usage.note(tx, Reading(
            account="a", window="five_hour", used=91.5, resets_at=now // 1000 + 7200, observed_ms=now, source="test",
        ))  # fmt: skip
        swap = swaps.begin(
            tx, kind="swap", source="b", target="a", urgency="soft", reason="for the test", order_id=0, request_id=0,
            started_ms=now, started_mono=0.0, deadline_mono=0.0, host_boot="x",
        )  # fmt: skip
        swaps.add_move(tx, Move(
            id=0, swap=swap, session="s-0", conversation="0", cwd="/", source="b", target="a", kind="swap",
            state="verified", why="answered",
        ))  # fmt: skip
        swaps.finish(tx, swap, "done", "moved 1 of 1 sessions in 0.8 s", now)
        tx.execute(
            "INSERT INTO tasks (name, project, state, queued_ms, body) VALUES (?, ?, 'queued', ?, '{}')",
            ("evil\x1b[31m\nname", f"{control.folder}/p", now),
        )
        checkpoints.add(tx, session="s-0", conversation="c", at_ms=now, occasion="PostToolBatch", checkpoint=Checkpoint(
            state="working", account="a", cwd="/home/dev/" + "deep/" * 300, git=Git("trunk\x1b[31m", "a" * 40, True),
            task=Doing(3, "evil\x1b[31m\nname", 2), tool=Tool("Bash", "make \x07" * 400, "unknown"),
            context_tokens=2100, recache_tokens=1900, prompt="[task 3, attempt 2] Read " + "and do it " * 500,
        ))  # fmt: skip
        tx.emit(RoleStarted(role="test", pid=1))
    return control


VERBS = [
    ["status"], ["accounts", "list"], ["sessions", "list"], ["swaps"], ["swaps", "--moves"], ["tasks", "list"],
    ["usage"], ["checkpoints", "list"], ["checkpoints", "show", "1"], ["events"], ["config", "check"],
]  # fmt: skip


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_reading_verbs_answer_without_a_daemon(stopped: Plane, verb: list[str]) -> None:
    answer = cli(stopped.file, *verb)
    assert (answer.code, answer.err) == (0, "")
    if verb[0] not in ("events", "config"):
        assert all(len(line) <= 80 for line in answer.out.splitlines())
    assert "\x1b" not in answer.out


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_every_reading_verb_speaks_json(stopped: Plane, verb: list[str]) -> None:
    answer = cli(stopped.file, *verb, "--json")
    assert answer.code == 0
    lines = answer.out.splitlines() if verb[0] == "events" else [answer.out]
    assert all(json.loads(line) is not None for line in lines)


def test_status_tells_the_whole_at_a_glance(stopped: Plane) -> None:
    answer = cli(stopped.file, "status")
    assert "0 of 9 roles run; 2 sessions (2 idle)" in answer.out
    assert "92 %, 119m left" in answer.out
    assert "tasks: 1 queued" in answer.out
    view = cli(stopped.file, "status", "--json").json
    assert view["accounts"][0]["windows"][0]["used"] == 91.5
    assert view["accounts"][0]["against"] and not view["accounts"][1]["against"]


def test_status_loads_only_what_it_needs(stopped: Plane) -> None:
    """Against the start of an interpreter that does nothing, in the same run."""

    def once(run: Callable[[], object]) -> float:
        began = time.perf_counter()
        run()
        return time.perf_counter() - began

    status = min(once(lambda: cli(stopped.file, "status")) for _ in range(5))
    bare = min(once(lambda: subprocess.run([sys.executable, "-c", ""], check=True)) for _ in range(5))
    assert status < 15 * bare


def test_the_roles_that_are_shown_are_those_that_run() -> None:
    assert set(views.ROLES) == set(daemon.ROLES)


def test_hostile_names_cannot_reach_the_terminal(stopped: Plane) -> None:
    answer = cli(stopped.file, "tasks", "list")
    assert "evil·[31m·name" in answer.out


def test_events_are_narrowed_by_topic_and_followed(stopped: Plane) -> None:
    answer = cli(stopped.file, "events", "--topic", "role", "--limit", "1", "--json")
    assert [json.loads(line)["event"]["type"] for line in answer.out.splitlines()] == ["role.started"]
    environ = {**os.environ, "FAILOVER_CONFIG": str(stopped.file), "PYTHONPATH": str(ROOT)}
    follow = subprocess.Popen(
        [*PROGRAM, "events", "--follow", "--limit", "1", "--topic", "role"],
        stdout=subprocess.PIPE, text=True, env=environ, cwd=ROOT,
    )  # fmt: skip
    try:
        assert follow.stdout is not None
        assert "role=test" in follow.stdout.readline()
        with stopped.store.transaction() as tx:
            tx.emit(RoleStarted(role="later", pid=2))
        assert "role=later" in follow.stdout.readline()
    finally:
        follow.kill()
        follow.wait()
        assert follow.stdout is not None
        follow.stdout.close()


def test_a_checkpoint_is_shown_in_eighty_columns_and_says_where_it_was_cut(stopped: Plane) -> None:
    (row,) = cli(stopped.file, "checkpoints", "list").out.splitlines()[1:]
    assert row.split()[2:6] == ["s-0", "working", "a", "PostToolBatch"] and "task 3 (evil" in row
    shown = cli(stopped.file, "checkpoints", "show", "1").out
    assert all(len(line) <= 80 for line in (row, *shown.splitlines())) and "\x1b" not in shown + row
    for text in ("tracked files changed", "attempt 2", "(outcome unknown)", "2100 tokens, 1900", "deep/", "…[+"):
        assert text in " ".join(shown.split()), text


def one_line(answer: Answer, code: int) -> str:
    assert answer.code == code, answer.err
    assert answer.out == ""
    (line,) = answer.err.splitlines()
    assert line.startswith("claude-failover: ")
    return line


def test_what_does_not_exist_is_said_in_one_line(stopped: Plane, tmp_path: Path) -> None:
    assert "see: claude-failover checkpoints list" in one_line(cli(stopped.file, "checkpoints", "show", "99"), 2)
    assert "No such command" in one_line(cli(stopped.file, "statsu"), 2)
    assert "No such option" in one_line(cli(stopped.file, "status", "--nope"), 2)
    assert "no configuration" in one_line(cli(None, "status", cwd=tmp_path, HOME=str(tmp_path)), 2)
    assert "cannot be read" in one_line(cli(None, "--config", "/nowhere.yaml", "status"), 2)
    assert "did you mean a" in one_line(cli(stopped.file, "accounts", "check", "aa"), 2)
    assert "--all" in one_line(cli(stopped.file, "sessions", "stop"), 2)
    assert "there is no account z" in one_line(cli(stopped.file, "swap", "--to", "z"), 2)


def test_a_state_dir_without_a_store_says_how_to_get_one(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(f"version: 1\nstate_dir: {tmp_path}/s\naccounts: [{{name: a, config_dir: {tmp_path}/a}}]\n")
    assert "claude-failover up" in one_line(cli(file, "status"), 1)
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "state.db").write_text("no store")
    assert "is this a store of claude-failover?" in one_line(cli(file, "status"), 1)


def test_config_check_names_the_place_and_warns_of_what_is_missing(stopped: Plane, tmp_path: Path) -> None:
    answer = cli(stopped.file, "config", "check", "--json").json
    assert answer["ok"] and any("config_dir" in w or "does not exist" in w for w in answer["warnings"])
    file = tmp_path / "config.yaml"
    file.write_text(stopped.file.read_text() + "failovr: {}\n")
    line = one_line(cli(file, "config", "check"), 2)
    assert f"{file}:" in line and "did you mean failover?" in line


def test_help_loads_no_verb_and_lists_them_all() -> None:
    answer = cli(None, "--help")
    assert answer.code == 0
    for verb in ("demo", "status", "swap", "accounts", "tap"):
        assert f"  {verb} " in answer.out


def test_every_verb_takes_json() -> None:
    code = (
        "import click\n"
        "from failover.cli import verbs\n"
        "def walk(path, command):\n"
        "    if isinstance(command, click.Group):\n"
        "        for name in command.list_commands(click.Context(command)):\n"
        "            walk([*path, name], command.get_command(click.Context(command), name))\n"
        "    elif path in (['top'], ['completion'], ['mcp']):\n"
        "        return\n"
        "    elif not any('--json' in one.opts for one in command.params):\n"
        "        print(' '.join(path))\n"
        "walk([], verbs)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=30)
    assert (done.stdout, done.stderr) == ("", "")


def test_tap_shows_what_comes_over_the_bus(stopped: Plane) -> None:
    import zmq

    from failover.bus.proxy import Proxy
    from failover.bus.publisher import Publisher

    proxy = Proxy(stopped.paths)
    publisher = Publisher(stopped.paths.bus_in)
    store = Store.open(stopped.paths.store, "tester", "boot")
    store.on_commit = publisher.send
    environ = {**os.environ, "FAILOVER_CONFIG": str(stopped.file), "PYTHONPATH": str(ROOT)}
    tap = subprocess.Popen(
        [*PROGRAM, "tap", "--topic", "role", "--json"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environ, cwd=ROOT,
    )  # fmt: skip
    try:
        assert tap.stdout is not None
        poller = zmq.Poller()
        poller.register(tap.stdout.fileno(), zmq.POLLIN)

        def heard() -> bool:
            with store.transaction() as tx:
                tx.emit(RoleStarted(role="tapped", pid=3))
            return bool(poller.poll(100))

        wait_for(heard, 10, "an event on the bus")
        assert json.loads(tap.stdout.readline())["event"]["role"] == "tapped"
    finally:
        tap.kill()
        tap.wait()
        assert tap.stdout is not None
        tap.stdout.close()
        store.close()
        publisher.close()
        proxy.close()
