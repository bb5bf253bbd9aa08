"""A row is written in place of the one with the same key: it keeps its place, and what is not named."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from failover.store.db import Store


def test_a_row_is_written_in_place_of_the_one_with_its_key(tmp_path: Path) -> None:
    with closing(Store.open(tmp_path / "state.db", "test")) as store:
        with store.transaction() as tx:
            for name in ("one", "two"):
                tx.put("flags", {"name": name, "value": "1", "by": "me", "at_ms": 1})
        first = [tuple(row) for row in store.query("SELECT rowid, name FROM flags ORDER BY rowid")]
        with store.transaction() as tx:
            tx.put("flags", {"name": "one", "value": "2", "by": "you", "at_ms": 2})
        assert [tuple(row) for row in store.query("SELECT rowid, name FROM flags ORDER BY rowid")] == first
        assert tuple(store.one("SELECT value, by, at_ms FROM flags WHERE name = 'one'")) == ("2", "you", 2)


def test_a_key_may_be_of_several_fields(tmp_path: Path) -> None:
    with closing(Store.open(tmp_path / "state.db", "test")) as store:
        with store.transaction() as tx:
            for day, usd in ((1, 2.0), (2, 3.0), (1, 4.0)):
                tx.put("spent", {"account": "a", "day": day, "usd": usd}, key=2)
        assert [tuple(row) for row in store.query("SELECT day, usd FROM spent ORDER BY day")] == [(1, 4.0), (2, 3.0)]
