"""Every notice reaches each sink once, whatever is killed in between."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest

from failover.clock import ManualClock
from failover.config import Config, NotifySpec, load
from failover.core.move import Move
from failover.events import AnyEvent, RolesPaused, SessionDied, TaskFinished
from failover.notify import file
from failover.runtime import Host
from failover.store import swaps
from failover.store.db import Store
from workers.notifier import Notifier


class Office:
    """A store with events, and sinks."""

    def __init__(self, folder: Path, *sinks: Path) -> None:
        config = folder / "config.yaml"
        config.write_text("version: 1\nstate_dir: state\naccounts: [{name: a, config_dir: a}]\n")
        self.config: Config = msgspec.structs.replace(
            load(config, {"HOME": str(folder)}), notify=tuple(NotifySpec(kind="file", path=sink) for sink in sinks)
        )
        self.config.paths.ensure()
        self.clock = ManualClock()
        self.store = Store.open(self.config.paths.store, "test", "boot", self.clock)
        self.store.transaction()
        self.emit(RolesPaused(by="long ago"))

    def start(self) -> Notifier:
        store = Store.open(self.config.paths.store, "notifier", "boot", self.clock)
        host = Host(
            self.config, self.config.paths, store, self.clock, "boot", cast(Any, None), logging.getLogger("test"),
            cast(Any, None),
        )  # fmt: skip
        return Notifier(host)

    def emit(self, *events: AnyEvent) -> None:
        with self.store.transaction() as tx:
            for event in events:
                tx.emit(event)


def texts(path: Path) -> list[str]:
    return [json.loads(line)["text"] for line in path.read_text().splitlines()] if path.exists() else []


def pause(name: str) -> RolesPaused:
    return RolesPaused(by=name)


@pytest.fixture
def sink(tmp_path: Path) -> Path:
    return tmp_path / "notices" / "n.jsonl"


@pytest.fixture
def office(tmp_path: Path, sink: Path) -> Iterator[Office]:
    yield Office(tmp_path, sink)


def test_a_new_sink_is_told_of_what_comes_and_not_of_the_past(office: Office, sink: Path) -> None:
    notifier = office.start()
    notifier.cycle(())
    office.emit(pause("me"), TaskFinished(task=1, name="t", session="s", outcome="done", reason="x"))
    assert notifier.cycle(()) == f"told {sink} of 1 event" and notifier.cycle(()) == ""
    assert texts(sink) == ["Paused by me: nothing is started or moved."]
    (line,) = [json.loads(line) for line in sink.read_text().splitlines()]
    assert line["severity"] == "info" and line["type"] == "operator.paused" and sink.stat().st_mode & 0o777 == 0o600


def test_nothing_is_lost_while_the_notifier_is_down(office: Office, sink: Path) -> None:
    office.start().cycle(())
    office.emit(*(pause(str(number)) for number in range(1200)))
    office.start().cycle(())
    assert len(texts(sink)) == 1200


def test_nothing_is_doubled_when_it_was_killed_between_the_file_and_the_store(office: Office, sink: Path) -> None:
    office.start().cycle(())
    before = office.store.one("SELECT event FROM outbox")[0]
    office.emit(pause("a"), pause("b"))
    office.start().cycle(())
    with office.store.transaction() as tx:
        tx.execute("UPDATE outbox SET event = ?", (before,))
    office.emit(pause("c"))
    office.start().cycle(())
    assert [text.split()[2] for text in texts(sink)] == ["a:", "b:", "c:"]


def test_a_line_that_a_power_loss_cut_does_not_spoil_the_next(office: Office, sink: Path) -> None:
    notifier = office.start()
    notifier.cycle(())
    sink.parent.mkdir()
    sink.write_text('{"event": 3, "at')
    office.emit(pause("me"))
    notifier.cycle(())
    assert json.loads(sink.read_text().splitlines()[1])["text"].startswith("Paused by me")


def test_a_sink_that_cannot_be_written_does_not_hold_the_others_up(tmp_path: Path) -> None:
    bad, good = tmp_path / "dir", tmp_path / "good"
    bad.mkdir()
    office = Office(tmp_path, bad, good)
    notifier = office.start()
    notifier.cycle(())
    office.emit(TaskFinished(task=1, name="t", session="s", outcome="done", reason="x"), pause("me"))
    assert "cannot be opened" in notifier.cycle(())
    assert len(texts(good)) == 1
    bad.rmdir()
    assert notifier.cycle(()) == "", "it is tried again a little later"
    office.clock.advance(6)
    notifier.cycle(())
    assert len(texts(bad)) == len(texts(good)) == 1


def test_a_fifo_is_no_sink_and_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    office = Office(tmp_path, tmp_path / "fifo")
    notifier = office.start()
    notifier.cycle(())
    office.emit(pause("me"))
    assert "no regular file" in notifier.cycle(())


def test_a_process_that_a_move_ended_did_not_die(office: Office, sink: Path) -> None:
    notifier = office.start()
    notifier.cycle(())
    with office.store.transaction() as tx:
        swap = swaps.begin(
            tx, kind="swap", source="a", target="b", urgency="soft", reason="", order_id=0, request_id=0, started_ms=0,
            started_mono=0.0, deadline_mono=0.0, host_boot="",
        )  # fmt: skip
        move = Move(
            id=0, swap=swap, session="s1", conversation="c", cwd="/", source="a", target="b", kind="swap", pid=77
        )
        swaps.add_move(tx, move)
    office.emit(SessionDied(session="s1", pid=77), SessionDied(session="s1", pid=78))
    notifier.cycle(())
    assert texts(sink) == ["The process of session s1 ended (pid 78)."]


def test_what_is_in_the_file_is_known_again(sink: Path) -> None:
    file.send(sink, file.Line(event=5, at_ms=1, type="x", severity="info", text="t"))
    sink.write_bytes(sink.read_bytes() + b"not json\n\xff\n")
    assert file.known(sink) == {5}
