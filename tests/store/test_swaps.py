"""What the store says of requests and swaps."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from failover.clock import ManualClock
from failover.core.policy import Swap
from failover.errors import StoreError
from failover.events import RolesPaused
from failover.store import events, swaps, usage
from failover.store.db import Store


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def store(tmp_path: Path, clock: ManualClock) -> Iterator[Store]:
    opened = Store.open(tmp_path / "state.db", "tester", "boot", clock)
    yield opened
    opened.close()


def request(store: Store) -> int:
    with store.transaction() as tx:
        return usage.request_swap(tx, store.now_ms(), Swap("a", "b", "soft", "because"))


def begin(store: Store, request_id: int = 0) -> int:
    with store.transaction() as tx:
        return swaps.begin(
            tx,
            kind="swap",
            source="a",
            target="b",
            urgency="soft",
            reason="because",
            order_id=0,
            request_id=request_id,
            started_ms=store.now_ms(),
            started_mono=0.0,
            deadline_mono=0.0,
            host_boot="x",
        )


def test_a_request_that_nobody_could_serve_does_not_stand_for_ever(store: Store, clock: ManualClock) -> None:
    wanted = request(store)
    assert [one.id for one in swaps.unserved_requests(store)] == [wanted]
    clock.advance(swaps.REQUEST_LASTS_MS / 1000 + 1)
    assert swaps.unserved_requests(store) == []


def test_a_request_that_a_swap_took_up_is_served(store: Store) -> None:
    begin(store, request(store))
    assert swaps.unserved_requests(store) == []


def test_a_second_open_swap_is_impossible_and_harms_nothing(store: Store) -> None:
    first = begin(store)
    with pytest.raises(sqlite3.IntegrityError):
        begin(store)
    found = swaps.open_swap(store)
    assert found is not None
    assert found.id == first


def test_a_change_and_its_event_are_one(store: Store) -> None:
    told: list[str] = []
    store.on_commit = lambda envelopes: told.extend(envelope.source for envelope in envelopes)
    with pytest.raises(RuntimeError, match="half way"), store.transaction() as tx:
        usage.request_swap(tx, store.now_ms(), Swap("a", "b", "soft", "because"))
        tx.emit(RolesPaused(by="nobody"))
        raise RuntimeError("half way")
    assert (told, events.last_id(store), swaps.unserved_requests(store)) == ([], 0, [])
    with store.transaction() as tx:
        tx.emit(RolesPaused(by="somebody"))
    assert told == ["tester"]
    (envelope,) = events.after(store, 0)
    assert (envelope.seq, envelope.boot, envelope.event) == (1, "boot", RolesPaused(by="somebody"))


def test_what_is_no_store_of_ours_or_a_newer_one_is_refused(tmp_path: Path) -> None:
    strange = tmp_path / "strange.db"
    strange.write_bytes(b"this is no database, and it is long enough to be seen as none at all" * 10)
    with pytest.raises(StoreError, match=r"strange\.db"):
        Store.open(strange, "tester")
    newer = tmp_path / "newer.db"
    sqlite3.connect(newer).execute("PRAGMA user_version = 999").close()
    with pytest.raises(StoreError, match="newer release"):
        Store.open(newer, "tester")
    with pytest.raises(StoreError, match="claude-failover up"):
        Store.read_only(tmp_path / "missing.db")


def test_many_may_make_the_store_at_once(tmp_path: Path) -> None:
    """All roles start in the same second on a new host; none may meet a store that is half made."""
    path = tmp_path / "state.db"
    code = (
        "import sys; from pathlib import Path; from failover.store.db import Store; sys.stdin.readline();"
        "s = Store.open(Path(sys.argv[1]), 'r', 'b'); t = s.transaction(); tx = t.__enter__();"
        "tx.execute(\"INSERT INTO events (at_ms, source, boot, seq, type, body) VALUES (0, 'r', 'b', 1, '', '')\");"
        "t.__exit__(None, None, None)"
    )
    makers = [
        subprocess.Popen([sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, text=True) for _ in range(12)
    ]
    for maker in makers:
        assert maker.stdin is not None
        maker.stdin.write("go\n")
        maker.stdin.close()
    assert [maker.wait(timeout=30) for maker in makers] == [0] * 12
    assert Store.read_only(path).one("SELECT count(*) FROM events")[0] == 12
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


def test_the_store_is_the_operators_alone(store: Store, tmp_path: Path) -> None:
    assert (tmp_path / "state.db").stat().st_mode & 0o077 == 0
    with (
        pytest.raises(sqlite3.OperationalError, match="readonly"),
        Store.read_only(tmp_path / "state.db").transaction(),
    ):
        pass
