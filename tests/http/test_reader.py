"""Views are made once for all who ask, and are never older than the asking."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from failover.http.reader import Reader
from failover.store import flags
from failover.store.db import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "state.db", "control-plane", "boot")


def commit(store: Store, by: str) -> None:
    with store.transaction() as tx:
        flags.resume(tx, "x")
        flags.pause(tx, 1, by)


async def _ask(reader: Reader, made: list[str], many: int) -> set[bytes]:
    def look(store: Store) -> str:
        pause = flags.paused(store)
        made.append(pause.by if pause else "")
        return made[-1]

    return {shown.body for shown in await asyncio.gather(*(reader.shown("view", look) for _ in range(many)))}


def test_of_many_who_ask_at_once_each_has_what_was_committed_before_and_one_view_is_made(
    store: Store, tmp_path: Path
) -> None:
    async def play() -> None:
        reader, made = Reader(tmp_path / "state.db"), list[str]()
        for number in range(20):
            commit(store, f"p{number}")
            assert await _ask(reader, made, 30) == {b'"p%d"' % number}
        assert made == [f"p{number}" for number in range(20)]
        reader.close()

    asyncio.run(play())


def test_while_nothing_changes_a_view_is_shown_again(store: Store, tmp_path: Path) -> None:
    async def play() -> None:
        reader, made = Reader(tmp_path / "state.db"), list[str]()
        commit(store, "a")
        for _ in range(5):
            assert await _ask(reader, made, 1) == {b'"a"'}
        assert made == ["a"]
        reader.close()

    asyncio.run(play())
