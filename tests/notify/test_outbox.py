"""Every notice reaches each sink once and in order, whatever is killed in between."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from failover.core.move import Move
from failover.errors import StoreError
from failover.events import SessionDied, TaskFinished
from failover.notify import file
from failover.store import outbox, swaps
from tests.notify.office import SECRET, Office, lines, names, pause, settle, texts, until
from tests.notify.receivers import web

DONE = TaskFinished(task=1, name="t", session="s", outcome="done", reason="x")


@pytest.fixture
def sink(tmp_path: Path) -> Path:
    return tmp_path / "notices" / "n.jsonl"


@pytest.fixture
def office(tmp_path: Path, sink: Path) -> Office:
    return Office(tmp_path, f"{{kind: file, path: {sink}}}")


def test_a_new_sink_is_told_of_what_comes_and_not_of_the_past(office: Office, sink: Path) -> None:
    notifier = office.start()
    event = office.emit(pause("me"), DONE) - 1
    assert settle(notifier) == ["told file of 1 notice"]
    (line,) = lines(sink)
    assert line["text"] == "Paused by me: nothing is started or moved." and line["severity"] == "info"
    assert line["type"] == "operator.paused" and line["event"] == event and line["at_ms"]
    assert sink.stat().st_mode & 0o777 == 0o600


def test_nothing_is_lost_while_the_notifier_is_down(office: Office, sink: Path) -> None:
    office.start()
    office.emit(*(pause(number) for number in range(600)))
    settle(office.start())
    assert names(lines(sink)) == [str(number) for number in range(600)] and office.waiting("file") == 0


def test_nothing_is_doubled_in_a_file_when_it_was_killed_between_the_file_and_the_store(
    office: Office, sink: Path
) -> None:
    first = office.start()
    office.emit(pause("a"), pause("b"))
    first.cycle(())
    first._deliveries[0]._courier.join(10)
    assert names(lines(sink)) == ["a", "b"] and office.waiting("file") == 2, "written, and not yet noted"
    office.emit(pause("c"))
    settle(office.start())
    assert names(lines(sink)) == ["a", "b", "c"] and office.waiting("file") == 0


def test_what_may_have_been_sent_is_sent_again_under_its_old_key(tmp_path: Path) -> None:
    with web() as hook:
        office = Office(tmp_path, f"{{kind: webhook, url: '{hook.url}', secret: {SECRET}}}")
        first = office.start()
        office.emit(pause("a"), pause("b"))
        first.cycle(())
        first._deliveries[0]._courier.join(10)
        office.emit(pause("c"))
        settle(office.start())
        keys = [headers["Idempotency-Key"] for _, headers, _ in hook.taken]
        assert names(hook.json) == ["a", "b", "a", "b", "c"]
        assert keys[:2] == keys[2:4] and len(set(keys)) == 3
        assert [one["key"] for one in hook.json] == keys


def test_what_was_put_together_once_stays_together_at_the_next_try(tmp_path: Path) -> None:
    with web() as hook:
        digest = "digest: {more_than: 2, within: 1m}"
        office = Office(tmp_path, f"{{kind: webhook, url: '{hook.url}', secret: {SECRET}, {digest}}}")
        first = office.start()
        office.emit(*(pause(number) for number in range(5)))
        first.cycle(())
        first._deliveries[0]._courier.join(10)
        office.emit(*(pause(number) for number in range(5, 8)))
        again = office.start()
        settle(again)
        office.pass_time(again, 60)
        assert [one["count"] for one in hook.json] == [5, 5, 3]
        assert hook.json[0] == hook.json[1] and hook.json[0]["type"] == "digest"


def test_a_store_that_cannot_be_written_for_a_while_makes_nothing_be_sent_twice(tmp_path: Path) -> None:
    with web() as hook:
        office = Office(tmp_path, f"{{kind: webhook, url: '{hook.url}', secret: {SECRET}}}")
        notifier = office.start()
        office.emit(pause("a"), pause("b"))
        notifier.cycle(())
        notifier._deliveries[0]._courier.join(10)
        notifier._store._connection.execute("PRAGMA busy_timeout = 1")
        with office.store.transaction(), pytest.raises(StoreError):
            notifier.cycle(())
        settle(notifier)
        assert names(hook.json) == ["a", "b"] and office.waiting("webhook") == 0


def test_an_orderly_end_notes_what_was_under_way(office: Office, sink: Path) -> None:
    notifier = office.start()
    office.emit(pause("a"))
    notifier.cycle(())
    notifier.close()
    assert names(lines(sink)) == ["a"] and office.waiting("file") == 0


def test_when_a_sink_is_tried_again_outlives_a_restart(tmp_path: Path) -> None:
    with web() as hook:
        office = Office(tmp_path, f"{{kind: webhook, url: '{hook.url}', secret: {SECRET}}}")
        notifier = office.start()
        hook.status, hook.headers = 429, {"Retry-After": "100"}
        office.emit(pause("a"))
        settle(notifier)
        hook.status = 200
        office.clock.advance(99)
        again = office.start()
        settle(again)
        assert hook.taken == [] and office.sinks()["webhook"]["failures"] == 1
        office.clock.advance(2)
        settle(again)
        assert names(hook.json) == ["a"]
        row = office.sinks()["webhook"]
        assert (row["failures"], row["error"]) == (0, "")


def test_a_line_that_a_power_loss_cut_does_not_spoil_the_next(office: Office, sink: Path) -> None:
    notifier = office.start()
    sink.parent.mkdir()
    sink.write_text('{"event": 3, "at')
    office.emit(pause("me"))
    settle(notifier)
    assert '"Paused by me' in sink.read_text().splitlines()[1]


def test_a_sink_that_cannot_be_written_does_not_hold_the_others_up(tmp_path: Path) -> None:
    bad, good = tmp_path / "dir", tmp_path / "good"
    bad.mkdir()
    office = Office(tmp_path, f"{{kind: file, path: {bad}}}", f"{{kind: file, name: good, path: {good}}}")
    notifier = office.start()
    office.emit(DONE, pause("me"))
    assert any("cannot be opened" in one for one in settle(notifier))
    assert len(texts(good)) == 1
    bad.rmdir()
    assert settle(notifier) == [], "it is tried again a little later"
    office.clock.advance(3)
    settle(notifier)
    assert texts(bad) == texts(good)


def test_a_fifo_is_no_sink_and_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    office = Office(tmp_path, f"{{kind: file, path: {tmp_path / 'fifo'}}}")
    notifier = office.start()
    office.emit(pause("me"))
    assert any("no regular file" in one for one in settle(notifier))


def test_a_process_that_a_move_ended_did_not_die(office: Office, sink: Path) -> None:
    notifier = office.start()
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
    settle(notifier)
    assert texts(sink) == ["The process of session s1 ended (pid 78)."]


def test_what_is_in_the_file_is_known_again(sink: Path) -> None:
    sink.parent.mkdir()
    sink.write_bytes(b'{"key": "file/5/1", "text": "t"}\nnot json\n\xff\n[1]\n')
    assert file.known(sink) == {"file/5/1"}


def test_a_sink_that_is_taken_out_of_the_configuration_leaves_nothing_behind(tmp_path: Path, sink: Path) -> None:
    (tmp_path / "dir").mkdir()
    office = Office(tmp_path, f"{{kind: file, path: {tmp_path / 'dir'}}}")
    notifier = office.start()
    office.emit(pause("me"))
    settle(notifier)
    assert office.waiting("file") == 1
    other = Office(tmp_path, f"{{kind: file, name: other, path: {sink}}}")
    other.start()
    assert other.waiting("file") == 0 and set(other.sinks()) == {"other"}
    Office(tmp_path).start()
    assert other.sinks() == {}


def test_events_that_were_deleted_before_anybody_looked_are_counted(office: Office, sink: Path) -> None:
    office.start()
    last = office.emit(*(pause(number) for number in range(5)))
    with office.store.transaction() as tx:
        tx.execute("DELETE FROM events WHERE id < ?", (last,))
    settle(office.start())
    assert names(lines(sink))[0] == "4" and "4 events of" in texts(sink)[1]


def test_a_sink_that_is_down_too_long_is_told_how_much_it_missed(tmp_path: Path) -> None:
    with web() as hook:
        options = "give_up_after: 1h, name: hook"
        office = Office(tmp_path, f"{{kind: webhook, url: '{hook.url}', secret: {SECRET}, {options}}}")
        notifier = office.start()
        hook.status = 503
        office.emit(pause("a"), pause("b"))
        office.pass_time(notifier, 3000, 300)
        office.emit(pause("c"))
        office.pass_time(notifier, 1200, 300)
        assert office.waiting("hook") == 1 and office.sinks()["hook"]["dropped"] == 2
        hook.status = 200
        office.pass_time(notifier, 600, 300)
        assert names(hook.json)[0] == "c" and len(hook.json) == 2
        assert hook.json[1]["text"].startswith("2 notices of 20") and "sink hook" in hook.json[1]["text"]
        assert office.sinks()["hook"]["dropped"] == 0


def test_too_many_notices_are_not_kept_for_ever(office: Office) -> None:
    office.start()
    with office.store.transaction() as tx:
        for number in range(1, 31):
            tx.execute(
                "INSERT INTO outbox (sink, event, at_ms, since_ms, type, severity, text, about)"
                " VALUES ('file', ?, ?, 1000, 'x', 'info', '', '{}')",
                (number, number),
            )
    assert outbox.overdue(office.store, "file", 0, 30) is None
    assert outbox.overdue(office.store, "file", 0, 20) == (10, 10, 1)
    assert outbox.overdue(office.store, "file", 1001, 20) == (30, 30, 1)


def test_it_rests_while_a_sink_hangs_and_comes_back_when_one_is_due(tmp_path: Path) -> None:
    with web() as hook:
        office = Office(tmp_path, f"{{kind: webhook, url: '{hook.url}', secret: {SECRET}}}")
        notifier = office.start()
        assert notifier.wake_after() == 5.0
        hook.answering.clear()
        office.emit(pause("a"))
        until(notifier, lambda: hook.asked, "the sink to be asked")
        assert notifier.wake_after() == 5.0
        hook.status = 500
        hook.answering.set()
        settle(notifier)
        assert notifier.wake_after() == 2.0
