"""While a prompt is typed only its session is looked at; whatever else may have happened is looked at all the same."""

from __future__ import annotations

import select
from collections.abc import Callable, Collection
from typing import Any

import pytest

from failover.errors import StoreError
from failover.events import AnyEvent, Envelope, HookReceived, OrderPlaced, SessionStateChanged, UsageRead
from failover.queue.scene import Scene
from tests.queue.floor import Floor
from tests.waiting import wait_for
from workers import dispatcher
from workers.dispatcher import Dispatcher


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


def quiet(floor: Floor, looks: list[Collection[str] | None]) -> Dispatcher:
    """Return a floor's dispatcher after everything was looked at."""
    role = floor.dispatcher
    role.cycle(())
    role.wake_after()
    looks.clear()
    return role


def test_the_next_look_of_who_types_is_at_that_session_alone(
    typing: Floor, looks: list[Collection[str] | None]
) -> None:
    role = typing.dispatcher
    assert role.wake_after() <= 0.25
    role.cycle(())
    assert looks == [{"s-0"}]
    role.cycle([told(HookReceived(call=1, session="s-1", conversation="c", hook="UserPromptSubmit"))])
    assert looks == [{"s-0"}] * 2
    role.wake_after()
    assert role._due <= role._looked + 1, "everybody is looked at soon all the same"


def test_what_is_read_of_accounts_has_everybody_looked_at_within_a_second(
    make_floor: Callable[..., Floor], looks: list[Collection[str] | None]
) -> None:
    role = quiet(make_floor(2), looks)
    role.cycle([told(UsageRead(account="main", window="five_hour", used=1.0, source="statusline", resets_at=None))])
    assert looks == [] and 0 < role.wake_after() <= 1
    role._due = role._clock.monotonic()  # that time is over
    role.cycle(())
    assert None in looks


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


@pytest.mark.parametrize(
    "heard",
    [
        (),
        (told(OrderPlaced(order=1, verb="cancel")),),
    ],
    ids=["something that was not heard", "an order"],
)
def test_whatever_else_wakes_it_has_everybody_looked_at(
    make_floor: Callable[..., Floor], looks: list[Collection[str] | None], heard: tuple[Envelope, ...]
) -> None:
    role = quiet(make_floor(2), looks)
    role.cycle(heard)
    assert None in looks


@pytest.mark.parametrize("limit", [{}, {"per_project": 1}], ids=["", "limited"])
def test_who_may_be_free_is_looked_at_alone_and_given_what_waits(
    make_floor: Callable[..., Floor], looks: list[Collection[str] | None], limit: dict[str, int]
) -> None:
    floor = make_floor(2, **limit)
    for name in floor.names:
        floor.sight(name, "working")
    floor.drop("t1")
    floor.until("t1", "queued")
    role = quiet(floor, looks)
    floor.sight("s-1", "idle")
    role.cycle([told(SessionStateChanged(session="s-1", state="idle", was="working"))])
    assert floor.state("t1") == "delivering"
    assert looks == [None if limit else {"s-1"}], "where a project is limited, others may go before"


def test_a_change_in_an_inbox_has_sessions_looked_at_only_where_a_task_came(
    make_floor: Callable[..., Floor], looks: list[Collection[str] | None]
) -> None:
    floor = make_floor(2)
    role = quiet(floor, looks)

    def stirs() -> bool:
        return bool(select.select(role.descriptors(), [], [], 0)[0])

    (floor.inbox / "half.md").write_text("---\npriority:")
    wait_for(stirs, 5, "the change to be heard of")
    role.cycle(())
    assert looks == []
    floor.drop("t1")
    wait_for(stirs, 5, "the task to be heard of")
    role.cycle(())
    assert looks == [None] and floor.state("t1") == "delivering"


def test_after_an_error_everybody_is_looked_at(
    make_floor: Callable[..., Floor], looks: list[Collection[str] | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    role = quiet(make_floor(2), looks)

    def broken(*_: object) -> Any:
        raise StoreError("the store is locked")

    with monkeypatch.context() as broke:
        broke.setattr(role, "_look_briefly", broken)
        with pytest.raises(StoreError):
            role.cycle([told(HookReceived(call=1, session="s-1", conversation="c", hook="Stop"))])
    role.cycle([told(HookReceived(call=1, session="s-1", conversation="c", hook="UserPromptSubmit"))])
    assert None in looks
