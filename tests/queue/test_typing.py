"""While a prompt is typed only its session is looked at; whatever else may have happened is looked at all the same."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import pytest

from failover.events import AnyEvent, Envelope, HookReceived, OrderPlaced, SessionStateChanged
from failover.queue.scene import Scene
from tests.queue.floor import Floor
from workers import dispatcher


def told(event: AnyEvent) -> Envelope:
    return Envelope(id=1, source="x", boot="b", seq=1, at_ms=0, event=event)


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[Collection[str] | None]:
    """Whom each look was at; None: everybody."""
    found: list[Collection[str] | None] = []

    class Counted(Scene):
        def __init__(self, *args: Any) -> None:
            found.append(args[5])
            super().__init__(*args)

    monkeypatch.setattr(dispatcher, "Scene", Counted)
    return found


@pytest.fixture
def typing(make_floor: Callable[..., Floor], looks: list[Collection[str] | None]) -> Floor:
    """A floor of two, where a prompt was just pasted into one that does not show it."""
    floor = make_floor(2)
    (floor.at("s-0") / "deaf").touch()
    floor.sight("s-1", "working")
    floor.drop("t1")
    floor.turn(lambda: floor.state("t1") == "delivering")
    floor.dispatcher.cycle(())
    floor.dispatcher._looked = floor.dispatcher._clock.monotonic()
    looks.clear()
    return floor


def test_the_next_look_of_who_types_is_at_that_session_alone(
    typing: Floor, looks: list[Collection[str] | None]
) -> None:
    role = typing.dispatcher
    assert role.wake_after() <= 0.25
    role._types_at = role._clock.monotonic()  # that time is over
    role.cycle(())
    assert looks == [{"s-0"}]
    assert 0 < role._rests <= 1, "everybody is looked at soon all the same"
    role.cycle([told(HookReceived(call=1, session="s-1", conversation="c", hook="UserPromptSubmit"))])
    assert looks == [{"s-0"}] * 2


def test_the_session_s_own_hook_tells_at_once_that_it_took_the_prompt(
    typing: Floor, looks: list[Collection[str] | None]
) -> None:
    typing.hook("s-0", "UserPromptSubmit", prompt="[task 1, attempt 1] Read the file")
    said = typing.dispatcher.cycle(
        [told(HookReceived(call=1, session="s-0", conversation="c", hook="UserPromptSubmit"))]
    )
    assert said == "s-0 took task 1 (t1), attempt 1" and looks == [{"s-0"}]


def test_a_turn_that_ends_ends_its_task_at_once_and_nobody_else_is_looked_at(
    make_floor: Callable[..., Floor], looks: list[Collection[str] | None]
) -> None:
    floor = make_floor(2)
    floor.hand("t1", session="s-0")
    floor.end_turn("s-0")
    floor.dispatcher._looked = floor.dispatcher._clock.monotonic()
    looks.clear()
    floor.dispatcher.cycle([told(HookReceived(call=1, session="s-0", conversation="c", hook="Stop"))])
    assert floor.state("t1") == "done" and looks == [{"s-0"}]
    assert 0 < floor.dispatcher.wake_after() <= 1, "then everybody"


@pytest.mark.parametrize(
    "heard",
    [
        (),
        (told(OrderPlaced(order=1, verb="cancel")),),
        (told(SessionStateChanged(session="s-1", state="idle", was="working")),),
    ],
    ids=["something that was not heard", "an order", "a session that is free"],
)
def test_whatever_else_wakes_it_has_everybody_looked_at(
    typing: Floor, looks: list[Collection[str] | None], heard: tuple[Envelope, ...]
) -> None:
    typing.dispatcher.wake_after()
    typing.dispatcher.cycle(heard)
    assert None in looks
