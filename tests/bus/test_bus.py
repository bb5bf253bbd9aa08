"""The bus loses what it must, and whoever listens knows."""

from __future__ import annotations

import time

import msgspec

from failover.bus.proxy import Proxy
from failover.bus.publisher import BACKLOG, Publisher
from failover.bus.subscriber import Subscriber
from failover.events import HOOKS_OF_TURNS, HookReceived, OrderPlaced
from failover.paths import Paths
from tests.bus.listener import Choices, Listener, bus_process, envelope
from tests.waiting import wait_for


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


def test_of_hooks_those_can_be_chosen_that_matter_and_at_any_time_others(paths: Paths, bus: Proxy) -> None:
    publisher, listener = Publisher(paths.bus_in), Listener(paths, "role.")
    listener.tune_in(paths)
    said = [
        msgspec.structs.replace(envelope(seq), event=HookReceived(call=seq, session="s", conversation="c", hook=hook))
        for seq, hook in enumerate(("PreToolUse", "PostToolBatch", "StopFailure", "PreToolUse", "SubagentStop"), 1)
    ]
    choices = Choices(paths)
    listener.subscriber.topics = HOOKS_OF_TURNS
    choices.wait_for("+hook.received/Stop")
    publisher.send(said[:3])
    wait_for(lambda: listener.numbers() == [3], what="the end of the turn")
    listener.subscriber.topics = ("hook.",)
    choices.wait_for("+hook.")
    publisher.send(said[3:])
    wait_for(lambda: listener.numbers() == [3, 4, 5], what="every hook")
    assert not listener.subscriber.take_gap()


def test_a_listener_that_chose_a_topic_and_leaves_mutes_nobody(paths: Paths, bus: Proxy) -> None:
    publisher, listener = Publisher(paths.bus_in), Listener(paths)
    listener.tune_in(paths)
    choices, other = Choices(paths), Subscriber(paths.bus_out, ("swap.",))
    choices.wait_for("+swap.")
    other.close()
    choices.wait_for("-swap.")
    publisher.socket.poll(20)  # the same word comes to it at the same time; where it is late, nothing is proven
    for seq in range(1, 21):
        publisher.send([envelope(seq)])
        wait_for(lambda: listener.numbers() == list(range(1, seq + 1)), what=f"{seq}")  # noqa: B023


def test_a_bus_can_be_stopped_and_made_again_at_once(paths: Paths) -> None:
    for _ in range(3):
        proxy = Proxy(paths)
        proxy.close()
        assert not proxy.running
