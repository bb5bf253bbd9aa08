"""Orders go to the daemon over its socket, and the command line waits for what becomes of them."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from failover.cli.control import order
from failover.cli.shared import Cli
from failover.core.move import Move
from failover.errors import HostError
from failover.sim import real_cli
from failover.store import flags, orders, swaps
from failover.store.db import Store
from tests.cli.run import PROGRAM, ROOT, cli
from tests.http.plane import Plane
from tests.waiting import wait_for


@contextmanager
def switcher(control: Plane, serve: Callable[[Store, orders.Order], None]) -> Iterator[None]:
    """Serve the next order as the account-switcher does: by a result in the store."""

    def work() -> None:
        store = Store.open(control.paths.store, "account-switcher", "thread")
        try:
            (order,) = wait_for(lambda: orders.pending(store), 20, "an order")
            serve(store, order)
        finally:
            store.close()

    thread = threading.Thread(target=work)
    thread.start()
    yield
    thread.join(20)
    assert not thread.is_alive()


def result(outcome: orders.Outcome, sentence: str) -> Callable[[Store, orders.Order], None]:
    def serve(store: Store, order: orders.Order) -> None:
        with store.transaction() as tx:
            orders.finish(tx, order.id, 1, outcome, sentence, '{"verb": "' + order.verb + '"}')

    return serve


def test_an_order_is_followed_to_its_end(control: Plane) -> None:
    with switcher(control, result("done", "moved 2 of 2 sessions")):
        answer = cli(control.file, "swap", "--to", "b", "--session", "s-0")
    assert (answer.code, answer.out, answer.err) == (0, "moved 2 of 2 sessions\n", "")
    order = orders.get(control.store, control.store.one("SELECT max(id) FROM orders")[0])
    assert order is not None and order.args == orders.Args(sessions=("s-0",), to="b")
    assert order.by.endswith("at the command line")


def test_outcomes_are_exit_codes(control: Plane) -> None:
    with switcher(control, result("refused", "no account has room")):
        answer = cli(control.file, "swap")
    assert (answer.code, answer.out, answer.err) == (3, "", "claude-failover: no account has room\n")
    with switcher(control, result("failed", "tmux is gone")):
        answer = cli(control.file, "sessions", "restart", "--all", "--json")
    assert (answer.code, answer.json["outcome"]) == (1, "failed")
    assert answer.json["detail"] == {"verb": "restart"}


def test_sessions_verbs_become_orders(control: Plane) -> None:
    for arguments, expected in (
        (["launch", "--account", "b"], orders.Args(to="b")),
        (["launch", "s-1"], orders.Args(sessions=("s-1",))),
        (["stop", "s-0", "s-1"], orders.Args(sessions=("s-0", "s-1"))),
        (["stop", "--all"], orders.Args()),
    ):
        seen: list[orders.Order] = []

        def serve(store: Store, order: orders.Order, seen: list[orders.Order] = seen) -> None:
            seen.append(order)
            result("done", "so it is")(store, order)

        with switcher(control, serve):
            assert cli(control.file, "sessions", *arguments).code == 0
        assert [(order.verb, order.args) for order in seen] == [(arguments[0], expected)]


def test_an_order_need_not_be_waited_for(control: Plane) -> None:
    answer = cli(control.file, "swap", "--no-wait", "--json")
    assert answer.code == 0
    with control.store.transaction() as tx:
        orders.finish(tx, answer.json["order"], 1, "done", "later")


def test_an_unknown_session_is_refused_at_once(control: Plane) -> None:
    answer = cli(control.file, "sessions", "stop", "s-7")
    assert answer.code == 2
    assert "there is no session s-7" in answer.err


def test_pause_and_resume(control: Plane) -> None:
    assert cli(control.file, "pause").code == 0
    assert flags.paused(control.store) is not None
    assert "paused by" in cli(control.file, "status").out
    answer = cli(control.file, "swap")
    assert answer.code == 3
    assert "claude-failover resume" in answer.err
    assert cli(control.file, "resume", "--json").json["sentence"] == "resumed"
    assert flags.paused(control.store) is None


def test_a_progress_bar_per_session_is_shown_on_a_terminal(control: Plane) -> None:
    def serve(store: Store, order: orders.Order) -> None:
        now = store.now_ms()
        with store.transaction() as tx:
            swap = swaps.begin(
                tx, kind="swap", source="a", target="b", urgency="soft", reason="r", order_id=order.id, request_id=0,
                started_ms=now, started_mono=0.0, deadline_mono=0.0, host_boot="x",
            )  # fmt: skip
            for name in ("s-0", "s-1"):
                swaps.add_move(tx, Move(
                    id=0, swap=swap, session=name, conversation="c", cwd="/", source="a", target="b", kind="swap",
                    state="holding", why="a turn is open",
                ))  # fmt: skip
        wait_for(lambda: b"a turn is open" in shown, 10, "the bars")
        with store.transaction() as tx:
            swaps.finish(tx, swap, "done", "moved 2", now)
            orders.finish(tx, order.id, now, "done", "moved 2 of 2 sessions")

    shown = bytearray()
    ours, theirs = pty.openpty()
    environ = {**os.environ, "FAILOVER_CONFIG": str(control.file), "PYTHONPATH": str(ROOT), "TERM": "xterm"}

    def read() -> None:
        while True:
            try:
                shown.extend(os.read(ours, 4096))
            except OSError:
                return

    with switcher(control, serve):
        process = subprocess.Popen([*PROGRAM, "swap"], stdout=theirs, stderr=theirs, env=environ, cwd=ROOT)
        os.close(theirs)
        reader = threading.Thread(target=read)
        reader.start()
        assert process.wait(20) == 0
    reader.join(5)
    os.close(ours)
    for text in (b"s-0", b"s-1", b"holding", b"moved 2 of 2 sessions"):
        assert text in shown


def test_ctrl_c_ends_the_waiting_and_not_the_order(control: Plane) -> None:
    environ = {**os.environ, "FAILOVER_CONFIG": str(control.file), "PYTHONPATH": str(ROOT)}
    # Whoever runs the tests in the background may have made them deaf to it.
    process = subprocess.Popen(
        [*PROGRAM, "swap"],
        stderr=subprocess.PIPE,
        env=environ,
        cwd=ROOT,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    (order,) = wait_for(lambda: orders.pending(control.store), 10, "the order")
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=10)
    assert process.returncode == 130
    assert b"Traceback" not in err
    assert [one.id for one in orders.pending(control.store)] == [order.id]
    with control.store.transaction() as tx:
        orders.finish(tx, order.id, 1, "done", "done")


def test_a_daemon_that_is_gone_is_not_waited_for_without_end(control: Plane, monkeypatch: pytest.MonkeyPatch) -> None:
    # Here no supervisord runs, so that the daemon counts as gone from the beginning; nobody serves the order.
    monkeypatch.setattr("failover.cli.control._ASK_EACH", 0.2)
    monkeypatch.setattr("failover.cli.control._GONE_FOR", 0.5)
    made = Cli(control.file)
    with pytest.raises(HostError, match=r"the daemon is gone; order \d+ stands, and goes on with: claude-failover up"):
        order(made, "swap", {"to": "b"}, as_json=True)
    assert orders.pending(control.store)


def test_a_task_is_put_into_the_inbox_whole(control: Plane) -> None:
    inbox = control.folder / "p" / ".agent-queue" / "inbox"
    answer = cli(control.file, "tasks", "add", "do it\nwell", "--name", "first", "--priority", "5")
    assert (answer.code, answer.err) == (0, "")
    assert (inbox / "first.md").read_text() == "---\npriority: 5\n---\ndo it\nwell\n"
    assert cli(control.file, "tasks", "add", "--name", "second", stdin="from a pipe").code == 0
    assert sorted(path.name for path in inbox.iterdir()) == ["first.md", "second.md"]
    for arguments, words in (
        (["again", "--name", "first"], "exists already"),
        (["x", "--name", "../up"], "no name for a task"),
        (["x", "--name", "-rf"], "no name for a task"),
        ([""], "is empty"),
        (["x", "--project", "/elsewhere"], "no project"),
    ):
        answer = cli(control.file, "tasks", "add", *arguments)
        assert (answer.code, words in answer.err) == (2, True), answer.err
    assert len(list(inbox.iterdir())) == 2


def test_a_control_plane_that_is_away_for_a_moment_is_waited_for(control: Plane) -> None:
    control.stop(signal.SIGKILL)
    answers: list[int] = []
    thread = threading.Thread(target=lambda: answers.append(cli(control.file, "pause").code))
    thread.start()
    control.start()
    thread.join(20)
    assert answers == [0]
    assert cli(control.file, "resume").code == 0


def test_a_daemon_that_is_down_is_said_after_five_seconds(control: Plane) -> None:
    control.stop()
    began = time.monotonic()
    answer = cli(control.file, "pause")
    assert 4.5 < time.monotonic() - began < 12
    assert answer.code == 1
    assert "claude-failover up" in answer.err


def accounts(folder: Path, names: dict[str, str]) -> Path:
    """Return a configuration with made-up accounts (name → login) of the simulated binary."""
    command = real_cli.sim_claude(folder / "bin")
    lines = []
    for name, login in names.items():
        if login:
            real_cli.config_dir(folder / name, login, real=False, shared=None)
            (folder / name / "settings.json").unlink()
        lines.append(f"  - {{name: {name}, config_dir: {folder / name}}}")
    file = folder / "config.yaml"
    file.write_text(
        f"version: 1\nstate_dir: {folder}/s\nshared_dir: {folder}/shared\nclaude: {{command: {command}}}\n"
        f"projects: [{folder}]\naccounts:\n" + "\n".join(lines) + "\n"
    )
    return file


def test_accounts_are_linked_checked_and_told_apart(tmp_path: Path) -> None:
    file = accounts(tmp_path, {"main": "main", "backup": "backup"})
    answer = cli(file, "accounts", "check", "main")
    assert answer.code == 0
    assert "main: warning:" in answer.out and "links to the shared tree are missing" in answer.out
    (tmp_path / "backup").rename(tmp_path / "away")
    assert "backup does not exist" in cli(file, "accounts", "check", "backup").out
    (tmp_path / "away").rename(tmp_path / "backup")
    answer = cli(file, "accounts", "link", "--dry-run")
    assert "link" in answer.out and not (tmp_path / "shared").exists()
    assert cli(file, "accounts", "link").code == 0
    assert "all linked already" in cli(file, "accounts", "link").out
    answer = cli(file, "accounts", "check", "--json")
    assert (answer.code, answer.err) == (0, "")
    assert [one["login"].split()[0] for one in answer.json] == ["main@example.test", "backup@example.test"]


def test_two_accounts_with_one_login_are_refused(tmp_path: Path) -> None:
    file = accounts(tmp_path, {"main": "same", "backup": "same", "empty": ""})
    assert cli(file, "accounts", "link").code == 0
    answer = cli(file, "accounts", "check")
    assert answer.code == 1
    assert "backup: is the same login as main (same@example.test" in answer.out
    assert "empty: nobody is logged in; log in by hand with: CLAUDE_CONFIG_DIR=" in answer.out
    assert answer.err == "claude-failover: not ready to take sessions: backup, empty\n"


def test_an_accounts_own_conversations_are_never_overwritten(tmp_path: Path) -> None:
    file = accounts(tmp_path, {"main": "main"})
    for folder, text in ((tmp_path / "main", "mine"), (tmp_path / "shared", "theirs")):
        (folder / "projects" / "x").mkdir(parents=True)
        (folder / "projects" / "x" / "c.jsonl").write_text(text)
    answer = cli(file, "accounts", "link")
    assert answer.code == 1
    assert "merge by hand" in answer.out
    answer = cli(file, "accounts", "check")
    assert (answer.code, "projects is the account's own" in answer.out) == (1, True)
    assert (tmp_path / "main" / "projects" / "x" / "c.jsonl").read_text() == "mine"
    assert (tmp_path / "shared" / "projects" / "x" / "c.jsonl").read_text() == "theirs"


def test_a_new_account_is_made_ready_but_for_its_login(tmp_path: Path) -> None:
    file = accounts(tmp_path, {"main": "main"})
    answer = cli(file, "accounts", "add", "second", str(tmp_path / "second"), "--json")
    assert (answer.code, answer.err) == (0, "")
    assert "/login" in answer.json["next"]
    assert (tmp_path / "second" / "projects").resolve() == tmp_path / "shared" / "projects"
    file.write_text(file.read_text() + answer.json["yaml"] + "\n")
    assert cli(file, "config", "check").code == 0
    for name, folder in (("main", "third"), ("third", "main"), ("a b", "third"), ("third", "shared")):
        assert cli(file, "accounts", "add", name, str(tmp_path / folder)).code == 2
    assert not (tmp_path / "third").exists()


def test_a_key_in_the_settings_that_would_make_all_accounts_one_is_a_problem(tmp_path: Path) -> None:
    file = accounts(tmp_path, {"main": "main"})
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "settings.json").write_text('{"apiKeyHelper": "echo sk-ant-made-up"}')
    assert cli(file, "accounts", "link").code == 0
    answer = cli(file, "accounts", "check")
    assert answer.code == 1
    assert "main: the binary would log in by api_key_helper, not as the kind subscription does" in answer.out
    assert "sk-ant-made-up" not in answer.out + answer.err


def test_what_an_account_waits_for_is_said_by_its_kind(tmp_path: Path) -> None:
    file = accounts(tmp_path, {"main": "main"})
    token = tmp_path / "t.env"
    text = file.read_text()
    file.write_text(text + f"  - {{name: t, config_dir: {tmp_path}/t, kind: token, env_file: {token}}}\n")
    assert cli(file, "accounts", "link").code == 0
    assert f"t: {token}: is not there" in cli(file, "accounts", "check").out
    assert cli(file, "config", "check").code == 2
    token.write_text("CLAUDE_CODE_OAUTH_TOKEN=sk-ant-oat01-sim.t.g0\n")
    token.chmod(0o600)
    answer = cli(file, "accounts", "check", "--json")
    assert (answer.code, answer.err) == (0, "")
    assert [(one["kind"], one["method"], one["login"]) for one in answer.json][1] == ("token", "oauth_token", "")
    assert cli(file, "config", "check").code == 0
