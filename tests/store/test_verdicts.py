"""What the last swaps tell of the accounts, while one is open and after it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from failover.clock import ManualClock
from failover.core.move import Move, Reached, State
from failover.store import swaps, verdicts
from failover.store.db import Store

LIMIT = Reached("c", "five_hour", 1_800_000_000, 7)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def store(tmp_path: Path, clock: ManualClock) -> Iterator[Store]:
    opened = Store.open(tmp_path / "state.db", "tester", "boot", clock)
    yield opened
    opened.close()


def begin(store: Store) -> Move:
    with store.transaction() as tx:
        swap = swaps.begin(
            tx, kind="swap", source="a", target="b", urgency="soft", reason="", order_id=0, request_id=0,
            started_ms=store.now_ms(), started_mono=0.0, deadline_mono=0.0, host_boot="x",
        )  # fmt: skip
        move = Move(id=0, swap=swap, session="s", conversation="c", cwd="/p", source="a", target="b", kind="swap")
        return msgspec.structs.replace(move, id=swaps.add_move(tx, move))


def end(store: Store, move: Move, state: State, **changed: object) -> None:
    with store.transaction() as tx:
        over = msgspec.structs.replace(move, state=state, **changed)
        swaps.save_move(tx, over)
        swaps.journal(tx, over, move.state, store.now_ms())
        swaps.finish(tx, move.swap, "done", "", store.now_ms())


def since(store: Store) -> int:
    return store.now_ms() - 60_000


def test_a_swap_tells_while_it_is_open_and_after_it(store: Store) -> None:
    move = begin(store)
    assert (verdicts.troubled(store, since(store)), verdicts.limits_met(store)) == ({}, [])
    with store.transaction() as tx:
        swaps.save_move(tx, msgspec.structs.replace(move, refused=("b",)))
    assert verdicts.troubled(store, since(store)) == {"b": f"b could not serve in swap {move.swap}"}
    end(store, move, "verified", refused=("b", "c"), limits=(LIMIT,), target="d")
    for _ in range(2):  # the second answer is one that was kept
        assert list(verdicts.troubled(store, since(store))) == ["b"]  # c is judged by its readings
        assert verdicts.limits_met(store) == [LIMIT]


def test_an_account_that_served_later_is_cleared(store: Store) -> None:
    end(store, begin(store), "stayed", refused=("b",))
    assert list(verdicts.troubled(store, since(store))) == ["b"]
    end(store, begin(store), "verified")
    assert verdicts.troubled(store, since(store)) == {}


def test_what_the_moves_of_the_last_swaps_cost_an_account(store: Store, clock: ManualClock) -> None:
    first, at_ms = begin(store), store.now_ms()
    assert verdicts.bills(store) == {}
    end(store, first, "verified", bill=700)
    clock.advance(1)
    end(store, begin(store), "stayed", bill=900)
    end(store, begin(store), "verified", target="c", bill=50)
    for _ in range(2):
        assert verdicts.bills(store) == {"b": [(at_ms, 700)], "c": [(at_ms + 1000, 50)]}
    for _ in range(4):
        end(store, begin(store), "verified")
    assert verdicts.bills(store) == {"c": [(at_ms + 1000, 50)]}  # of the last five


def test_what_is_long_ago_is_over(store: Store, clock: ManualClock) -> None:
    end(store, begin(store), "stayed", refused=("b",))
    clock.advance(120)
    assert verdicts.troubled(store, since(store)) == {}


def test_only_the_last_swaps_are_kept(store: Store) -> None:
    for _ in range(verdicts.LOOKED_BACK + 5):
        end(store, begin(store), "verified")
        verdicts.troubled(store, since(store))
    assert len(verdicts.kept[store]) == verdicts.LOOKED_BACK
