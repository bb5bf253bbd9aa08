"""Whoever listens to the events hears each once, whatever comes between."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

from failover.events import TaskUnblocked, UsageRead
from failover.http import auth
from failover.http.feed import MOST_LISTENERS
from failover.store import events, flags
from tests.http.plane import Plane
from tests.waiting import wait_for


def told(control: Plane, count: int, base: int = 0) -> list[int]:
    """Let something happen `count` times, as another role would; return the events' ids."""
    for number in range(count):
        with control.store.transaction() as tx:
            tx.emit(UsageRead(account="a", window="five_hour", used=base + number, resets_at=None, source="test"))
    return [one.id for one in events.latest(control.store, count, "usage.read")]


def test_a_listener_hears_what_comes_next_each_as_events_gives_it(control: Plane) -> None:
    told(control, 1)
    with control.stream() as stream:
        assert stream.response.getheader("Content-Type", "").startswith("text/event-stream")
        (number,) = told(control, 1, 7)
        heard = stream.next()
    assert heard is not None
    assert (heard["id"], heard["event"]) == (str(number), "usage.read")
    assert heard["data"] == control.tcp("GET", f"/v1/events?after={number - 1}&limit=1")[1][0]
    assert heard["data"]["event"]["used"] == 7


def test_a_listener_resumes_without_loss_or_repeat_from_memory_and_from_the_store(control: Plane) -> None:
    ids = told(control, 450)
    with control.stream(last_id=ids[0]) as late, control.stream(f"?after={ids[0]}") as other:
        assert late.take(449) == ids[1:] == other.take(449)
        more = told(control, 3)
        assert late.take(3) == more == other.take(3)
    with control.stream(last_id=more[0]) as again:
        assert again.take(2) == more[1:]


def test_a_listener_resumes_across_a_restart_of_the_control_plane(control: Plane) -> None:
    with control.stream() as stream:
        (first,) = told(control, 1)
        assert stream.take(1) == [first]
        control.stop(signal.SIGTERM)
        assert stream.next() is None, "the end of the control plane is the end of the stream"
    missed = told(control, 2)
    control.start()
    with control.stream("?topic=usage", last_id=first) as stream:
        assert stream.take(2) == missed


def test_a_topic_narrows_what_is_heard(control: Plane) -> None:
    with control.stream("?topic=operator.") as stream:
        told(control, 3)
        with control.store.transaction() as tx:
            tx.emit(TaskUnblocked(task=1, name="x", session="s-0"))
            flags.pause(tx, 5, "ann")
        heard = stream.next()
        assert heard is not None
        assert heard["event"] == "operator.paused"


def test_an_id_of_the_future_counts_as_the_newest(control: Plane) -> None:
    told(control, 2)
    with control.stream(last_id=10**12) as stream:
        ids = told(control, 1)
        assert stream.take(1) == ids


def test_a_place_that_is_no_id_is_refused(control: Plane) -> None:
    for query, header in (("?after=-1", ""), ("?after=x", ""), ("?after=99999999999999999999", ""), ("", "x"),
                          ("", "-1"), ("", "9" * 30), ("", "٣")):  # fmt: skip
        extra: dict[str, Any] = {"Last_Event_ID": header.encode().decode("latin-1")} if header else {}
        status, answer = control.tcp("GET", f"/v1/events/stream{query}", **extra)
        assert (status, answer["status"]) == (400, 400), (query, header)


def test_the_stream_of_a_token_that_was_replaced_ends(control: Plane) -> None:
    with control.stream() as reading, control.stream(scope="operate") as operating:
        auth.rotate(control.paths.token_file, ["read"])
        (number,) = told(control, 1)
        assert reading.next() is None
        assert operating.take(1) == [number]


def test_listeners_who_do_not_read_or_left_delay_nobody(control: Plane) -> None:
    others = [control.stream() for _ in range(30)]
    for one in others[:15]:
        one.close()
    with control.stream() as stream:
        ids = told(control, 300)
        assert stream.take(300) == ids
    for one in others[15:]:
        assert one.take(300) == ids
        one.close()


def test_listeners_who_do_not_read_cost_little_memory_and_miss_nothing(control: Plane) -> None:
    assert control.process is not None
    rollup = Path(f"/proc/{control.process.pid}/statm")

    def pages() -> int:
        return int(rollup.read_text().split()[1])

    def happen(count: int) -> int:
        with control.store.transaction() as tx:
            for number in range(count):
                tx.emit(UsageRead(account="a" * 500, window="w", used=number, resets_at=None, source="test"))
        return events.last_id(control.store)

    others = [control.stream() for _ in range(40)]
    with control.stream() as stream:
        last = happen(1000)
        while stream.take(1) != [last]:
            pass
        before = pages()
        for _ in range(6):
            last = happen(1000)
            while stream.take(1) != [last]:
                pass
        # Kept for each of them they would be 160 MB.
        assert (pages() - before) * 4096 < 40 * 1024 * 1024
    first = others[0].take(7000)
    assert first == list(range(last - 6999, last + 1))
    for one in others:
        one.close()


def test_there_are_no_more_listeners_than_may_be_and_one_who_leaves_makes_room(control: Plane) -> None:
    all_of_them = [control.stream() for _ in range(MOST_LISTENERS)]
    assert control.tcp("GET", "/v1/events/stream")[0] == 503
    assert control.tcp("GET", "/v1/status")[0] == 200
    all_of_them.pop().close()

    def heard() -> bool:
        with control.stream() as stream:
            return stream.status == 200

    wait_for(heard, 5, "room for another listener")
    for one in all_of_them:
        one.close()
