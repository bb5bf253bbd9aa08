"""What is read again and again is decoded once, and again as soon as it is another."""

from __future__ import annotations

import sqlite3
from typing import Any

from failover.store.kept import Kept


def test_a_row_is_decoded_again_only_where_it_has_changed() -> None:
    decoded: list[tuple[object, ...]] = []

    def decode(row: Any) -> str:
        decoded.append(tuple(row))
        return f"{row['name']}: {row['said']}"

    store = sqlite3.connect(":memory:")
    store.row_factory = sqlite3.Row
    store.execute("CREATE TABLE rows (name TEXT PRIMARY KEY, said TEXT)")
    store.executemany("INSERT INTO rows VALUES (?, ?)", [("a", "1"), ("b", "1")])
    kept = Kept(decode)

    def read(where: str = "TRUE") -> list[str]:
        return kept.of(store.execute(f"SELECT * FROM rows WHERE {where} ORDER BY name").fetchall(), where == "TRUE")

    assert read() == read() == ["a: 1", "b: 1"]
    assert decoded == [("a", "1"), ("b", "1")]
    store.execute("UPDATE rows SET said = '2' WHERE name = 'b'")
    assert read("name = 'b'") == ["b: 2"] and read() == ["a: 1", "b: 2"]
    assert decoded[2:] == [("b", "2")], "a part of the rows leaves the others known"
    store.execute("DELETE FROM rows WHERE name = 'a'")
    assert read() == ["b: 2"]
    store.execute("INSERT INTO rows VALUES ('a', '1')")
    assert read() == ["a: 1", "b: 2"]
    assert decoded[3:] == [("a", "1")], "what was not among the last rows was forgotten"
