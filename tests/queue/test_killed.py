"""The dispatcher is killed at any step; whoever comes next finds out by looking. A task runs once, and ends once."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest

from failover.host.tmux import Tmux
from failover.queue.folder import Queue
from failover.store import fresh
from failover.store.db import Store
from tests.queue.floor import Floor

#: Everything that the dispatcher does to the world.
STEPS: tuple[tuple[Any, str], ...] = (
    (Store, "transaction"), (Queue, "mark"), (Queue, "unmark"), (Queue, "finish"), (Tmux, "paste"), (Tmux, "keys"),
)  # fmt: skip


class Killed(BaseException):
    """Nothing after this happens."""


class Fate:
    """Kills before or after the n-th step that the dispatcher takes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, number: int, after: bool, *further: tuple[Any, str]) -> None:
        self.left, self.after, self.armed, self.struck = number, after, False, False
        for owner, name in (*STEPS, *further):
            monkeypatch.setattr(owner, name, self._wrapped(getattr(owner, name), f"{owner.__name__}.{name}"))

    def _wrapped(self, step: Callable[..., Any], name: str) -> Callable[..., Any]:
        def taken(thing: Any, *args: Any, **kwargs: Any) -> Any:
            if not self.armed or (isinstance(thing, Store) and thing._source != "dispatcher"):
                return step(thing, *args, **kwargs)
            self.left -= 1
            if self.left == 0 and (not self.after or name == "Store.transaction"):
                self.armed, self.struck = False, True
                raise Killed(name)
            found = step(thing, *args, **kwargs)
            if self.left == 0:
                self.armed, self.struck = False, True
                raise Killed(name)
            return found

        return taken

    def turn(self, floor: Floor, until: Callable[[], Any]) -> None:
        """Let the dispatcher work; when it is killed, another one goes on."""

        def so() -> bool:
            self.armed = not self.struck
            try:
                floor.dispatcher.cycle(floor.heard())
            except Killed:
                floor.restart()
            self.armed = False
            return bool(until())

        floor.turn_by(so)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("number", range(1, 9))
def test_a_fresh_task_is_done_once_whichever_step_the_dispatcher_was_killed_at(
    make_floor: Callable[..., Floor], monkeypatch: pytest.MonkeyPatch, number: int, after: bool
) -> None:
    floor = make_floor(submit_timeout="0.3s")
    fate = Fate(monkeypatch, number, after)
    floor.drop("t1", "---\nconversation: fresh\n---\ndo it\n")
    fate.turn(floor, lambda: fresh.unserved(floor.store))
    floor.start_anew("s-0")
    floor.begin_turn("s-0")
    fate.turn(floor, lambda: floor.state("t1") == "running")
    floor.end_turn("s-0", "the answer")
    fate.turn(floor, lambda: floor.state("t1") == "done")
    for _ in range(3):
        floor.dispatcher.cycle(())
    assert len(floor.submitted("s-0")) == 1 and not fresh.unserved(floor.store)
    assert floor.result("t1")["message"] == "the answer" and not list(floor.inbox.iterdir())
    kinds = [type(one.event).__name__ for one in floor.events()]
    assert [kind for kind in kinds if kind != "FreshWanted"] == ["TaskQueued", "TaskDispatched", "TaskFinished"]
    if number <= 6:
        assert fate.struck


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("number", range(1, 10))
def test_a_task_is_done_once_whichever_step_the_dispatcher_was_killed_at(
    make_floor: Callable[..., Floor], monkeypatch: pytest.MonkeyPatch, number: int, after: bool
) -> None:
    floor = make_floor(submit_timeout="0.3s")
    fate = Fate(monkeypatch, number, after)
    floor.drop("t1")
    fate.turn(floor, lambda: floor.submitted("s-0"))
    floor.begin_turn("s-0")
    fate.turn(floor, lambda: floor.state("t1") == "running")
    floor.end_turn("s-0", "the answer")
    fate.turn(floor, lambda: floor.state("t1") == "done")
    for _ in range(3):
        floor.dispatcher.cycle(())
    assert len(floor.submitted("s-0")) == 1, floor.submitted("s-0")
    assert floor.submitted("s-0")[0].count("[task 1, attempt 1]") == 1
    assert floor.result("t1")["message"] == "the answer" and not list(floor.inbox.iterdir())
    assert sorted(os.listdir(floor.done)) == ["t1.md", "t1.result.json"]  # noqa: PTH208
    kinds = [type(one.event).__name__ for one in floor.events()]
    assert kinds == ["TaskQueued", "TaskDispatched", "TaskFinished"]
    if number <= 7:
        assert fate.struck
