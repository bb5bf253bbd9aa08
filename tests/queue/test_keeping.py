"""Checkpoints are written when something changed, the janitor deletes what nobody needs, status.json is true."""

from __future__ import annotations

import errno
import json
import logging
import os
import subprocess
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest

from failover.clock import ManualClock, SystemClock
from failover.config_model import Retention
from failover.core.choice import Stay
from failover.core.spend import Ledger
from failover.core.task import Task
from failover.core.usage import Reading
from failover.events import JanitorTroubled, RolesPaused, Swept
from failover.notify.spec import File, SinkSpec
from failover.queue.folder import Marker, Queue
from failover.queue.status import Status, StatusFiles, write
from failover.runtime import Host
from failover.store import checkpoints, choices, events, hooks, outbox, sessions, tasks, usage
from failover.store.checkpoints import MAX_BYTES, Checkpoint, Git, Tool, fit
from failover.store.db import Store
from tests.queue.floor import Floor
from workers.checkpoint import CheckpointRole
from workers.janitor import Janitor


def host(floor: Floor, name: str, clock: ManualClock, **changes: Any) -> Host:
    config = msgspec.structs.replace(floor.config, **changes)
    store = Store.open(config.paths.store, name, "boot", clock)
    return Host(config, config.paths, store, clock, "boot", cast(Any, None), logging.getLogger(name), cast(Any, None))


def git(folder: Path, *args: str) -> None:
    who = ("-c", "user.name=x", "-c", "user.email=x@x")
    subprocess.run(["git", "-C", folder, *who, *args], check=True, capture_output=True)


# -- checkpoints ----------------------------------------------------------------------------------------


def test_a_checkpoint_says_what_a_session_was_doing(floor: Floor) -> None:
    clock = ManualClock()
    git(floor.project, "init", "-q", "-b", "trunk")
    (floor.project / "f").write_text("1")
    git(floor.project, "add", "f")
    git(floor.project, "commit", "-q", "-m", "x")
    role = CheckpointRole(host(floor, "checkpoint", clock))
    assert role.cycle(()) == "noted s-0 (first seen)" and role.cycle(()) == ""
    floor.hand("t1")
    body = {"context_window": {"total_input_tokens": 2100}, "prompt_cache": {"recache_tokens_if_cold": 1900}}
    place = floor.placement("s-0")
    with floor.store.transaction() as tx:
        hooks.record_statusline(
            tx, session="s-0", account="main", launch=place.launch, conversation=place.conversation, at_ms=1,
            body=json.dumps(body),
        )  # fmt: skip
    (floor.project / "f").write_text("2")
    floor.hook("s-0", "PreToolUse", tool="Bash", tool_input="make test")
    clock.advance(61)
    role.cycle(())
    note = checkpoints.newest(floor.store)["s-0"].checkpoint
    assert note.state == "working" and note.account == "main" and note.cwd == str(floor.project)
    assert note.git is not None and (note.git.branch, len(note.git.head), note.git.dirty) == ("trunk", 40, True)
    assert note.task is not None and (note.task.name, note.task.attempt) == ("t1", 1)
    assert note.tool == Tool("Bash", "make test", "unknown")
    assert (note.context_tokens, note.recache_tokens) == (2100, 1900)
    assert note.prompt.startswith("[task 1, attempt 1]")


def test_a_checkpoint_is_written_at_boundaries_and_changes_and_each_minute_of_work_only(floor: Floor) -> None:
    clock = ManualClock()
    role = CheckpointRole(host(floor, "checkpoint", clock))
    role.cycle(())
    floor.hook("s-0", "UserPromptSubmit", prompt="go")
    assert role.cycle(()) == "noted s-0 (UserPromptSubmit)"
    floor.hook("s-0", "PreToolUse", tool="Bash", tool_input="x")
    assert role.cycle(()) == ""
    floor.hook("s-0", "PostToolBatch")
    assert role.cycle(()) == "noted s-0 (PostToolBatch)"
    floor.sight("s-0", "working")
    assert role.cycle(()) == "noted s-0 (is working)"
    clock.advance(59)
    assert role.cycle(()) == ""
    clock.advance(2)
    assert role.cycle(()) == "noted s-0 (at work)" and role.cycle(()) == ""
    again = CheckpointRole(host(floor, "checkpoint", clock))
    assert again.cycle(()) == "", "a restarted role goes on from the notes that stand"


def test_a_checkpoint_is_never_longer_than_eight_kibibytes() -> None:
    huge = Checkpoint(
        state="working", account="a", cwd="/é" * 5000, prompt="语" * 9000, git=Git("b" * 9000, "h", True),
        tool=Tool("Bash", "x" * 9000, "known"),
    )  # fmt: skip
    data = fit(huge)
    assert len(data) <= MAX_BYTES and msgspec.json.decode(data, type=Checkpoint).prompt


def test_no_program_that_a_repository_names_is_run(floor: Floor) -> None:
    git(floor.project, "init", "-q")
    spy = floor.folder / "spy"
    spy.write_text(f"#!/bin/sh\ntouch {floor.folder}/ran\n")
    spy.chmod(0o700)
    git(floor.project, "config", "core.fsmonitor", str(spy))
    CheckpointRole(host(floor, "checkpoint", ManualClock())).cycle(())
    assert checkpoints.newest(floor.store)["s-0"].checkpoint.git is not None
    assert not (floor.folder / "ran").exists()


# -- janitor --------------------------------------------------------------------------------------------


def janitor(floor: Floor, clock: ManualClock, **changes: Any) -> Janitor:
    keep = Retention(events=100.0, readings=100.0, checkpoints=100.0, hook_calls=100.0)
    return Janitor(host(floor, "janitor", clock, retention=keep, **changes))


def count(floor: Floor, table: str) -> int:
    return int(floor.store.one(f"SELECT count(*) FROM {table}")[0])


def test_history_past_its_time_goes_and_the_present_state_stays(floor: Floor) -> None:
    clock = ManualClock(epoch=floor.store.now_ms() / 1000)
    with floor.store.transaction() as tx:
        for used in (1, 2, 3):
            usage.note(
                tx, Reading(account="main", window="five_hour", used=used, resets_at=None, observed_ms=1, source="x")
            )
        for source in "abc":
            choices.keep(tx, None, Stay("because", source), 1)
        for number in range(30):
            checkpoints.add(
                tx, session="s-0", conversation="c", at_ms=clock_ms(clock), occasion=str(number),
                checkpoint=Checkpoint(state="idle", account="main", cwd="/"),
            )  # fmt: skip
        for _ in range(1200):
            tx.emit(RolesPaused(by="x"))
    clock.advance(200)
    role = janitor(floor, clock)
    said = role.sweep()
    assert [round(row.used) for row in usage.recent(floor.store, 0)] == [3]
    assert count(floor, "checkpoints") == 1 and count(floor, "hook_calls") == 0
    assert "29 checkpoints" in said and "2 readings" in said and "2 decisions" in said
    standing = choices.latest(floor.store)
    assert standing is not None and standing.source == "c"
    left = events.latest(floor.store, 5000)
    assert left and all(isinstance(one.event, Swept) for one in left)
    assert count(floor, "sessions") == count(floor, "placements") == count(floor, "activities") == 1


def clock_ms(clock: ManualClock) -> int:
    return int(clock.epoch() * 1000)


def test_what_was_spent_long_ago_goes_and_a_conversation_that_a_session_is_in_is_counted_on(floor: Floor) -> None:
    clock = ManualClock()
    now = int(clock.epoch() * 1000)
    old, today = now - 31 * 86_400_000, now // 86_400_000
    with floor.store.transaction() as tx:
        usage.note_costs(tx, Ledger(), Ledger({"here": 3.0, "gone": 4.0}, {("k", today - 31): 7.0}), old)
        usage.note_costs(tx, Ledger(), Ledger({"new": 5.0}, {("k", today): 8.0}), now)
        hooks.record_statusline(
            tx, session="s-0", account="main", launch="0" * 12, conversation="here", at_ms=old, body="{}"
        )
    assert "2 costs" in janitor(floor, clock).sweep()
    assert usage.ledger(floor.store, ["here", "gone", "new"], 0) == Ledger(
        {"here": 3.0, "new": 5.0}, {("k", today): 8.0}
    )


def test_the_janitor_comes_by_every_ten_minutes(floor: Floor) -> None:
    clock = ManualClock()
    role = janitor(floor, clock)
    assert role.cycle(()) == "" and role.wake_after() == 20
    clock.advance(20)
    role.cycle(())
    assert role.wake_after() == 600


def test_events_that_a_sink_was_not_told_of_stay(floor: Floor, tmp_path: Path) -> None:
    clock = ManualClock(epoch=floor.store.now_ms() / 1000)
    sink = SinkSpec(name="n", settings=File(tmp_path / "n"), give_up_after=1000.0)
    with floor.store.transaction() as tx:
        for _ in range(10):
            tx.emit(RolesPaused(by="x"))
    last = events.last_id(floor.store)
    with floor.store.transaction() as tx:
        outbox.keep_sink(tx, outbox.SinkRow(name="n", came_to=last - 4))
        outbox.keep_sink(tx, outbox.SinkRow(name="a sink that is gone", came_to=1))
    clock.advance(200)
    janitor(floor, clock, notify=(sink,)).sweep()
    assert floor.store.one("SELECT min(id) FROM events")[0] == last - 3
    clock.advance(1000)
    janitor(floor, clock, notify=(sink,)).sweep()
    assert floor.store.one("SELECT min(id) FROM events")[0] > last, "a notifier that is away for ever keeps nothing"


def test_what_the_janitor_cannot_remove_is_told_once(floor: Floor, monkeypatch: pytest.MonkeyPatch) -> None:
    def read_only(_: Queue, name: str) -> None:
        raise OSError(errno.EROFS, f"{name}: read-only")

    monkeypatch.setattr(Queue, "unmark", read_only)
    clock = ManualClock(epoch=floor.store.now_ms() / 1000)
    Queue(floor.project).mark("gone", Marker(99, "s", 1, 1))
    role = janitor(floor, clock)
    clock.advance(1e6)
    assert all("gone: read-only" in role.sweep() for _ in range(3))
    (told,) = [one.event for one in events.latest(floor.store, 100, "janitor.troubled")]
    assert isinstance(told, JanitorTroubled) and "gone: read-only" in told.sentence


def test_hook_calls_that_an_open_task_is_followed_by_stay(floor: Floor) -> None:
    clock = ManualClock(epoch=floor.store.now_ms() / 1000)
    floor.hook("s-0", "Stop")
    floor.sight("s-0", "idle")
    floor.hand("t1")
    floor.hook("s-0", "Stop", background=0)
    clock.advance(1e6)
    janitor(floor, clock).sweep()
    since = tasks.handed_over(floor.store)[0].since_call
    assert floor.store.one("SELECT min(id) FROM hook_calls")[0] == since


def test_markers_without_an_open_task_go_and_the_others_stay(floor: Floor) -> None:
    clock = ManualClock(epoch=floor.store.now_ms() / 1000)
    queue = Queue(floor.project)
    floor.hand("running")
    queue.mark("gone", Marker(99, "s", 1, 1))
    floor.drop("others")
    (floor.inbox / "others.md.dispatched").write_text("by another program")
    with floor.store.transaction() as tx:
        ended = tasks.add(tx, Task(id=0, name="ended", project=str(floor.project), state="done"))
    floor.drop("ended")
    queue.mark("ended", Marker(ended.id, "s", 1, 1))
    role = janitor(floor, clock)
    assert "markers" not in role.sweep(), "too young: a step may be under way"
    clock.advance(120)
    assert "2 markers" in role.sweep()
    assert {path.name for path in floor.inbox.glob("*.dispatched")} == {"running.md.dispatched", "others.md.dispatched"}
    clock.advance(7 * 3600)
    assert "1 markers" in role.sweep()


# -- status.json ----------------------------------------------------------------------------------------


def test_status_json_says_whether_a_project_s_sessions_are_at_work(floor: Floor) -> None:
    path = floor.inbox.parent / "status.json"
    files = StatusFiles(floor.config, SystemClock())
    assert files.update(floor.store) == []
    told = json.loads(path.read_text())
    assert told["state"] == "idle" and told["sessions"] == {
        "s-0": {"state": "idle", "account": "main", "task": "", "blocked": ""}
    }
    floor.hand("t1")
    floor.drop("t2")
    floor.turn(lambda: floor.state("t2") == "queued")
    files.update(floor.store)
    told = json.loads(path.read_text())
    assert (told["state"], told["queued"], told["sessions"]["s-0"]["task"]) == ("working", 1, "t1")


def test_status_json_is_written_only_when_it_says_something_else(floor: Floor) -> None:
    status = Status(state="idle", queued=0, at_ms=1, sessions={})
    assert write(floor.project, status)
    assert not write(floor.project, msgspec.structs.replace(status, at_ms=2))
    (floor.inbox.parent / "status.json").write_text("half a fi")
    assert write(floor.project, status)
    assert not write(floor.folder / "nowhere", status)


def test_a_status_json_that_an_agent_wrote_is_replaced_whole(floor: Floor) -> None:
    """Agents of the old kind write it themselves."""
    path, clock = floor.inbox.parent / "status.json", ManualClock()
    files = StatusFiles(floor.config, clock)
    files.update(floor.store)
    ours = path.read_text()
    path.write_text('{"state": "work')
    files.update(floor.store)
    assert path.read_text() == '{"state": "work', "it is not read at each of the many cycles"
    clock.advance(5)
    files.update(floor.store)
    assert msgspec.json.decode(path.read_bytes(), type=Status).sessions == json_sessions(ours)


def json_sessions(text: str) -> Any:
    return msgspec.json.decode(text, type=Status).sessions


def test_a_status_json_that_is_left_to_others_is_not_touched(make_floor: Any) -> None:
    floor = make_floor(status_json="leave")
    path = floor.inbox.parent / "status.json"
    path.write_text("theirs")
    StatusFiles(floor.config, SystemClock()).update(floor.store)
    assert path.read_text() == "theirs"


def test_a_status_json_that_cannot_be_written_is_told(floor: Floor) -> None:
    (floor.inbox.parent / "status.json").mkdir()
    (trouble,) = StatusFiles(floor.config, SystemClock()).update(floor.store)
    assert "status.json: cannot be written" in trouble
    assert not [path for path in floor.inbox.parent.iterdir() if path.name.endswith(".part")]


def test_a_session_that_is_not_placed_is_stopped(floor: Floor) -> None:
    with floor.store.transaction() as tx:
        tx.execute("DELETE FROM placements")
    StatusFiles(floor.config, SystemClock()).update(floor.store)
    told = json.loads((floor.inbox.parent / "status.json").read_text())
    assert told["sessions"]["s-0"]["state"] == "stopped" and sessions.placements(floor.store) == {}
    assert os.access(floor.inbox.parent / "status.json", os.R_OK)
