"""A store of an earlier release is brought forward whole, by one process, or stays as it was."""

from __future__ import annotations

import json
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterable
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from failover.errors import HostError, StoreError, UsageError
from failover.paths import Paths
from failover.store import backup, db, migrate
from failover.store.db import LAYOUT, OLDEST_LAYOUT, Store
from failover.store.migrate import Migration
from tests.faults.test_store import small_disk
from tests.places import short_dir

LAYOUTS = Path(__file__).with_name("layouts")
SCHEMA = Path(db.__file__).with_name("schema.sql")
ROOT = Path(__file__).resolve().parents[2]

#: Three steps after the newest, of the kinds that a real one is made of.
NEXT = (
    Migration(LAYOUT + 1, "a.sql", "ALTER TABLE roles ADD COLUMN mood TEXT NOT NULL DEFAULT '';\n"),
    Migration(
        LAYOUT + 2, "b.sql",
        "-- a table; and what it is filled with\nCREATE TABLE moods (\n    name TEXT PRIMARY KEY  -- one;\n);\n"
        "CREATE INDEX moods_by_name ON moods (name);\nINSERT INTO moods SELECT DISTINCT type FROM events;\n",
    ),
    Migration(LAYOUT + 3, "c.sql", "UPDATE events SET source = source || ';' WHERE id % 2;\n\n-- the end\n"),
)  # fmt: skip


def kept(path: Path, number: int = OLDEST_LAYOUT) -> Path:
    """Make a store out of the dump of a layout that was kept."""
    path.touch(0o600)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript((LAYOUTS / f"{number}.sql").read_text())
        connection.execute("PRAGMA journal_mode = WAL")
    return path


def current(path: Path) -> Path:
    """Make a store of the newest layout out of the oldest kept one."""
    Store.open(kept(path), "tester").close()
    for copy in backup.backups(path.parent / "backups"):
        copy.path.unlink()
    return path


def layout(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return migrate.layout(connection)


def rows(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """Return every row of every table."""
    with closing(sqlite3.connect(path)) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: sorted(connection.execute(f"SELECT * FROM {name}"), key=repr) for name in sorted(names)}


def shape(connection: sqlite3.Connection) -> dict[str, object]:
    """Return what a schema comes to: a column that was added says so in another place of its text, and is the same."""
    found: dict[str, object] = {}
    for kind, name, table, sql in connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master"):
        text = " ".join(re.sub(r"--[^\n]*", "", sql or "").split())
        if kind == "table":
            (about,) = [row for row in connection.execute(f"PRAGMA table_list('{name}')") if row[0] == "main"]
            found[name] = (
                about[3:],  # columns, WITHOUT ROWID, STRICT
                "AUTOINCREMENT" in text,
                [row[1:] for row in connection.execute(f"PRAGMA table_xinfo('{name}')")],
                sorted(map(repr, connection.execute(f"PRAGMA foreign_key_list('{name}')"))),
                sorted(row[2:] for row in connection.execute(f"PRAGMA index_list('{name}')") if row[3] != "c"),
            )
        else:
            found[name] = (kind, table, text)
    return found


def shape_of(*scripts: str) -> dict[str, object]:
    with closing(sqlite3.connect(":memory:")) as connection:
        for script in scripts:
            connection.executescript(script)
        return shape(connection)


def forward(start: int, end: int) -> list[str]:
    return [step.sql for step in migrate.migrations() if start < step.number <= end]


# -- the schema and the steps ------------------------------------------------------------------------------------


def test_the_steps_lead_without_a_gap_from_the_oldest_kept_layout_to_this_releases() -> None:
    assert [step.number for step in migrate.migrations()] == list(range(OLDEST_LAYOUT + 1, LAYOUT + 1))


@pytest.mark.parametrize("file", sorted(LAYOUTS.glob("*.sql")), ids=lambda file: f"from-{file.stem}")
def test_the_schema_is_every_kept_layout_and_the_steps_after_it(file: Path) -> None:
    """Whoever changes schema.sql without a new number and a step, or a step that was released, ends here."""
    number = int(file.stem)
    expected, found = shape_of(SCHEMA.read_text()), shape_of(file.read_text(), *forward(number, LAYOUT))
    assert found == expected, "give schema.sql the next number and a step to it: CONTRIBUTING.md"
    oldest = (LAYOUTS / f"{OLDEST_LAYOUT}.sql").read_text()
    assert shape_of(oldest, *forward(OLDEST_LAYOUT, number)) == shape_of(file.read_text())


@pytest.mark.parametrize(
    "was, now",
    [
        ("did     TEXT NOT NULL DEFAULT ''", "did     TEXT NOT NULL DEFAULT 'x'"),
        ("name          TEXT NOT NULL,\n    project", "name          TEXT,\n    project"),
        ("    given_up      TEXT NOT NULL DEFAULT ''", "    more TEXT, given_up TEXT NOT NULL DEFAULT ''"),
        ("WHERE kind != 'fresh'", "WHERE kind = 'fresh'"),
        ("CREATE INDEX moves_by_swap ON moves (swap);", ""),
        ("PRIMARY KEY (account, day)\n) WITHOUT ROWID", "PRIMARY KEY (account, day)\n)"),
        ("swap          INTEGER NOT NULL REFERENCES swaps (id)", "swap INTEGER NOT NULL"),
        ("CREATE TABLE events (", "CREATE TABLE more (a);\nCREATE TABLE events ("),
        ("id      INTEGER PRIMARY KEY AUTOINCREMENT,\n    at_ms   INTEGER NOT NULL,\n    verb",
         "id      INTEGER PRIMARY KEY,\n    at_ms   INTEGER NOT NULL,\n    verb"),
    ],
)  # fmt: skip
def test_each_change_of_the_schema_is_seen(was: str, now: str) -> None:
    text = SCHEMA.read_text()
    assert text.count(was) == 1
    assert shape_of(text.replace(was, now)) != shape_of(text)


def test_a_comment_in_the_schema_is_no_change() -> None:
    text = SCHEMA.read_text()
    assert shape_of(re.sub(r"--[^\n]*", "-- other words", text)) == shape_of(text)


def test_two_steps_with_one_number_and_a_strange_name_are_refused(tmp_path: Path) -> None:
    (tmp_path / "3-one.sql").write_text("SELECT 1;")
    assert [step.number for step in migrate.migrations(tmp_path)] == [3]
    (tmp_path / "03-two.sql").write_text("SELECT 1;")
    with pytest.raises(StoreError, match=r"is no step, or another has its number"):
        migrate.migrations(tmp_path)
    (tmp_path / "03-two.sql").rename(tmp_path / "four.sql")
    with pytest.raises(StoreError, match=r"four\.sql: is no step"):
        migrate.migrations(tmp_path)


# -- a store is brought forward ------------------------------------------------------------------------------------


def test_a_kept_store_has_rows_of_a_daemon_and_all_of_them_after_the_steps(tmp_path: Path) -> None:
    path = kept(tmp_path / "state.db")
    before = rows(path)
    full = {name for name, found in before.items() if found}
    assert full > {"events", "roles", "placements", "swaps", "moves", "journal", "tasks", "readings", "outbox"}
    with closing(Store.open(path, "tester")) as store:
        store.check()
    assert layout(path) == LAYOUT
    after = rows(path)
    assert {name: len(found) for name, found in after.items() if name in before} == {
        name: len(found) for name, found in before.items()
    }


def test_a_copy_of_the_earlier_layout_is_made_first_and_can_be_gone_back_to(tmp_path: Path) -> None:
    path = current(tmp_path / "state.db")
    before = rows(path)
    migrate.bring_forward(path, NEXT)
    assert layout(path) == LAYOUT + 3
    assert [row[-1] for row in rows(path)["roles"]] == [""] * len(before["roles"])
    assert rows(path)["moods"] == sorted({(row[5],) for row in before["events"]})
    (copy,) = backup.backups(tmp_path / "backups")
    assert (copy.layout, rows(copy.path)) == (LAYOUT, before)
    assert copy.path.stat().st_mode & 0o077 == 0
    backup.check(copy.path)
    migrate.bring_forward(path, NEXT)
    assert len(backup.backups(tmp_path / "backups")) == 1, "nothing is left to do"


def test_a_copy_of_an_earlier_layout_is_put_back_and_brought_forward_by_who_opens_it(tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir(mode=0o700)
    copy = kept(folder / "state-20260102T030405Z.db")
    (listed,) = backup.backups(folder)
    assert listed.layout == OLDEST_LAYOUT
    tasks = len(rows(copy)["tasks"])
    assert backup.restore(copy, Paths(tmp_path), 1) is None
    with closing(Store.open(tmp_path / "state.db", "tester")) as store:
        assert len(store.query("SELECT * FROM tasks")) == tasks
    assert layout(tmp_path / "state.db") == LAYOUT
    migrate.bring_forward(tmp_path / "state.db", NEXT)
    shutil.copy(tmp_path / "state.db", copy)
    with pytest.raises(UsageError, match=rf"of another release \(layout {LAYOUT + 3}, this one knows {LAYOUT}\)"):
        backup.restore(copy, Paths(tmp_path), 2)


def test_a_newer_store_is_refused_for_writing_and_for_reading_with_the_mend(tmp_path: Path) -> None:
    path = current(tmp_path / "state.db")
    migrate.bring_forward(path, NEXT)
    for look in (partial(Store.open, path, "tester"), partial(Store.read_only, path)):
        with pytest.raises(StoreError) as refused:
            look()
        assert str(refused.value) == (
            f"{path}: written by a newer release (layout {LAYOUT + 3}, this one knows {LAYOUT}); install that release "
            "again, or go back to a copy of an earlier layout: claude-failover backups list"
        )
    Store.read_only(path, any_layout=True).close()
    assert layout(path) == LAYOUT + 3


def test_a_reader_brings_nothing_forward_and_says_who_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = current(tmp_path / "state.db")
    monkeypatch.setattr(db, "LAYOUT", LAYOUT + 1)
    with pytest.raises(StoreError, match=rf"state\.db: of an earlier release \(layout {LAYOUT}, .*claude-failover up"):
        Store.read_only(path)
    assert layout(path) == LAYOUT


# -- or stays as it was ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "broken", ["ALTER TABLE nothing ADD COLUMN x;", "CREATE TABLE events (x);", "SELECT 1; SELECT 2;"]
)
def test_a_step_that_fails_leaves_the_store_as_it_was(tmp_path: Path, broken: str) -> None:
    path = current(tmp_path / "state.db")
    before = rows(path)
    steps = [*NEXT[:2], Migration(LAYOUT + 3, "3-broken.sql", f"DELETE FROM events;\n{broken}\n")]
    with pytest.raises(StoreError, match=r"at 3-broken\.sql: .*It is as it was, with a copy in .*/backups/state-"):
        migrate.bring_forward(path, steps)
    assert (layout(path), rows(path)) == (LAYOUT, before)
    with closing(Store.open(path, "tester")) as store:
        store.check()


def test_a_step_that_is_missing_is_said_before_anything_is_done(tmp_path: Path) -> None:
    path = current(tmp_path / "state.db")
    with pytest.raises(StoreError, match=rf"no step leads from layout {LAYOUT} to {LAYOUT + 3}"):
        migrate.bring_forward(path, NEXT[1:])
    assert layout(path) == LAYOUT and backup.backups(tmp_path / "backups") == []


def test_a_full_disk_leaves_the_store_as_it_was() -> None:
    with short_dir() as place:
        with small_disk(place / "s", "8m"):
            path = Path(shutil.copy(current(place / "made.db"), place / "s" / "state.db"))
            before = rows(path)
            with pytest.raises(HostError, match=r"backups: .* MiB are free and a copy of the store takes"):
                migrate.bring_forward(path, NEXT)
            assert (layout(path), rows(path)) == (LAYOUT, before)
        (place / "s").rmdir()
        with small_disk(place / "s", "80m"):
            path = Path(shutil.copy(place / "made.db", place / "s" / "state.db"))
            much = "CREATE TABLE much AS SELECT randomblob(1000000) AS b FROM events, events AS e LIMIT 100;\n"
            with pytest.raises(StoreError, match=r"3-much\.sql: .*the disk is full; make room there"):
                migrate.bring_forward(path, [*NEXT[:2], Migration(LAYOUT + 3, "3-much.sql", much)])
            assert (layout(path), rows(path)) == (LAYOUT, before)
            migrate.bring_forward(path, NEXT)
            assert layout(path) == LAYOUT + 3


# -- real processes ----------------------------------------------------------------------------------------------------

#: Brings a store forward; told to, it is killed at the N-th thing that Python or SQLite does for that.
_RUN = """
import json, os, signal, sqlite3, sys
from pathlib import Path
from failover.store import migrate
from failover.store.migrate import Migration

path, last = Path(sys.argv[1]), int(sys.argv[2])
steps = [Migration(*one) for one in json.load(sys.stdin)]
migrate.migrations()
done = 0

def one_more(*what):
    global done
    done += 1
    if done == last:
        os.kill(os.getpid(), signal.SIGKILL)

class Traced(sqlite3.Connection):
    def __init__(self, *given, **more):
        super().__init__(*given, **more)
        self.set_trace_callback(one_more)

connect = sqlite3.connect
sqlite3.connect = lambda *given, **more: connect(*given, factory=Traced, **more)
sys.addaudithook(lambda event, given: one_more() if event.startswith("os.") or event == "open" else None)
migrate.bring_forward(path, steps)
one_more()
print(done)
"""


def start(path: Path, steps: Iterable[Migration], last: int = 0) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", _RUN, str(path), str(last)], cwd=ROOT, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin is not None
    process.stdin.write(json.dumps([(one.number, one.name, one.sql) for one in steps]))
    process.stdin.close()
    process.stdin = None
    return process


def test_twelve_processes_at_once_bring_it_forward_once(tmp_path: Path) -> None:
    path = current(tmp_path / "state.db")
    before = rows(path)
    ends = [(process, *process.communicate(timeout=120)) for process in [start(path, NEXT) for _ in range(12)]]
    assert [(process.returncode, err) for process, _, err in ends] == [(0, "")] * 12
    assert layout(path) == LAYOUT + 3
    assert len(backup.backups(tmp_path / "backups")) == 1
    assert sum(str(row[2]).endswith(";;") for row in rows(path)["events"]) == 0, "no step was taken twice"
    assert len(rows(path)["events"]) == len(before["events"])


def test_a_kill_at_any_step_leaves_the_earlier_layout_or_the_new_one_and_the_next_goes_on(tmp_path: Path) -> None:
    path = current(tmp_path / "state.db")
    whole, before = path.read_bytes(), rows(path)
    out, err = start(path, NEXT).communicate(timeout=60)
    steps, after = int(out), rows(path)
    assert steps >= 20, err
    seen: list[int] = []
    for last in range(1, steps + 1):
        for file in tmp_path.glob("state.db*"):
            file.unlink()
        for copy in backup.backups(tmp_path / "backups"):
            copy.path.unlink()
        path.write_bytes(whole)
        process = start(path, NEXT, last)
        process.communicate(timeout=60)
        if process.returncode == 0:
            continue  # a step fewer than the first time
        assert process.returncode == -signal.SIGKILL
        seen.append(layout(path))
        assert rows(path) == (before if seen[-1] == LAYOUT else after), last
        copies = backup.backups(tmp_path / "backups")
        for copy in copies:
            backup.check(copy.path)
            assert rows(copy.path) == before
        assert copies or seen[-1] == LAYOUT
        migrate.bring_forward(path, NEXT)
        assert rows(path) == after, last
    assert set(seen) == {LAYOUT, LAYOUT + 3} and seen == sorted(seen), "all or nothing"
