"""Hooks are written, folded and told of; a held one is answered only when its hold is gone."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec

from failover.clock import SystemClock
from failover.core.tally import Tally
from failover.events import HookReceived, StatuslinePushed
from failover.http.entrance import Entrance, Sender
from failover.store import events, sessions, usage
from failover.store.db import Store
from tests.http.plane import CONVERSATION, LAUNCH, ROOT, Plane
from tests.waiting import wait_for

SAMPLE = {"rate_limits": {"five_hour": {"used_percentage": 10, "resets_at": 1795346280}}, "cwd": "/secret/place"}
WHO = f"session=s-0&account=a&launch={LAUNCH}"


def code(process: subprocess.Popen[bytes]) -> str:
    assert process.stdout is not None
    process.wait(20)
    return process.stdout.read().decode()


def wait_until_held(control: Plane) -> None:
    wait_for(lambda: control.paths.store.exists() and _held(control), 10, "the answer to be held back")


def _held(control: Plane) -> bool:
    found = sessions.activities(control.store).get("s-0")
    return found is not None and found.held != 0


def test_a_hook_is_written_folded_and_told_of(control: Plane) -> None:
    assert code(control.hook("SessionStart", source="startup")) == "204"
    assert code(control.hook("UserPromptSubmit", prompt="do it")) == "204"
    assert code(control.hook("PreToolUse", tool_name="Bash", tool_input={"command": "make"})) == "204"
    activity = control.activity()
    assert (activity.turn, activity.gap, activity.tool, activity.tool_input) == (True, False, "Bash", "make")
    told = [e.event for e in events.latest(control.store, 10, "hook.")]
    assert [event.hook for event in told if isinstance(event, HookReceived)] == [
        "SessionStart", "UserPromptSubmit", "PreToolUse",
    ]  # fmt: skip


def test_a_statusline_is_kept_without_what_nobody_reads(control: Plane) -> None:
    status, _ = control.request("POST", f"/statusline?{WHO}", {"session_id": CONVERSATION, **SAMPLE})
    assert status == 204
    (row,) = usage.statuslines(control.store)
    assert (row.session, row.account, row.conversation) == ("s-0", "a", CONVERSATION)
    assert "five_hour" in row.body and "secret" not in row.body
    assert any(isinstance(e.event, StatuslinePushed) for e in events.latest(control.store, 5))


def test_a_statusline_rings_where_it_tells_something_new(tmp_path: Path) -> None:
    with closing(Store.open(tmp_path / "state.db", "control-plane")) as store:
        entrance = Entrance(store, SystemClock(), "boot", Tally(), capped={"paid"})

        def rings(account: str, used: float, cost: float, launch: str = LAUNCH) -> bool:
            before = len(events.latest(store, 99, "usage."))
            limits = {"five_hour": {"used_percentage": used}}
            body = {"session_id": CONVERSATION, "rate_limits": limits, "cost": {"total_cost_usd": cost}}
            entrance.statusline(Sender("s-0", account, launch), msgspec.json.encode(body))
            entrance.settle()
            (row,) = usage.statuslines(store)
            assert f'"total_cost_usd":{cost}' in row.body  # what does not ring is kept too
            return len(events.latest(store, 99, "usage.")) > before

        assert rings("a", 10, 1.5)
        assert not rings("a", 10, 2.5)
        assert rings("a", 11, 2.5)
        assert rings("a", 11, 2.5, launch="1b2b3b4b5b6b")
        assert rings("paid", 11, 2.5)
        assert rings("paid", 11, 3.5)
        assert not rings("paid", 11, 3.5)


def test_a_statusline_that_tells_nothing_new_is_written_with_the_next_hook_or_soon_or_at_the_end(
    tmp_path: Path,
) -> None:
    with closing(Store.open(tmp_path / "state.db", "control-plane")) as store:
        entrance, who = Entrance(store, SystemClock(), "boot", Tally()), Sender("s-0", "a", LAUNCH)

        def push(cost: int) -> None:
            shows = {"session_id": CONVERSATION, "cost": {"total_cost_usd": cost}}
            entrance.statusline(who, msgspec.json.encode(shows))

        def shown() -> str:
            (row,) = usage.statuslines(store)
            return row.body

        def hook(of: Sender) -> None:
            entrance.hook(of, msgspec.json.encode({"session_id": CONVERSATION, "hook_event_name": "PostToolUse"}))

        push(1)
        push(2)
        assert '"total_cost_usd":1' in shown()
        hook(Sender("s-1", "a", LAUNCH))
        assert '"total_cost_usd":1' in shown()
        hook(who)
        assert '"total_cost_usd":2' in shown()
        push(3)
        with sqlite3.connect(tmp_path / "state.db") as other:
            other.execute("BEGIN IMMEDIATE")
            store._connection.execute("PRAGMA busy_timeout = 1")
            entrance.settle()  # it cannot now
        other.close()
        assert '"total_cost_usd":2' in shown()
        entrance.settle()
        assert '"total_cost_usd":3' in shown()
        push(4)
        entrance.close()
        assert '"total_cost_usd":4' in shown()


def test_a_boundary_hook_waits_until_its_hold_is_lifted(control: Plane) -> None:
    control.set_hold()
    control.hook("SessionStart", source="startup")
    waiting = control.hook("PostToolBatch", wait=False)
    wait_until_held(control)
    assert control.activity().held_hook == "PostToolBatch"
    assert waiting.poll() is None
    control.lift_hold()
    assert code(waiting) == "204"
    assert control.activity().held == 0


def test_a_held_prompt_is_kept_whole(control: Plane) -> None:
    prompt = "line\n" * 5000
    control.hook("SessionStart", source="startup")
    control.set_hold()
    waiting = control.hook("UserPromptSubmit", wait=False, prompt=prompt)
    wait_until_held(control)
    assert control.activity().held_prompt == prompt
    control.lift_hold()
    assert code(waiting) == "204"
    assert control.activity().held_prompt == ""


def test_a_prompt_typed_into_a_working_session_and_a_notification_are_not_held(control: Plane) -> None:
    control.hook("SessionStart", source="startup")
    control.set_hold()
    assert code(control.hook("UserPromptSubmit", prompt="<task-notification>done</task-notification>")) == "204"
    control.hook("PreToolUse", tool_name="Bash")
    assert code(control.hook("UserPromptSubmit", prompt="and this too")) == "204"


def test_hooks_that_are_no_boundary_pass_a_hold(control: Plane) -> None:
    control.set_hold()
    for name in ("PreToolUse", "SessionEnd", "Notification"):
        assert code(control.hook(name)) == "204"
    assert code(control.hook("PostToolBatch", agent_id="agent-1")) == "204"


def test_a_hold_on_another_conversation_is_none(control: Plane) -> None:
    control.set_hold(conversation="another")
    assert code(control.hook("Stop", background_tasks=[])) == "204"


def test_a_hold_ends_when_its_holder_dies(control: Plane) -> None:
    holder = subprocess.Popen(["sleep", "60"])
    control.set_hold(holder=holder.pid)
    waiting = control.hook("Stop", wait=False, background_tasks=[])
    wait_until_held(control)
    holder.kill()
    holder.wait()
    assert code(waiting) == "204"
    assert control.activity().held == 0


def test_a_hold_ends_when_its_time_is_over(control: Plane) -> None:
    control.set_hold(seconds=1.0)
    waiting = control.hook("Stop", wait=False, background_tasks=[])
    wait_until_held(control)
    assert code(waiting) == "204"
    assert control.activity().held == 0


def test_a_client_that_hangs_up_is_held_no_more(control: Plane) -> None:
    control.set_hold()
    control.hook("SessionStart", source="startup")
    waiting = control.hook("PostToolBatch", wait=False)
    wait_until_held(control)
    waiting.kill()
    waiting.wait()
    wait_for(lambda: control.activity().held == 0, 5, "the activity to be released")


def test_a_killed_control_plane_lets_its_sessions_go_on_and_its_successor_knows_of_the_gap(control: Plane) -> None:
    control.set_hold()
    control.hook("SessionStart", source="startup")
    waiting = control.hook("PostToolBatch", wait=False)
    wait_until_held(control)
    control.stop(signal.SIGKILL)
    assert code(waiting) == "000"
    assert waiting.returncode != 0
    control.start()
    activity = control.activity()
    assert (activity.held, activity.gap) == (0, True)
    assert code(control.hook("PostToolBatch")) == "204", "after a gap only the turn's end is a sure boundary"
    again = control.hook("Stop", wait=False, background_tasks=[])
    wait_until_held(control)
    control.lift_hold()
    assert code(again) == "204"


@contextmanager
def unwritable(control: Plane) -> Iterator[None]:
    """Keep the store from every writer; each gives up after 5 s."""
    with closing(sqlite3.connect(control.paths.store, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield


def test_a_hook_that_could_not_be_written_is_answered_and_counts_as_missed(control: Plane) -> None:
    control.hook("SessionStart", source="startup")
    with unwritable(control):
        assert code(control.hook("SubagentStart", agent_id="x1")) == "503"
    control.set_hold()
    assert code(control.hook("PostToolBatch")) == "204", "nobody knows what runs beside it"
    assert control.activity().gap


def test_a_control_plane_that_cannot_write_that_it_let_a_session_go_ends_so_that_nobody_takes_it_for_held(
    control: Plane,
) -> None:
    control.set_hold(seconds=1.0)
    control.hook("SessionStart", source="startup")
    waiting = control.hook("PostToolBatch", wait=False)
    wait_until_held(control)
    with unwritable(control):
        assert code(waiting) == "000"
        assert control.process is not None and control.process.wait(30) == 1


def test_a_control_plane_that_is_stopped_answers_first(control: Plane) -> None:
    control.set_hold()
    control.hook("SessionStart", source="startup")
    waiting = control.hook("PostToolBatch", wait=False)
    wait_until_held(control)
    assert control.stop() == 0
    assert code(waiting) == "204"
    assert control.activity().held == 0
    assert not control.paths.control_socket.exists()


def test_the_last_hook_of_a_stopped_process_does_not_undo_its_successors(control: Plane) -> None:
    control.hook("SessionStart", source="startup")
    body = {"session_id": CONVERSATION, "hook_event_name": "SessionStart", "source": "resume"}
    assert control.request("POST", "/hook?session=s-0&account=b&launch=bbbbbbbbbbbb", body)[0] == 204
    assert code(control.hook("SessionEnd")) == "204"
    assert (control.activity().launch, control.activity().ended) == ("bbbbbbbbbbbb", False)


def test_what_is_no_hook_is_refused_and_harms_nothing(control: Plane) -> None:
    for body in (b"", b"{", b"[]", b"\xff\xfe", b"{}", b"[" * 100_000, b'{"session_id": 1, "hook_event_name": "Stop"}'):
        for route in ("hook", "statusline"):
            status, answer = control.request("POST", f"/{route}?{WHO}", body)
            assert status == 400, (route, body[:40], answer)
            assert answer["detail"]
    for query in ("", "session=../x&account=a&launch=b", f"session=s-0&account=a&launch={'x' * 65}", "session=%00"):
        assert control.request("POST", f"/hook?{query}", b"{}")[0] == 400
    assert control.request("GET", f"/hook?{WHO}")[0] == 405
    assert code(control.hook("Stop")) == "204"


def test_an_oversized_body_is_refused(control: Plane) -> None:
    status, _ = control.request("POST", f"/statusline?{WHO}", b"x" * (4 * 1024 * 1024 + 1))
    assert status == 413
    assert (
        code(control.hook("PostToolBatch", tool_calls=[{"tool_name": "Read", "tool_response": "y" * 6_000_000}]))
        == "204"
    )


def test_a_second_control_plane_is_refused(control: Plane) -> None:
    assert control.process is not None
    done = subprocess.run(
        [sys.executable, "-m", "workers.control_plane"],
        cwd=ROOT, env=control.environ, capture_output=True, timeout=30,
    )  # fmt: skip
    assert done.returncode == 1
    assert f"held by process {control.process.pid}" in done.stderr.decode()
    assert code(control.hook("Stop")) == "204"
