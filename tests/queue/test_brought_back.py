"""A session that ended with its tmux server keeps its task; what was given away in the meantime is not done twice."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from failover.claude.ending import Ending, Given
from failover.claude.registry import Registry
from failover.cli.restored import lines
from failover.clock import ManualClock
from failover.config_model import Config
from failover.core.attempt import marker_text
from failover.core.move import Move
from failover.core.notice import notice
from failover.core.prompt import Templates
from failover.core.restore import PASSES_WITHIN
from failover.core.usage import Reading
from failover.host import process
from failover.host.process import ProcessId
from failover.queue.scene import Lows, Scene
from failover.store import checkpoints, orders, sessions, swaps, tasks, usage
from failover.store.checkpoints import Checkpoint
from failover.switcher.adopting import Adopter
from failover.switcher.beginning import Beginner
from failover.switcher.launcher import Launcher
from failover.switcher.orders import OrderDesk
from failover.switcher.replaying import compose
from failover.switcher.requests import RequestDesk
from failover.switcher.restoring import Restorer
from failover.switcher.starting import Starter
from tests.queue.floor import Floor

Make = Callable[..., Floor]


@pytest.fixture
def server() -> Iterator[ProcessId]:
    """Return a process that plays the tmux server, so that the floor's own can go on."""
    played = subprocess.Popen(["sleep", "600"])
    found = process.identify(played.pid)
    assert found is not None
    yield found
    played.kill()
    played.wait()


def lose(floor: Floor, name: str, server: ProcessId) -> None:
    """Let a session end with its tmux server."""
    place = floor.placement(name)
    floor.place(name, server_pid=server.pid, server_start=server.start)
    for one in (server, ProcessId(place.pid, place.start)):
        process.send_signal(one, signal.SIGKILL)
        floor.turn(lambda one=one: not process.alive(one), what="its end")
    floor.sight(name, "exited")


def test_a_session_that_ended_with_its_tmux_server_keeps_its_task(make_floor: Make, server: ProcessId) -> None:
    floor = make_floor(2)
    floor.sight("s-1", "working")
    floor.hand("t1")
    floor.sight("s-1", "idle")
    lose(floor, "s-0", server)
    assert sessions.is_lost(floor.placement("s-0"))
    for _ in range(3):
        floor.dispatcher.cycle(())
    assert (floor.state("t1"), floor.rows()["t1"]["attempt"]) == ("running", 1)
    with floor.store.transaction() as tx:
        sessions.give_up(tx, "s-0", "it was brought back 3 times")
    floor.turn(lambda: floor.submitted("s-1"), what="the task given to another session")
    assert floor.begin_turn("s-1").startswith("[task 1, attempt 2] ")


def test_where_a_person_brings_sessions_back_the_task_waits_for_that(floor: Floor, server: ProcessId) -> None:
    floor.hand("t1")
    lose(floor, "s-0", server)
    with floor.store.transaction() as tx:
        sessions.give_up(tx, "s-0", "sessions_restart is never")

    def keeps(config: Config) -> bool:
        registry, lows = Registry(config.shared_dir / "sessions"), Lows(config, floor.store, ManualClock())
        return Scene(config, floor.store, floor.tmux, registry, lows).lost("s-0")

    never = msgspec.structs.replace(floor.config, sessions_restart="never")
    assert keeps(never) and not keeps(floor.config)
    assert not keeps(msgspec.structs.replace(never, sessions=())), "it is no longer in the configuration"


# -- what is told ----------------------------------------------------------------------------------------------


def crashed(**fields: Any) -> Move:
    base = Move(
        id=9, swap=9, session="s-0", conversation="c", cwd="/p", source="main", target="main", kind="restore",
        outcome="interrupted", pid=7, start=8,
    )  # fmt: skip
    return msgspec.structs.replace(base, **fields)


def ending(*prompts: str) -> Ending:
    given = tuple(Given(text, 10 * place, 0) for place, text in enumerate(prompts, 1))
    return Ending(last_kind="tool_result", prompts=given)


def test_a_session_is_told_of_its_task_and_not_of_one_that_others_have(floor: Floor) -> None:
    floor.hand("t1")
    here = floor.placement("s-0").conversation
    mark = marker_text(1, 1) + " Read the file"
    told = compose(floor.store, crashed(conversation=here), ending(mark), Templates()).prompt
    path = str(Path(floor.inbox) / "t1.md")
    assert "was brought back" in told and f'task 1 (attempt 1). Its file is "{path}"' in told

    task = tasks.handed_over(floor.store)[0]
    with floor.store.transaction() as tx:
        tasks.save(tx, msgspec.structs.replace(task, session="s-1", attempt=2))
    assert compose(floor.store, crashed(conversation=here), ending(mark), Templates()).prompt == ""
    later = ending(mark, "and now something of mine")
    assert "was brought back" in compose(floor.store, crashed(conversation=here), later, Templates()).prompt
    with floor.store.transaction() as tx:
        swap = floor.move(tx, "s-0", 1)
        swaps.add_move(tx, crashed(swap=swap, state="verified", prompt="Continue.", new_pid=1))
    assert compose(floor.store, crashed(conversation=here), ending(mark, "Continue."), Templates()).prompt == ""


def test_what_the_crashed_process_was_started_with_and_did_not_come_to_is_said_again(floor: Floor) -> None:
    with floor.store.transaction() as tx:
        swap = floor.move(tx, "s-0", 1)
        swaps.add_move(tx, crashed(swap=swap, state="verified", prompt="Go on.", new_pid=7, new_start=8, since_size=50))
    assert compose(floor.store, crashed(), ending("earlier"), Templates()).prompt == "Go on."
    assert compose(floor.store, crashed(), None, Templates()).prompt == "Go on."
    assert "Go on." not in compose(floor.store, crashed(pid=6), ending("earlier"), Templates()).prompt
    given = Ending(last_kind="assistant_text", prompts=(Given("Go on.", 60, 0),))
    assert compose(floor.store, crashed(outcome="idle"), given, Templates()).prompt == ""


# -- who comes back, and where -----------------------------------------------------------------------------------


def order_desk(floor: Floor, clock: ManualClock) -> OrderDesk:
    stand = floor.config, floor.store, clock, Launcher(floor.config, floor.tmux)
    adopter = Adopter(floor.config, floor.store, stand[-1])
    return OrderDesk(floor.config, floor.store, Beginner(*stand), Starter(*stand), Restorer(*stand), adopter)


def desk(floor: Floor, clock: ManualClock, **changes: Any) -> RequestDesk:
    config = msgspec.structs.replace(floor.config, **changes)
    stand = config, floor.store, clock, Launcher(config, floor.tmux)
    return RequestDesk(config, floor.store, Beginner(*stand), Restorer(*stand))


def close_swap(floor: Floor, ago: float) -> None:
    """End the open swap, as one that began so many seconds ago."""
    row = swaps.open_swap(floor.store)
    assert row is not None and row.kind == "restore"
    with floor.store.transaction() as tx:
        swaps.finish(tx, row.id, "done", "", 1)
        tx.execute("UPDATE swaps SET started_ms = ? WHERE id = ?", (floor.store.now_ms() - int(ago * 1000), row.id))


def gone(floor: Floor, *names: str) -> None:
    """Let the sessions be closed in the tmux server that plays no part in their end."""
    for name in names:
        floor.tmux.kill_session(name)


def test_a_session_that_ends_again_and_again_is_given_up_and_people_are_told_once(
    floor: Floor, server: ProcessId
) -> None:
    lose(floor, "s-0", server)
    gone(floor, "s-0")
    clock = ManualClock(epoch=floor.store.now_ms() / 1000)
    assert desk(floor, clock).restore_lost(paused=True) == "ended with their tmux server: s-0: paused"
    for ago in (3000.0, 2000.0, 31.0):
        assert "restore of 1 sessions" in desk(floor, clock).restore_lost(paused=False)
        close_swap(floor, ago)
    assert "brought back 3 times within an hour" in desk(floor, clock).restore_lost(paused=False)
    assert desk(floor, clock).restore_lost(paused=False) == ""
    (told,) = floor.events("session.lost")
    said = notice("session.lost", msgspec.to_builtins(told.event), str)
    assert said is not None and said.severity == "critical" and "sessions restore" in said.text


def test_two_tries_lie_apart_and_what_may_pass_is_waited_for(floor: Floor, server: ProcessId) -> None:
    lose(floor, "s-0", server)
    clock = ManualClock(epoch=floor.store.now_ms() / 1000)
    other = subprocess.Popen(
        ["tail", "-f", "/dev/null", floor.placement("s-0").conversation], stderr=subprocess.DEVNULL
    )
    try:
        one = desk(floor, clock)
        assert f"open elsewhere (pid {other.pid})" in one.restore_lost(paused=False)
        assert not floor.events("session.lost") and swaps.open_swap(floor.store) is None
        clock.advance(PASSES_WITHIN + 1)
        one.restore_lost(paused=False)
        assert len(floor.events("session.lost")) == 1 and swaps.open_swap(floor.store) is None
    finally:
        other.kill()
        other.wait()
    floor.place("s-0", given_up="")
    gone(floor, "s-0")
    assert "restore of 1 sessions" in desk(floor, clock).restore_lost(paused=False)
    close_swap(floor, 10)
    assert "brought back less than 30 s ago" in desk(floor, clock).restore_lost(paused=False)


def test_each_goes_on_where_there_is_room_and_nowhere_when_there_is_none(floor: Floor, server: ProcessId) -> None:
    lose(floor, "s-0", server)
    gone(floor, "s-0")
    now = floor.store.now_ms()
    clock = ManualClock(epoch=now / 1000)
    read: dict[str, Any] = {
        "window": "five_hour", "resets_at": now // 1000 + 600, "observed_ms": now, "source": "test",
    }  # fmt: skip
    with floor.store.transaction() as tx:
        usage.note(tx, Reading(account="main", used=99.0, **read))
    judged = Restorer(floor.config, floor.store, clock, Launcher(floor.config, floor.tmux)).by_itself()
    assert [(one.verdict.act, one.account) for one in judged] == [("restore", "backup")]
    with floor.store.transaction() as tx:
        usage.note(tx, Reading(account="backup", used=100.0, **read))
        usage.note(tx, Reading(account="main", used=100.0, **{**read, "observed_ms": now + 1}))
    assert desk(floor, clock).restore_lost(paused=False) == "ended with their tmux server: s-0: no account has room"


def test_a_conversation_that_a_person_went_to_is_the_one_that_comes_back(floor: Floor, server: ProcessId) -> None:
    lose(floor, "s-0", server)
    gone(floor, "s-0")
    place = floor.placement("s-0")
    note = Checkpoint(state="idle", account="main", cwd=place.cwd, launch=place.launch)
    with floor.store.transaction() as tx:
        checkpoints.add(tx, session="s-0", conversation="other", at_ms=1, occasion="Stop", checkpoint=note)
    desk(floor, ManualClock(epoch=floor.store.now_ms() / 1000)).restore_lost(paused=False)
    row = swaps.open_swap(floor.store)
    assert row is not None and [move.conversation for move in swaps.moves(floor.store, row.id)] == ["other"]


def test_an_order_says_of_each_session_what_is_made_of_it(make_floor: Make, server: ProcessId) -> None:
    floor = make_floor(3)
    lose(floor, "s-0", server)
    floor.place("s-1", wanted="stopped")
    clock = ManualClock(epoch=floor.store.now_ms() / 1000)
    with floor.store.transaction() as tx:
        number = orders.place(tx, 1, "restore", orders.Args(dry_run=True), "me")
    order = orders.get(floor.store, number)
    assert order is not None
    order_desk(floor, clock).take_order(order, paused=False)
    found = orders.result(floor.store, number)
    assert found is not None and found.outcome == "done" and swaps.open_swap(floor.store) is None
    said = lines(found).splitlines()
    assert said[0] == "would restore 1 of 3 sessions"
    assert said[1].startswith("s-0  under main, without a prompt") and "s-2  left alone: it runs" in said[3]
    assert all(len(line) <= 80 for line in said)
