"""What a terminal makes of the answers: widths, colours, pipes, interruptions and progress."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest

from failover.cli.columns import cells, fit, hanging, table
from failover.core.choice import Stay, Verdict
from failover.core.move import Move, State
from failover.events import RoleStarted, SessionLaunched
from failover.sim import week
from failover.store import choices, flags, orders, sessions, swaps
from failover.store.db import Store
from tests.cli.run import PROGRAM, ROOT, cli
from tests.cli.test_ordering import switcher
from tests.http.plane import Plane
from tests.places import short_dir
from tests.waiting import wait_for

LONG = "an-account-with-a-name-that-nobody-should-have-given-to-it-1"


@pytest.fixture(scope="module")
def crowd() -> Iterator[Path]:
    """Twenty sessions with long names, notes in wide characters, a decision, and no daemon."""
    from failover.config import load

    with short_dir() as folder:
        file = folder / "config.yaml"
        file.write_text(
            f"version: 1\nstate_dir: {folder}/s\nshared_dir: {folder}/shared\naccounts:\n"
            f"  - {{name: main, config_dir: {folder}/main}}\n  - {{name: {LONG}, config_dir: {folder}/long}}\n"
            f'sessions: [{{name: "session-with-a-long-name-indeed-{{1..20}}", project: {folder}/p}}]\n'
        )
        config = load(file)
        config.paths.ensure()
        store = Store.open(config.paths.store, "test", "boot")
        now = store.now_ms()
        week.fill(store, ("main", LONG), now / 1000)
        with store.transaction() as tx:
            for place, one in enumerate(config.sessions):
                sessions.place(tx, sessions.Placement(
                    session=one.name, account=("main", LONG)[place % 2], conversation=f"{place:036}", cwd="/p",
                    wanted="running", launch="0" * 12,
                ))  # fmt: skip
                note = "权限对话框在等待一个人的回答" * 3 if place % 3 else "e\u0301" * 60
                sessions.sight(
                    tx, sessions.Sighting(name=one.name, state="waiting", since_ms=now, seen_ms=now, note=note)
                )
            verdicts = (
                Verdict("main", "kept", "main has five_hour 40 %"),
                Verdict(LONG, "refused", "it is spent. " * 9),
            )
            choices.keep(tx, None, Stay("main is at 40 % of five_hour " * 5, verdicts=verdicts), now)
            for number in range(3000):
                tx.emit(RoleStarted(role="test", pid=number))
        store.close()
        yield file


@pytest.mark.parametrize(
    "verb", [["status"], ["sessions", "list"], ["swaps"], ["accounts", "list"], ["usage"], ["why"]]
)
def test_answers_fit_80_cells_whatever_stands_in_them(crowd: Path, verb: list[str]) -> None:
    answer = cli(crowd, *verb)
    assert (answer.code, answer.err) == (0, "")
    assert [line for line in answer.out.splitlines() if cells(line) > 80] == []


def test_names_that_are_cut_stay_apart(crowd: Path) -> None:
    names = [line.split()[0] for line in cli(crowd, "sessions", "list").out.splitlines()[1:]]
    assert len(set(names)) == 20 and all("…" in name for name in names)


def test_cells_are_counted_as_terminals_show_them() -> None:
    assert [cells(text) for text in ("abc", "é", "e\u0301", "等待", "→…")] == [3, 1, 1, 4, 2]
    for text in ("plain text", "等待一个人", "e\u0301" * 20, "→→→→→→→→"):
        assert all(cells(fit(text, size)) == size for size in range(1, 24))
    assert fit("ccl-auto-11", 8, name=True) == "ccl-a…11"
    assert max(cells(line) for line in hanging("等待 " * 30 + "等" * 40, "· ", "  ", 30)) <= 30
    shown = click.unstyle(table(("a", "b"), [("等" * 30, "x" * 90)], columns=40)).splitlines()
    assert max(map(cells, shown)) <= 40


def test_colours_are_asked_for_or_left_out(crowd: Path) -> None:
    assert "\x1b[" not in cli(crowd, "status").out
    assert "\x1b[" in cli(crowd, "--color", "always", "status").out
    assert "\x1b[" in cli(crowd, "--color", "always", "status", NO_COLOR="1").out


@pytest.mark.parametrize(
    ("environ", "words", "coloured"),
    [({}, [], True), ({"NO_COLOR": "1"}, [], False), ({"TERM": "dumb"}, [], False), ({}, ["--color", "never"], False)],
)
def test_a_terminal_has_colours_unless_somebody_minds(
    crowd: Path, environ: dict[str, str], words: list[str], coloured: bool
) -> None:
    kept = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    given = {**kept, "FAILOVER_CONFIG": str(crowd), "PYTHONPATH": str(ROOT), "TERM": "xterm-256color", **environ}
    with Pty([*PROGRAM, *words, "status"], given) as terminal:
        assert terminal.process.wait(20) == 0
        assert ("\x1b[" in terminal.text()) == coloured


class Pty:
    """A program on a terminal of its own."""

    def __init__(self, command: list[str], environ: dict[str, str]) -> None:
        self._ours, theirs = pty.openpty()
        self._heard = bytearray()
        self.process = subprocess.Popen(
            command, stdout=theirs, stderr=theirs, env=environ, cwd=ROOT,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )  # fmt: skip
        os.close(theirs)
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        try:
            while got := os.read(self._ours, 4096):
                self._heard.extend(got)
        except OSError:
            return

    def so_far(self) -> str:
        return self._heard.decode(errors="replace")

    def text(self) -> str:
        self._reader.join(10)
        return self.so_far()

    def __enter__(self) -> Pty:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._reader.join(10)
        os.close(self._ours)


def test_a_pipe_that_closes_is_no_error(crowd: Path) -> None:
    environ = {**os.environ, "FAILOVER_CONFIG": str(crowd), "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [*PROGRAM, "events", "--limit", "3000"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environ, cwd=ROOT
    )
    assert process.stdout is not None and process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(20) in (0, 1)


def test_a_verb_that_is_misspelt_is_guessed(crowd: Path) -> None:
    assert "did you mean status?" in cli(crowd, "statsu").err
    assert "Did you mean 'list'?" in cli(crowd, "sessions", "lst").err


def test_why_tells_the_decision_its_verdicts_and_what_would_change_it(crowd: Path) -> None:
    text = cli(crowd, "why").out
    for words in ("stay, since", "main is at 40 %", "kept", "refused", "what would change it",
                  "the quota-monitor does not run", "claude-failover up", "swap --dry-run"):  # fmt: skip
        assert words in re.sub(r"\s+", " ", text), words
    told = cli(crowd, "why", "--json").json
    assert (told["deciding"], told["decision"]["kind"], told["swap"]["state"]) == (False, "stay", "done")
    assert [one["verdict"] for one in told["decision"]["verdicts"]] == ["kept", "refused"]


def test_why_tells_when_an_account_comes_back(control: Plane) -> None:
    now = control.store.now_ms()
    with control.store.transaction() as tx:
        flags.disable(tx, "b", now, now + 3_600_000, "ann")
        flags.pause(tx, now, "ann")
    try:
        changes = cli(control.file, "why", "--json").json["changes"]
        (paused,) = [one for one in changes if one["command"] == "resume"]
        assert "paused by ann" in paused["sentence"]
        (back,) = [one for one in changes if one["account"] == "b"]
        assert back["at"] == pytest.approx((now + 3_600_000) / 1000)
        assert back["command"] == "accounts enable b"
    finally:
        with control.store.transaction() as tx:
            flags.enable(tx, "b", "ann")
            flags.resume(tx, "ann")


def moving(*states: State) -> Callable[[Store, orders.Order], None]:
    """Serve an order as a swap of one session that goes through these states."""

    def serve(store: Store, order: orders.Order) -> None:
        now = store.now_ms()
        with store.transaction() as tx:
            swap = swaps.begin(
                tx, kind="swap", source="a", target="b", urgency="soft", reason="r", order_id=order.id, request_id=0,
                started_ms=now, started_mono=0.0, deadline_mono=0.0, host_boot="x",
            )  # fmt: skip
            move = swaps.add_move(tx, Move(
                id=0, swap=swap, session="s-0", conversation="c", cwd="/", source="a", target="b", kind="swap",
                state=states[0], why="a turn is open",
            ))  # fmt: skip
        threading.Event().wait(0.4)  # several of the command's looks
        with store.transaction() as tx:
            tx.execute(
                "UPDATE moves SET state = ?, body = json_set(body, '$.state', ?) WHERE swap = ?",
                (states[-1], states[-1], swap),
            )
            swaps.finish(tx, swap, "done", "moved 1", now)
            orders.finish(tx, order.id, now, "done", "moved 1 of 1 sessions")
        assert move

    return serve


def test_progress_is_plain_lines_where_nothing_can_be_rewritten(control: Plane) -> None:
    with switcher(control, moving("holding", "verified")):
        answer = cli(control.file, "swap")
    assert answer.out == "moved 1 of 1 sessions\n"
    assert answer.err.splitlines() == ["s-0 holding: a turn is open", "s-0 verified: a turn is open"]
    with switcher(control, moving("holding", "verified")):
        answer = cli(control.file, "swap", "--json")
    assert (answer.json["outcome"], answer.err) == ("done", "")


def test_sessions_are_named_as_they_are_launched(control: Plane) -> None:
    def serve(store: Store, order: orders.Order) -> None:
        with store.transaction() as tx:
            tx.emit(SessionLaunched(session="s-1", account="b", conversation="c", pid=7))
            orders.finish(tx, order.id, 1, "done", "1 session runs")

    with switcher(control, serve):
        answer = cli(control.file, "sessions", "launch")
    assert (answer.out, answer.err) == ("1 session runs\n", "s-1 launched: on b\n")


def test_ctrl_c_says_that_the_order_goes_on(control: Plane) -> None:
    environ = {**os.environ, "FAILOVER_CONFIG": str(control.file), "PYTHONPATH": str(ROOT), "TERM": "xterm"}
    with Pty([*PROGRAM, "swap"], environ) as terminal:
        (order,) = wait_for(lambda: orders.pending(control.store), 20, "the order")
        wait_for(lambda: f"order {order.id}" in terminal.so_far(), 20, "the bar")
        terminal.process.send_signal(signal.SIGINT)
        assert terminal.process.wait(10) == 130
        assert f"interrupted; order {order.id} goes on" in terminal.text()
    with control.store.transaction() as tx:
        orders.finish(tx, order.id, 1, "done", "done")


def test_a_task_is_read_from_standard_input_by_a_dash(control: Plane) -> None:
    assert cli(control.file, "tasks", "add", "--name", "dash", "-", stdin="do it\n").code == 0
    assert (control.folder / "p" / ".agent-queue" / "inbox" / "dash.md").read_text() == "do it\n"
