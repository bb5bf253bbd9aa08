"""What is known of the accounts is asked for once a second, or when something is heard of them."""

from __future__ import annotations

import pytest

from failover.clock import ManualClock
from failover.config import Config
from failover.events import AnyEvent, Envelope, HookReceived, SwapStarted, UsageRead
from failover.queue import scene
from failover.queue.scene import Lows
from failover.store.db import Store
from tests.queue.floor import Floor


def told(event: AnyEvent) -> Envelope:
    return Envelope(id=1, source="x", boot="b", seq=1, at_ms=0, event=event)


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """When the accounts were looked at."""
    candidates = vars(scene)["candidates"]
    found: list[float] = []

    def counted(config: Config, store: Store, now: float) -> object:
        found.append(now)
        return candidates(config, store, now)

    monkeypatch.setattr(scene, "candidates", counted)
    return found


def test_the_accounts_are_looked_at_every_five_seconds(floor: Floor, looks: list[float]) -> None:
    clock = ManualClock()
    lows = Lows(floor.config, floor.store, clock)
    for _ in range(3):
        assert lows.now() == {}
    assert len(looks) == 1
    clock.advance(5)
    lows.now()
    assert len(looks) == 2


@pytest.mark.parametrize(
    ("event", "anew"),
    [
        (HookReceived(call=1, session="s-1", conversation="c", hook="Stop"), False),
        (UsageRead(account="a", window="five_hour", used=91, resets_at=None, source="statusline"), True),
        (
            SwapStarted(swap=1, source="a", target="b", urgency="soft", sessions=("s-1",), reason=""),
            True,
        ),
    ],
)
def test_they_are_looked_at_anew_when_something_is_heard_of_them(
    floor: Floor, looks: list[float], event: AnyEvent, anew: bool
) -> None:
    lows = Lows(floor.config, floor.store, ManualClock())
    lows.now()
    lows.hear([told(event)])
    lows.now()
    assert len(looks) == (2 if anew else 1)
