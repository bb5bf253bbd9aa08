"""Checkpoints are written when something changed, and status.json is true."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from failover.clock import ManualClock, SystemClock
from failover.core.session import HookCall
from failover.events import Envelope, HookReceived
from failover.queue.status import Status, StatusFiles, write
from failover.runtime import Host
from failover.store import checkpoints, hooks, sessions, usage
from failover.store.checkpoints import MAX_BYTES, Checkpoint, Doing, Git, Tool, fit
from failover.store.db import Store
from tests.queue.floor import Floor
from workers.checkpoint import CheckpointRole


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
        line = usage.StatuslineRow(
            session="s-0", account="main", launch=place.launch, conversation=place.conversation, at_ms=1,
            body=json.dumps(body),
        )  # fmt: skip
        hooks.record_statusline(tx, line)
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


def test_who_works_is_noted_each_minute_however_much_is_heard_of_another(make_floor: Callable[..., Floor]) -> None:
    floor, clock = make_floor(2), ManualClock()
    floor.sight("s-1", "working")
    role = CheckpointRole(host(floor, "checkpoint", clock))
    role.cycle(())
    assert role.wake_after() == 5
    event = HookReceived(call=1, session="s-0", conversation="c", hook="PostToolBatch")
    said = []
    for _ in range(16):
        clock.advance(4)
        said.append(role.cycle([Envelope(id=1, source="control-plane", boot="b", seq=1, at_ms=0, event=event)]))
    assert "noted s-1 (at work)" in said


def test_a_checkpoint_is_never_longer_than_eight_kibibytes() -> None:
    huge = Checkpoint(
        state="working", account="a", cwd="/é" * 5000, prompt="语" * 9000, git=Git("b" * 9000, "h", True),
        tool=Tool("Bash", "x" * 9000, "known"),
    )  # fmt: skip
    data = fit(huge)
    assert len(data) <= MAX_BYTES and msgspec.json.decode(data, type=Checkpoint).prompt


any_text = st.text(st.characters()) | st.text('\x00\ud800é语🙂"\\\u202e\n', max_size=9000) | st.just("🙂" * 9000)


@given(
    st.builds(
        Checkpoint, state=any_text, account=any_text, cwd=any_text, launch=any_text, prompt=any_text,
        git=st.none() | st.builds(Git, any_text, any_text, st.booleans()),
        task=st.none() | st.builds(Doing, st.integers(0, 2**53), any_text, st.integers(0, 2**53)),
        tool=st.none() | st.builds(Tool, any_text, any_text, st.sampled_from(("known", "unknown"))),
    )
)  # fmt: skip
@settings(deadline=None, max_examples=100)
def test_whatever_a_checkpoint_holds_it_fits_and_what_was_cut_off_is_said(one: Checkpoint) -> None:
    data = fit(one)
    assert len(data) <= MAX_BYTES
    read = msgspec.json.decode(data, type=Checkpoint)
    assert (read.call, read.git is None, read.task is None, read.tool is None) == (
        one.call, one.git is None, one.task is None, one.tool is None,
    )  # fmt: skip
    for was, now in ((one.prompt, read.prompt), (one.state, read.state)):
        was = was.encode("utf-8", "replace").decode()
        if now != was:
            kept, _, cut = now.rpartition("…[+")
            assert was.startswith(kept) and len(kept) + int(cut.rstrip("]")) == len(was)
    cwd = one.cwd.encode("utf-8", "replace").decode()
    assert read.cwd == cwd or cwd.endswith(read.cwd.partition("]")[2]), "the end of a path says more than its beginning"


def test_a_checkpoint_names_the_conversation_that_a_person_went_to(floor: Floor) -> None:
    role = CheckpointRole(host(floor, "checkpoint", ManualClock()))
    role.cycle(())
    call = HookCall(
        id=0, launch=floor.placement("s-0").launch, conversation="other", hook="SessionStart", source="clear"
    )
    with floor.store.transaction() as tx:
        hooks.record_hook(floor.store, tx, session="s-0", account="main", boot="boot", call=call, held=False)
    assert role.cycle(()) == "noted s-0 (SessionStart)"
    assert checkpoints.newest(floor.store)["s-0"].conversation == "other"
    floor.place("s-0", launch="0" * 12, conversation="new")
    assert role.cycle(()) == "noted s-0 (started anew)"
    assert checkpoints.newest(floor.store)["s-0"].conversation == "new"


def test_no_program_that_a_repository_names_is_run(floor: Floor) -> None:
    git(floor.project, "init", "-q")
    spy = floor.folder / "spy"
    spy.write_text(f"#!/bin/sh\ntouch {floor.folder}/ran\n")
    spy.chmod(0o700)
    git(floor.project, "config", "core.fsmonitor", str(spy))
    CheckpointRole(host(floor, "checkpoint", ManualClock())).cycle(())
    assert checkpoints.newest(floor.store)["s-0"].checkpoint.git is not None
    assert not (floor.folder / "ran").exists()


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


@pytest.mark.parametrize("what", ["link", "dangling", "fifo", "huge", "deep", "text", "socket"])
def test_whatever_somebody_put_in_the_place_of_a_status_json_is_replaced_unread(floor: Floor, what: str) -> None:
    path, other = floor.inbox.parent / "status.json", floor.folder / "other-file"
    other.write_text("somebody's own")
    match what:
        case "link":
            path.symlink_to(other)
        case "dangling":
            path.symlink_to(floor.folder / "nowhere")
        case "fifo":
            os.mkfifo(path)
        case "huge":
            with path.open("wb") as out:
                out.truncate(1 << 33)
        case "deep":
            path.write_text('{"state": ' + "[" * 100_000)
        case "text":
            path.write_bytes(b"\xff\x00 working")
        case "socket":
            with contextlib.chdir(path.parent), socket.socket(socket.AF_UNIX) as box:
                box.bind(path.name)
    (path.parent / ".status.json.part").symlink_to(other)
    assert StatusFiles(floor.config, SystemClock()).update(floor.store) == []
    assert not path.is_symlink() and json.loads(path.read_text())["state"] == "idle"
    assert other.read_text() == "somebody's own" and not (floor.folder / "nowhere").exists()
    assert not (path.parent / ".status.json.part").is_symlink()


@pytest.mark.parametrize("text", ['{"state": "idle"}', '{"state": "working"}', "half a fi", ""])
@pytest.mark.parametrize("setting", ["write", "leave"])
def test_what_another_program_says_in_a_status_json_changes_nothing_here(
    make_floor: Any, setting: str, text: str
) -> None:
    """Whether a session is at work is told by its registry, its hooks and its process, never by a file that anybody may
    have left: a word of the dead would keep tasks waiting for ever, or send them to a busy session."""
    floor = make_floor(status_json=setting)
    path = floor.inbox.parent / "status.json"
    path.write_text(text)
    StatusFiles(floor.config, SystemClock()).update(floor.store)
    assert (path.read_text() == text) is (setting == "leave")
    floor.sight("s-0", "working")
    floor.drop("t1")
    floor.turn(lambda: floor.state("t1") == "queued")
    assert not floor.submitted("s-0")
    floor.sight("s-0", "idle")
    floor.turn(lambda: floor.submitted("s-0"))
