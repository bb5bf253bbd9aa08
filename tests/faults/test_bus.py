"""The bus dies, is doubled, loses, is flooded, and is fed garbage, alone (faults 3 to 7)."""

from __future__ import annotations

import itertools
import time

import pytest
import zmq

from failover.bus.proxy import HIGH_WATER_MARK, Proxy
from failover.bus.publisher import Publisher
from failover.errors import HostError
from failover.events import MAX_FRAME, encode
from failover.paths import Paths
from tests.bus.listener import Listener, bus_process, envelope
from tests.waiting import wait_for


def test_05_the_first_event_of_a_publisher_is_not_lost(paths: Paths, bus: Proxy) -> None:
    listener = Listener(paths)
    listener.tune_in(paths)
    for attempt in range(20):
        publisher = Publisher(paths.bus_in)
        publisher.send([envelope(1, boot=str(attempt))])
        publisher.close()
        wait_for(lambda wanted=attempt + 1: len(listener.numbers()) == wanted, what=f"event of publisher {attempt}")  # type: ignore[misc]
    assert not listener.subscriber.take_gap()


def test_06_a_listener_that_does_not_read_stops_nobody_and_sees_a_gap(paths: Paths, bus: Proxy) -> None:
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


def test_07_frames_that_are_no_envelopes_are_dropped_and_counted(paths: Paths, bus: Proxy) -> None:
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


def test_03_a_bus_killed_in_mid_stream_loses_nothing_unnoticed(paths: Paths) -> None:
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


def test_04_a_second_bus_is_refused_and_takes_no_endpoint(paths: Paths) -> None:
    with bus_process(paths) as first:
        listener = Listener(paths)
        listener.tune_in(paths)
        with pytest.raises(HostError, match=f"held by process {first.pid}"):
            Proxy(paths)
        listener.tune_in(paths)
