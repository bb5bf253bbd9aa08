"""The bus loses what it must, and whoever listens knows."""

from __future__ import annotations

import itertools
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
import pytest
import zmq

from failover.bus.proxy import HIGH_WATER_MARK, Proxy
from failover.bus.publisher import BACKLOG, Publisher
from failover.bus.subscriber import Subscriber
from failover.errors import HostError
from failover.events import MAX_FRAME, Envelope, OrderPlaced, RoleStarted, encode
from failover.paths import Paths
from tests.places import short_dir
from tests.waiting import wait_for

_SERVE = """
import sys, time
from pathlib import Path
from failover.bus.proxy import Proxy
from failover.paths import Paths
proxy = Proxy(Paths(Path(sys.argv[1])))
print("serving", flush=True)
time.sleep(60)
"""


@pytest.fixture
def paths() -> Iterator[Paths]:
    with short_dir() as place:
        made = Paths(place / "s")
        made.ensure()
        yield made


@pytest.fixture
def bus(paths: Paths) -> Iterator[Proxy]:
    proxy = Proxy(paths)
    yield proxy
    proxy.close()


@contextmanager
def bus_process(paths: Paths) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-c", _SERVE, str(paths.state_dir)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"serving\n"
        yield process
        process.kill()


def envelope(seq: int, source: str = "dispatcher", boot: str = "b1") -> Envelope:
    return Envelope(id=seq, source=source, boot=boot, seq=seq, at_ms=0, event=RoleStarted(role=source, pid=seq))


_probes = itertools.count(1)


class Listener:
    """A subscriber with all that it has heard, by source."""

    def __init__(self, paths: Paths, *topics: str) -> None:
        self.subscriber = Subscriber(paths.bus_out, topics or ("",))
        self.heard: list[Envelope] = []

    def numbers(self, source: str = "dispatcher") -> list[int]:
        """Return the numbers heard so far from a source."""
        self.heard += self.subscriber.receive()
        return [envelope.seq for envelope in self.heard if envelope.source == source]

    def tune_in(self, paths: Paths) -> None:
        """Wait until the bus forwards to this listener; then nothing counts as missed."""
        probe, name = Publisher(paths.bus_in), f"probe-{next(_probes)}"
        for number in itertools.count(1):
            probe.send([envelope(number, name)])
            if self.subscriber.socket.poll(20) and self.numbers(name):
                break
        wait_for(lambda: probe.pump() or number in self.numbers(name), what="the last probe")  # type: ignore[func-returns-value]
        probe.close()
        self.subscriber.take_gap()


def test_the_first_event_of_a_publisher_is_not_lost(paths: Paths, bus: Proxy) -> None:
    listener = Listener(paths)
    listener.tune_in(paths)
    for attempt in range(20):
        publisher = Publisher(paths.bus_in)
        publisher.send([envelope(1, boot=str(attempt))])
        publisher.close()
        wait_for(lambda wanted=attempt + 1: len(listener.numbers()) == wanted, what=f"event of publisher {attempt}")  # type: ignore[misc]
    assert not listener.subscriber.take_gap()


def test_what_is_sent_before_the_bus_runs_is_delivered_in_order(paths: Paths) -> None:
    publisher, listener = Publisher(paths.bus_in), Listener(paths)
    publisher.send([envelope(1), envelope(2)])
    publisher.send([envelope(3)])
    assert publisher.waiting == 3
    with bus_process(paths):
        # The listener may still be on its way to the bus: what it does not hear, its own connection tells it of.
        wait_for(lambda: publisher.pump() or not publisher.waiting, what="an empty backlog")  # type: ignore[func-returns-value]
        wait_for(lambda: listener.numbers() == [1, 2, 3] or listener.subscriber.take_gap(), what="events or a gap")


def test_the_backlog_is_bounded_and_counts_what_it_dropped(paths: Paths) -> None:
    publisher = Publisher(paths.bus_in)
    publisher.send([envelope(number) for number in range(1, BACKLOG + 6)])
    assert (publisher.waiting, publisher.dropped) == (BACKLOG, 5)
    began = time.monotonic()
    publisher.close()
    assert time.monotonic() - began < 1


def test_a_gap_in_the_numbers_says_look(paths: Paths, bus: Proxy) -> None:
    publisher, listener = Publisher(paths.bus_in), Listener(paths)
    listener.tune_in(paths)
    publisher.send([envelope(1), envelope(2)])
    wait_for(lambda: listener.numbers() == [1, 2], what="1 and 2")
    assert not listener.subscriber.take_gap()
    publisher.send([envelope(4)])
    wait_for(lambda: listener.numbers() == [1, 2, 4], what="4")
    assert listener.subscriber.take_gap()
    assert not listener.subscriber.take_gap()
    publisher.send([envelope(1, boot="b2")])
    wait_for(lambda: listener.numbers() == [1, 2, 4, 1], what="the next start's first event")
    assert not listener.subscriber.take_gap()
    publisher.send([envelope(7, boot="b3")])
    wait_for(lambda: len(listener.numbers()) == 5, what="7 of the start after that")
    assert listener.subscriber.take_gap()


def test_other_topics_are_not_heard_and_make_no_gap(paths: Paths, bus: Proxy) -> None:
    publisher, listener = Publisher(paths.bus_in), Listener(paths, "role.")
    listener.tune_in(paths)
    order = msgspec.structs.replace(envelope(2), event=OrderPlaced(order=1, verb="swap"))
    publisher.send([envelope(1), order, envelope(3)])
    wait_for(lambda: listener.numbers() == [1, 3], what="1 and 3")
    assert not listener.subscriber.take_gap()


def test_a_listener_that_does_not_read_stops_nobody_and_sees_a_gap(paths: Paths, bus: Proxy) -> None:
    publisher, slow, quick = Publisher(paths.bus_in), Listener(paths), Listener(paths)
    slow.tune_in(paths)
    quick.tune_in(paths)
    most = 4 * HIGH_WATER_MARK
    for first in range(1, most, 500):
        publisher.send([envelope(number) for number in range(first, first + 500)])
        wait_for(lambda last=first + 499: quick.numbers()[-1:] == [last], what=f"{first} and on")  # type: ignore[misc]
        quick.heard = quick.heard[-1:]
    wait_for(lambda: not slow.subscriber.receive(), what="an empty queue")
    publisher.send([envelope(most + 1)])
    wait_for(lambda: most + 1 in slow.numbers(), what="the newest event")
    assert slow.subscriber.take_gap()
    assert not quick.subscriber.take_gap()


def test_frames_that_are_no_envelopes_are_dropped_and_counted(paths: Paths, bus: Proxy) -> None:
    publisher, listener = Publisher(paths.bus_in), Listener(paths)
    listener.tune_in(paths)
    topic, good = encode(envelope(1, "forger"))
    bad = [
        [b"alone"],
        [topic, good, b"more"],
        [topic, b""],
        [topic, b"\xff\xfe"],
        [topic, b"[" * (MAX_FRAME - 1)],
        [topic, good.replace(b"role.started", b"role.unheard-of")],
        [topic, good.replace(b'"seq":1', b'"seq":"1"')],
    ]
    with zmq.Context() as context, context.socket(zmq.XPUB) as raw:
        raw.connect(paths.bus_in)
        raw.recv()
        for frames in bad:
            raw.send_multipart(frames)
        wait_for(lambda: listener.subscriber.receive() or listener.subscriber.bad == len(bad), what="all bad frames")
        raw.send_multipart([topic, b"x" * (MAX_FRAME + 1)])  # the bus disconnects whoever sends that
        publisher.send([envelope(1)])
        wait_for(lambda: listener.numbers() == [1], what="the good one")
        assert listener.subscriber.bad == len(bad)
    assert bus.running


def test_a_bus_killed_in_mid_stream_loses_nothing_unnoticed(paths: Paths) -> None:
    publisher, listener = Publisher(paths.bus_in), Listener(paths)
    numbers = itertools.count(1)

    def stream(seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            publisher.send([envelope(next(numbers))])
            listener.subscriber.socket.poll(2)
            listener.numbers()

    with bus_process(paths) as first:
        listener.tune_in(paths)
        stream(0.2)
        assert not listener.subscriber.take_gap()
        first.kill()
        first.wait()
        stream(0.2)
    with bus_process(paths):
        wait_for(lambda: listener.numbers() and listener.subscriber.take_gap(), what="the listener's return")
        stream(0.2)
        last = next(numbers)
        publisher.send([envelope(last)])
        wait_for(lambda: last in listener.numbers(), what="the last event")
    heard = listener.numbers()
    assert heard == sorted(set(heard))


def test_a_second_bus_is_refused_and_takes_no_endpoint(paths: Paths) -> None:
    with bus_process(paths) as first:
        listener = Listener(paths)
        listener.tune_in(paths)
        with pytest.raises(HostError, match=f"held by process {first.pid}"):
            Proxy(paths)
        listener.tune_in(paths)


def test_a_bus_can_be_stopped_and_made_again_at_once(paths: Paths) -> None:
    for _ in range(3):
        proxy = Proxy(paths)
        proxy.close()
        assert not proxy.running
