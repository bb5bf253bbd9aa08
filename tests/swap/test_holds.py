"""While a slot is free holds stand on all who wait for a boundary, and turning ninety of them is one write."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest

from failover.clock import ManualClock
from failover.config import load
from failover.core.move import Move, Seen
from failover.core.session import Standing
from failover.events import HoldChanged
from failover.host import process
from failover.store import events, swaps
from failover.store.db import Store
from failover.switcher.engine import Engine

AT_WORK = Seen(alive=True, standing=Standing(None, "in a tool"))
STARTING = Seen(launched=True)
WAITING = ("s1", "s2", "s3")


class Swap:
    """An open swap of four: one is away, for which there is the only slot, and three are at work. The world is told
    here; engine and store are real."""

    def __init__(self, folder: Path) -> None:
        file = folder / "config.yaml"
        file.write_text(
            "version: 1\nstate_dir: state\nshared_dir: shared\n"
            "accounts: [{name: a, config_dir: a}, {name: b, config_dir: b}]\n"
            "projects: []\nsessions: []\nfailover: {max_parallel: 1}\n"
        )
        file.chmod(0o600)
        config = load(file, {"HOME": str(folder)})
        config.paths.ensure()
        self.store, self.clock = Store.open(config.paths.store, "account-switcher", "boot"), ManualClock()
        nobody = cast(Any, None)
        self.engine = Engine(config, self.store, self.clock, nobody, nobody)
        self.engine.scene = lambda: self  # type: ignore[method-assign, assignment, return-value]
        self._said = 0
        with self.store.transaction() as tx:
            number = swaps.begin(
                tx, kind="swap", source="a", target="b", urgency="soft", reason="", order_id=0, request_id=0,
                started_ms=0, started_mono=self.clock.monotonic(), deadline_mono=self.clock.monotonic() + 600,
                host_boot=process.host_boot_id(),
            )  # fmt: skip
            for name in ("away", *WAITING):
                swaps.add_move(tx, Move(
                    id=0, swap=number, session=name, conversation=f"c-{name}", cwd="/p", source="a", target="b",
                    kind="swap", state="relaunched" if name == "away" else "holding",
                    at={"relaunched": self.clock.monotonic()},
                ))  # fmt: skip

    def seen(self, move: Move) -> Seen:
        return STARTING if move.session == "away" else AT_WORK

    def drive(self) -> tuple[set[str], list[tuple[str, bool]]]:
        """Let the engine do what it can; return on whom holds stand, and what of them was told."""
        row = swaps.open_swap(self.store)
        assert row is not None
        self.engine.drive(row, swaps.moves(self.store, row.id), {"b": ""}, paused=False)
        told = events.latest(self.store, 1000, "swap.hold-changed")[self._said :]
        self._said += len(told)
        changed = [one.event for one in told if isinstance(one.event, HoldChanged)]
        return set(swaps.held_conversations(self.store)), [(one.conversation, one.standing) for one in changed]

    def turn(self, state: Any, session: str = "away") -> None:
        """Let a move be in another state."""
        row = swaps.open_swap(self.store)
        assert row is not None
        (move,) = (one for one in swaps.moves(self.store, row.id) if one.session == session)
        with self.store.transaction() as tx:
            swaps.save_move(tx, msgspec.structs.replace(move, state=state))


@pytest.fixture
def swap(tmp_path: Path) -> Iterator[Swap]:
    made = Swap(tmp_path)
    yield made
    made.store.close()


def test_the_holds_of_all_who_wait_follow_the_slot_in_one_write(swap: Swap) -> None:
    assert swap.drive() == (set(), [])
    swap.turn("verified")
    assert swap.drive() == ({"c-s1", "c-s2", "c-s3"}, [("", True)])
    assert swap.drive() == ({"c-s1", "c-s2", "c-s3"}, []), "nothing has changed"
    swap.turn("relaunched")
    assert swap.drive() == (set(), [("", False)])


def test_a_hold_on_one_is_told_by_its_conversation(swap: Swap) -> None:
    swap.turn("verified", "s1")
    swap.turn("verified", "s2")
    swap.drive()
    swap.turn("verified")
    assert swap.drive() == ({"c-s3"}, [("c-s3", True)])


def test_a_hold_is_renewed_before_it_runs_out_and_is_taken_over_from_another_holder(swap: Swap) -> None:
    swap.turn("verified")
    swap.drive()

    def until() -> dict[str, float]:
        return {row["conversation"]: row["until_mono"] for row in swap.store.query("SELECT * FROM holds")}

    first = until()
    swap.clock.advance(20)
    assert swap.drive()[1] == [] and until() == first
    with swap.store.transaction() as tx:
        swaps.set_hold(tx, "c-s1", 2, 1, 1, swap.clock.monotonic() + 60)
    swap.clock.advance(2)
    assert swap.drive()[1] == [], "it stands, whoever set it"
    assert {row["pid"] for row in swap.store.query("SELECT pid FROM holds")} != {1}
    swap.clock.advance(20)
    swap.drive()
    assert all(until()[one] > first[one] for one in first)
