"""Who waits in a swap of many is not looked at again and again, and is looked at as soon as it may go."""

from __future__ import annotations

from typing import Any, cast

import pytest

from failover.clock import ManualClock
from failover.core.move import Move, Seen
from failover.core.session import Standing
from failover.switcher.look import Scene
from failover.switcher.waiting import Waiting, told

AT_WORK = Seen(alive=True, standing=Standing(None, "in a tool"))
AT_REST = Seen(alive=True, standing=Standing("idle", "idle"))
BATCH = Seen(alive=True, standing=Standing("tool", "held after a batch of tools"))


def move(state: Any = "holding", number: int = 1) -> Move:
    name = f"ccl-{number}"
    return Move(id=number, swap=1, session=name, conversation="c", cwd="/p", source="a", target="b", kind="swap",
                state=state)  # fmt: skip


class Looks:
    """A scene that counts how often a session is looked at."""

    def __init__(self, seen: Seen) -> None:
        self.count, self._seen = 0, seen

    def seen(self, move: Move) -> Seen:
        self.count += 1
        return self._seen


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def waiting(clock: ManualClock) -> Waiting:
    return Waiting(clock)


def test_who_waits_is_looked_at_again_after_five_seconds_or_when_something_is_heard(
    waiting: Waiting, clock: ManualClock
) -> None:
    assert waiting.known(move(), slot=True) is None
    waiting.note(move(), True, AT_WORK, "in a tool")
    known = waiting.known(move(), slot=True)
    assert known is not None and known.why == "in a tool"
    waiting.forget({"ccl-2"})
    assert waiting.known(move(), slot=True) is not None
    waiting.forget({"ccl-1"})
    assert waiting.known(move(), slot=True) is None
    waiting.note(move(), True, AT_WORK, "in a tool")
    waiting.forget(None)
    assert waiting.known(move(), slot=True) is None
    waiting.note(move(), True, AT_WORK, "in a tool")
    clock.advance(5)
    assert waiting.known(move(), slot=True) is None


def test_who_waits_is_looked_at_once_more_when_the_deadline_is_over(waiting: Waiting, clock: ManualClock) -> None:
    waiting.note(move(), True, AT_WORK, "in a tool")
    deadline = clock.monotonic() + 1
    assert waiting.known(move(), slot=True, deadline=deadline) is not None
    clock.advance(1)
    assert waiting.known(move(), slot=True, deadline=deadline) is None
    waiting.note(move(), True, AT_WORK, "in a tool")
    assert waiting.known(move(), slot=True, deadline=deadline) is not None


@pytest.mark.parametrize("seen", [AT_REST, BATCH])
def test_who_is_at_a_boundary_goes_as_soon_as_it_has_a_slot(waiting: Waiting, seen: Seen) -> None:
    waiting.note(move(), False, seen, "others are being moved")
    assert waiting.known(move(), slot=False) is not None
    assert waiting.known(move(), slot=True) is None


def test_who_stands_in_the_queue_is_taken_out_of_it_as_soon_as_it_has_a_slot(waiting: Waiting) -> None:
    waiting.note(move("queued"), False, AT_WORK, "others are being moved")
    assert waiting.known(move("queued"), slot=False) is not None
    assert waiting.known(move("queued"), slot=True) is None
    assert waiting.known(move("holding"), slot=False) is None, "it took a step since"


def test_whose_slot_went_to_another_is_known_to_have_none(waiting: Waiting) -> None:
    waiting.note(move(), True, AT_WORK, "in a tool")
    assert waiting.turn(move(), slot=False).slot is False
    known = waiting.known(move(), slot=False)
    assert known is not None and not known.slot


def test_only_moves_that_wait_are_known(waiting: Waiting) -> None:
    waiting.note(move("stopping"), True, Seen(), "its process is ending")
    assert waiting.known(move("stopping"), slot=True) is None
    waiting.note(move(), True, AT_WORK, "in a tool")
    waiting.clear()
    assert waiting.known(move(), slot=True) is None


def test_who_is_at_rest_is_looked_at_where_it_is_not_known(waiting: Waiting, clock: ManualClock) -> None:
    moves = [move(number=1), move("queued", 2), move("dead", 3)]
    looks = Looks(AT_REST)
    waiting.note(moves[0], True, AT_WORK, "in a tool")
    assert waiting.at_rest(moves, cast(Scene, looks)) == {"ccl-2"} and looks.count == 1
    clock.advance(5)
    assert waiting.at_rest(moves, cast(Scene, looks)) == {"ccl-1", "ccl-2"} and looks.count == 3


def test_of_many_that_wait_for_the_same_some_are_named() -> None:
    assert told({"s1": "it works", "s2": "a slot"}) == "s1: it works; s2: a slot"
    many = {f"s{number}": "a slot" for number in range(5)} | {"t": "it works"}
    assert told(many) == "s0, s1, s2 and 2 more: a slot; t: it works"
    assert told({}) == ""
