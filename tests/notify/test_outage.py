"""An hour without a sink, by the injected clock and real sockets: nothing lost, doubled or out of order, and the others
are told in time."""

from __future__ import annotations

from pathlib import Path

from failover.events import AllExhausted, SessionDied, TaskFinished
from tests.notify.office import SECRET, Office, lines, names, pause, settle, texts
from tests.notify.receivers import TOKEN, datagrams, web


def test_an_hour_without_telegram_and_a_webhook_that_hangs(tmp_path: Path) -> None:
    with web() as telegram, web() as hook, datagrams() as syslog:
        office = Office(
            tmp_path,
            f"{{kind: telegram, token: '{TOKEN}', chat: '1', api: 'http://127.0.0.1:{telegram.port}', digest: never}}",
            f"{{kind: webhook, url: '{hook.url}', secret: {SECRET}}}",
            f"{{kind: file, path: {tmp_path / 'f'}}}",
            f"{{kind: syslog, address: 'udp://127.0.0.1:{syslog.getsockname()[1]}'}}",
        )
        notifier = office.start()
        telegram.close()
        hook.answering.clear()
        for minute in range(60):
            office.emit(pause(minute))
            settle(notifier, "webhook")
            assert any(f"by {minute}:" in text for text in texts(tmp_path / "f"))
            while f"by {minute}:" not in syslog.recv(65536).decode():  # told in time, beside the news of telegram
                pass
            office.clock.advance(60)
            if minute == 30:
                notifier = office.start()  # a restart in the middle forgets nothing
        settle(notifier, "webhook")
        row = office.sinks()["telegram"]
        assert row["failures"] > 3 and row["error"] and office.waiting("telegram") == 60 and telegram.taken == []
        assert [text for text in texts(tmp_path / "f") if "The sink telegram cannot be told" in text]

        telegram.open()
        hook.answering.set()
        office.pass_time(notifier, 600, 100)
        told = [sent["text"] for sent in telegram.json]
        assert [text.rpartition("Paused by ")[2].split(":")[0] for text in told if "Paused" in text] == [
            str(minute) for minute in range(60)
        ]
        keys = dict.fromkeys(one["key"] for one in hook.json if one["type"] == "operator.paused")
        assert [key.split("/")[1] for key in keys] == [
            str(one["event"]) for one in lines(tmp_path / "f") if one["type"] == "operator.paused"
        ], "in order; what was under way at the restart came again under its key"
        assert texts(tmp_path / "f")[-1] == "The sink telegram is told again."
        assert {office.waiting(name) for name in office.sinks()} == {0}


def test_what_is_rejected_is_given_up_and_said_once(tmp_path: Path) -> None:
    with web() as hook:
        office = Office(
            tmp_path,
            f"{{kind: webhook, url: '{hook.url}', secret: {SECRET}}}",
            f"{{kind: file, path: {tmp_path / 'f'}}}",
        )
        notifier = office.start()
        hook.status, hook.body = 422, b"no"
        office.emit(pause("a"))
        office.emit(pause("b"))
        said = settle(notifier)
        assert any("webhook rejected webhook/" in one for one in said)
        hook.status = 200
        office.emit(pause("c"))
        settle(notifier)
        assert names(hook.json)[-1] == "c" and office.waiting("webhook") == 0
        gone = [text for text in texts(tmp_path / "f") if "did not reach" in text]
        assert len(gone) == 1 and "webhook: it was rejected: " in gone[0] and "answered 422" in gone[0]


def test_two_sinks_that_reject_everything_do_not_tell_of_each_other_for_ever(tmp_path: Path) -> None:
    with web() as one, web() as two:
        office = Office(
            tmp_path,
            f"{{kind: webhook, url: '{one.url}', secret: {SECRET}}}",
            f"{{kind: webhook, name: two, url: '{two.url}', secret: {SECRET}}}",
        )
        notifier = office.start()
        one.status = two.status = 400
        last = office.emit(pause("a"))
        settle(notifier)
        assert office.store.one("SELECT max(id) FROM events")[0] == last + 2
        assert office.waiting("webhook") == office.waiting("two") == 0


def test_a_night_is_left_in_peace_and_summed_up_in_the_morning(tmp_path: Path) -> None:
    """The clock of the test begins at 08:00 UTC on 2027-01-15: 09:00 in Berlin."""
    with web() as hook:
        quiet = "quiet: {from: '22:00', to: '07:00', zone: Europe/Berlin, breaks: critical}"
        office = Office(
            tmp_path, f"{{kind: webhook, url: '{hook.url}', secret: {SECRET}, {quiet}}}",
            f"{{kind: file, path: {tmp_path / 'f'}}}",
        )  # fmt: skip
        notifier = office.start()
        office.clock.advance(12.9 * 3600)  # 21:54
        office.emit(pause("evening"))
        settle(notifier)
        office.clock.advance(600)
        failed = TaskFinished(task=1, name="t", session="s-0", outcome="failed", reason="x")
        office.emit(pause("night"), failed)
        settle(notifier)
        assert names(hook.json) == ["evening"] and len(lines(tmp_path / "f")) == 3
        office.emit(AllExhausted(source="a", until=None, reason="full"))
        settle(notifier)
        assert hook.json[1]["severity"] == "critical"
        office.clock.advance(8.5 * 3600)
        settle(office.start())
        assert len(hook.json) == 2, "06:34: still night, also for a notifier that was started in it"
        office.clock.advance(1800)
        settle(office.open[-1])
        assert hook.json[2]["type"] == "digest" and hook.json[2]["count"] == 2
        assert hook.json[2]["text"].splitlines()[:2] == [
            "2 notices: 1 warning, 1 info", "- warning: Task 1 (t) failed in session s-0: x."
        ]  # fmt: skip


def test_quiet_hours_go_by_the_clock_on_the_wall_when_it_is_put_on(tmp_path: Path) -> None:
    """On 2027-03-28 Berlin goes from 02:00 to 03:00 at 01:00 UTC; 07:00 there is 05:00 UTC, not 06:00."""
    with web() as hook:
        quiet = "quiet: {from: '22:00', to: '07:00', zone: Europe/Berlin}"
        office = Office(tmp_path, f"{{kind: webhook, url: '{hook.url}', secret: {SECRET}, {quiet}}}")
        notifier = office.start()
        office.clock.advance(1_806_181_200 - office.clock.epoch())  # 2027-03-27 21:00 UTC, 22:00 in Berlin
        office.emit(pause("night"))
        office.clock.advance(8 * 3600 - 60)
        settle(notifier)
        assert hook.taken == []
        office.clock.advance(60)
        settle(notifier)
        assert names(hook.json) == ["night"]


def test_a_flood_becomes_a_few_messages_for_people(tmp_path: Path) -> None:
    with web() as telegram:
        office = Office(
            tmp_path,
            f"{{kind: telegram, token: '{TOKEN}', chat: '1', api: 'http://127.0.0.1:{telegram.port}'}}",
            f"{{kind: file, path: {tmp_path / 'f'}}}",
        )
        notifier = office.start()
        for minute in range(10):
            office.emit(*(SessionDied(session=f"s-{minute}-{number}", pid=1) for number in range(20)))
            office.pass_time(notifier, 60)
        office.pass_time(notifier, 300)
        assert len(lines(tmp_path / "f")) == 200 and office.waiting("telegram") == 0
        assert 2 <= len(telegram.taken) <= 4 and "20 notices: 20 warning" in telegram.json[0]["text"]
