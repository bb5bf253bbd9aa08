"""Keep a store of this release's layout, as a daemon really leaves it, for the tests of all releases after it.

    python -m tests.store.keep_layout

writes layouts/NUMBER.sql. Run it when a release is made, before the layout changes again. Accounts, projects and
conversations are made up; the folder that it all happened in gets another name.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from failover.sim.demo import drop_task, finished
from failover.sim.world import World
from failover.store.db import LAYOUT
from tests.swap.actors import rest, say

LAYOUTS = Path(__file__).with_name("layouts")
_TASKS = ("build", "lint", "ship")


def main() -> None:
    """Let a daemon move three sessions with tasks, deny it a sink, and dump its store."""
    extra = {"notify": [{"kind": "otlp", "url": "http://127.0.0.1:9/nobody"}, {"kind": "stdout"}]}
    sessions = {"one": "app", "two": "app", "three": "site"}
    with World(accounts=("main", "backup"), sessions=sessions, extra=extra) as world:
        world.api.control(chunk_delay=0.0, accounts={"main": {"u5": 0.41}, "backup": {"u5": 0.07}})
        world.up()
        world.launch(account="main")
        say(world, *sessions)
        for task in _TASKS:
            drop_task(world, "site" if task == "ship" else "app", task, 2, 0.2)
        world.wait(lambda: finished(world, list(_TASKS)) == set(_TASKS), "the tasks", 120)
        world.cli("swap", "--to", "backup")
        say(world, *sessions)
        world.cli("accounts", "disable", "main")
        world.cli("sessions", "stop", "three")
        rest(world, "one", "two")
        drop_task(world, "site", "later", 2, 0.2)
        world.wait(lambda: world.query("SELECT 1 FROM tasks WHERE name = 'later'"), "the task that waits")
        world.cli("down")
        with closing(sqlite3.connect(world.config.paths.store)) as connection:
            lines = [*connection.iterdump(), f"PRAGMA user_version = {LAYOUT};"]
            text = "\n".join(lines).replace(str(world.root), "/home/op").replace(world.root.name, "op")
            for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
                print(f"{table}: {connection.execute(f'SELECT count(*) FROM {table}').fetchone()[0]}")
    (LAYOUTS / f"{LAYOUT}.sql").write_text(text + "\n")


if __name__ == "__main__":
    main()
