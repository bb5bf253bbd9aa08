"""The live view: its keys against a real control plane and store, and one real run in a terminal."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from failover.cli.shared import Cli, cells
from failover.core.task import Task
from failover.core.usage import Reading
from failover.sim.world import World
from failover.store import flags, orders, sessions, tasks, usage
from tests.cli.run import PROGRAM, ROOT, cli
from tests.cli.test_ordering import result, switcher
from tests.http.plane import Plane
from tests.waiting import wait_for

pytest.importorskip("textual")

from textual.pilot import Pilot

from failover.top import hands
from failover.top.app import Top
from failover.top.dialogs import Choice, Confirm, Page

SIZE = (80, 24)


@pytest.fixture(scope="module")
def pool(control: Plane) -> Plane:
    """Two sessions on account a, readings, a failed task."""
    store = control.store
    now = store.now_ms()
    with store.transaction() as tx:
        for number in range(2):
            sessions.place(tx, sessions.Placement(
                session=f"s-{number}", account="a", conversation=f"{number}" * 36, cwd=f"{control.folder}/p",
                wanted="running", launch="0" * 12,
            ))  # fmt: skip
            sessions.sight(
                tx, sessions.Sighting(name=f"s-{number}", state=("idle", "working")[number], since_ms=now, seen_ms=now)
            )
        usage.note(tx, Reading(
            account="a", window="five_hour", used=91.0, resets_at=now // 1000 + 7200, observed_ms=now, source="test",
        ))  # fmt: skip
        tasks.add(tx, Task(id=0, name="evil\x1b[31m", project=f"{control.folder}/p", state="failed", queued_ms=now))
    return control


def lines(app: Top) -> list[str]:
    """Return what the terminal shows."""
    return [strip.text.rstrip() for strip in app.screen._compositor.render_strips()]


async def seen(pilot: Pilot[None], condition: Callable[[str], bool]) -> str:
    """Return the screen when it is as wanted."""
    app = pilot.app
    assert isinstance(app, Top)
    for _ in range(400):
        text = "\n".join(lines(app))
        if condition(text):
            return text
        await pilot.pause(0.025)
    raise AssertionError(f"not seen within 10 s:\n{text}")


async def dialog(pilot: Pilot[None], kind: type) -> None:
    for _ in range(400):
        if isinstance(pilot.app.screen, kind):
            await pilot.pause()
            return
        await pilot.pause(0.025)
    raise AssertionError(f"no {kind.__name__}")


def play(pool: Plane, act: Callable[[Pilot[None]], Awaitable[None]], size: tuple[int, int] = SIZE) -> None:
    async def run() -> None:
        app = Top(Cli(pool.file))
        async with app.run_test(size=size, notifications=True) as pilot:
            await act(pilot)

    asyncio.run(run())


def test_the_whole_pool_is_on_80_by_24_and_follows_a_resize(pool: Plane) -> None:
    async def act(pilot: Pilot[None]) -> None:
        text = await seen(pilot, lambda text: "s-1" in text)
        assert "1 of 9 roles run" in text  # the control plane alone
        assert "91 %!" in text and "↻1h" in text  # over the threshold is said without colour
        assert "s-0  " in text and "idle" in text and "working" in text
        assert "1 failed" in text
        assert "q quit" in text.splitlines()[-1]
        for width, height in ((120, 40), (60, 16), (200, 60), (80, 24)):
            await pilot.resize_terminal(width, height)
            text = await seen(pilot, lambda text: "s-0" in text and "quit" in text)
            assert all(cells(line) <= width for line in text.splitlines())

    play(pool, act)


def test_p_pauses_and_resumes(pool: Plane) -> None:
    async def act(pilot: Pilot[None]) -> None:
        await pilot.press("p")
        await seen(pilot, lambda text: "PAUSED by" in text and "p resume" in text)
        assert flags.paused(pool.store) is not None
        await pilot.press("p")
        await seen(pilot, lambda text: "PAUSED" not in text)
        assert flags.paused(pool.store) is None

    play(pool, act)


def test_s_shows_the_bill_and_moves_only_when_it_is_confirmed(pool: Plane) -> None:
    async def ask(pilot: Pilot[None]) -> None:
        await pilot.press("down", "s")
        await dialog(pilot, Choice)
        await pilot.press("down", "down", "enter")  # a, then b
        await pilot.pause()
        await dialog(pilot, Choice)
        await pilot.press("down", "enter")  # only s-1
        await dialog(pilot, Confirm)
        await seen(pilot, lambda text: "about 40 k tokens" in text)

    async def leave(pilot: Pilot[None]) -> None:
        await ask(pilot)
        await pilot.press("escape")
        await pilot.pause()

    async def confirm(pilot: Pilot[None]) -> None:
        await ask(pilot)
        await pilot.press("y")
        (order,) = await found(pilot, lambda: orders.pending(pool.store))
        assert (order.verb, order.args) == ("swap", orders.Args(sessions=("s-1",), to="b"))
        assert order.by.endswith("(top)")
        with pool.store.transaction() as tx:
            orders.finish(tx, order.id, 1, "refused", "b is full now")
        await seen(pilot, lambda text: "b is full now" in text)

    for act in (leave, confirm):
        with switcher(pool, result("done", "s-1 would go to b, about 40 k tokens of context")):
            play(pool, act)
        assert orders.pending(pool.store) == []
    dry = [orders.get(pool.store, row[0]) for row in pool.store.query("SELECT id FROM orders ORDER BY id")]
    assert [one.args.dry_run for one in dry if one and one.verb == "swap"] == [True, True, False]


async def found(pilot: Pilot[None], look: Callable[[], list[orders.Order]]) -> list[orders.Order]:
    for _ in range(400):
        if orders_now := look():
            return orders_now
        await pilot.pause(0.025)
    raise AssertionError("no order")


def test_r_restarts_the_chosen_session_and_t_retries_a_task(pool: Plane) -> None:
    async def act(pilot: Pilot[None]) -> None:
        await pilot.press("down", "r")
        await dialog(pilot, Confirm)
        await pilot.press("y")
        (order,) = await found(pilot, lambda: orders.pending(pool.store))
        assert (order.verb, order.args.sessions) == ("restart", ("s-1",))
        with pool.store.transaction() as tx:
            orders.finish(tx, order.id, 1, "done", "restarted 1 of 1 sessions")
        await seen(pilot, lambda text: "restart: restarted 1 of 1" in text)
        await pilot.press("t")
        await dialog(pilot, Choice)
        await seen(pilot, lambda text: "evil·[31m" in text)
        await pilot.press("enter")
        (task,) = await found(pilot, lambda: orders.pending_of_tasks(pool.store))
        assert (task.verb, task.args.task) == ("retry", 1)
        with pool.store.transaction() as tx:
            orders.finish_of_task(tx, task.id, 1, "done", "again")

    play(pool, act)


def test_the_list_is_narrowed_and_explained(pool: Plane) -> None:
    async def act(pilot: Pilot[None]) -> None:
        await seen(pilot, lambda text: "s-0" in text)
        await pilot.press("slash", *"work", "enter")
        await seen(pilot, lambda text: "s-1" in text and "s-0" not in text and "1 of 2 sessions" in text)
        await pilot.press("escape")
        await seen(pilot, lambda text: "s-0" in text)
        for key, words in (("question_mark", "this page"), ("w", "what would change it")):
            await pilot.press(key)
            await dialog(pilot, Page)
            await seen(pilot, lambda text, words=words: words in text)  # type: ignore[misc]
            await pilot.press("escape")
            await pilot.pause()
        await pilot.click("#sessions", offset=(5, 2))
        await seen(pilot, lambda text: "› s-1" in text)
        await pilot.click("#sessions", offset=(5, 1))
        await seen(pilot, lambda text: "› s-0" in text)
        await pilot.press("q")

    play(pool, act)


def test_a_session_is_attached_to_on_the_configured_server() -> None:
    attach = ["tmux", "-L", "pool", "attach-session", "-t", "=s-0:"]
    assert hands.attach_command("pool", "s-0", {}) == (attach, False)
    assert hands.attach_command("pool", "s-0", {"TMUX": "/tmp/tmux-0/other,12,0"}) == (attach, False)
    inside = {"TMUX": "/tmp/tmux-0/pool,12,0"}
    assert hands.attach_command("pool", "s-0", inside) == (["tmux", "switch-client", "-t", "=s-0:"], True)


def test_without_a_terminal_it_says_what_else_there_is(pool: Plane) -> None:
    answer = cli(pool.file, "top")
    assert (answer.code, "claude-failover status" in answer.err) == (2, True)


def test_the_picture_of_the_docs_is_drawn_by_the_view_itself(tmp_path: Path) -> None:
    from failover.top.picture import draw

    draw(tmp_path / "top.svg")
    text = (tmp_path / "top.svg").read_text()
    for words in ("claude-failover", "holding", "fix-flaky-test-0"):
        assert words in text
    assert len(text) > len((ROOT / "docs" / "top.svg").read_text()) * 0.8


def test_a_daemon_that_is_gone_is_said(pool: Plane) -> None:
    async def act(pilot: Pilot[None]) -> None:
        await seen(pilot, lambda text: "1 of 9 roles run" in text)
        pool.stop()
        await seen(pilot, lambda text: "DAEMON DOWN; start it: claude-failover up" in text)

    play(pool, act)


class Terminal:
    """The view in a tmux server of its own, as a person has it."""

    def __init__(self, world: World) -> None:
        self._socket = f"{world.socket}-top"
        environ = [f"{name}={value}" for name, value in {**world.environment(), "TERM": "tmux-256color"}.items()]
        run = ["env", *environ, "sh", "-c", '"$@"; echo "ended with $?"; exec sleep 60', "sh", *PROGRAM, "top"]
        self._tmux("-f", "/dev/null", "new-session", "-d", "-s", "v", "-x", "80", "-y", "24", "-c", str(ROOT), *run)
        self._tmux("set-option", "-g", "prefix", "None")  # C-b is for the sessions' server inside

    def _tmux(self, *words: str) -> str:
        done = subprocess.run(["tmux", "-L", self._socket, *words], capture_output=True, text=True, timeout=10)
        return done.stdout

    def press(self, *keys: str) -> None:
        self._tmux("send-keys", "-t", "v", *keys)

    def shows(self, *words: str) -> str:
        """Return the screen when it has all these words."""

        def look() -> str:
            text = self._tmux("capture-pane", "-p", "-t", "v")
            return text if all(word in text for word in words) else ""

        try:
            return wait_for(look, 30, f"{words}")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self._tmux('capture-pane', '-p', '-t', 'v')}") from None

    def close(self) -> None:
        self._tmux("kill-server")


@pytest.fixture
def world() -> Iterator[World]:
    with World(sessions={"ccl-0": "app", "ccl-1": "app"}, accounts=("main", "backup")) as made:
        yield made


def test_a_swap_is_seen_to_pass_in_a_real_terminal(world: World) -> None:
    world.up()
    world.launch(account="main")
    terminal = Terminal(world)
    try:
        terminal.shows("9 roles run", "ccl-0", "idle", "q quit")
        for name in world.sessions:  # each has something to finish first, so that there is something to see
            world.type(name, "MARK_BASH{sleep 3}")
        terminal.shows("working")
        mover = subprocess.Popen(
            [sys.executable, *PROGRAM[1:], "swap", "--to", "backup"],
            env=world.environment(), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        terminal.shows("main → backup", "of 2 done", "▰")
        out, err = mover.communicate(timeout=60)
        assert "moved 2 of 2 sessions" in out
        assert "ccl-0 verified" in err  # plain lines where nothing can be rewritten
        terminal.shows("swap done: moved 2 of 2 sessions", "ccl-1 verified")
        terminal.press("a")
        terminal.shows("[ccl-0")  # the status line of the sessions' own server
        terminal.press("C-b", "d")
        terminal.shows("9 roles run", "q quit")
        terminal.press("p")
        terminal.shows("PAUSED by", "p resume")
        assert world.query("SELECT by FROM flags WHERE name = 'paused'")
        terminal.press("q")
        terminal.shows("ended with 0")
    finally:
        terminal.close()
