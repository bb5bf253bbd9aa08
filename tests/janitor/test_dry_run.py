"""A dry run lists just what the next sweep does, and why, and changes nothing."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import msgspec

from failover.core.choice import Stay
from failover.core.move import Move
from failover.core.task import Task
from failover.core.usage import Reading
from failover.events import RolesPaused
from failover.queue.folder import Marker
from failover.sim.world import World
from failover.store import checkpoints, choices, orders, swaps, tasks, usage
from failover.store.checkpoints import Checkpoint
from tests.janitor.house import DAY, House


def fill(house: House) -> None:
    """Leave something behind for each kind of sweep but the processes."""
    with house.store.transaction() as tx:
        for used in (1, 2):
            usage.note(
                tx, Reading(account="main", window="five_hour", used=used, resets_at=None, observed_ms=1, source="x")
            )
        for source in "ab":
            choices.keep(tx, None, Stay("because", source), 1)
        for number in range(3):
            checkpoints.add(tx, session="s", conversation="here", at_ms=1, occasion=str(number),
                            checkpoint=Checkpoint(state="idle", account="main", cwd="/"))  # fmt: skip
            tx.emit(RolesPaused(by="x"))
            order = orders.place(tx, 1, "stop", orders.Args(), "x")
            orders.finish(tx, order, 1, "done", "")
        tx.execute("INSERT INTO hook_calls (at_ms, session, account, launch, conversation, hook, body)"
                   " VALUES (1, 's', 'main', 'l', 'here', 'Stop', '{}')")  # fmt: skip
        tx.execute("INSERT INTO spent VALUES ('main', 1, 2.0)")
        tx.execute(
            "INSERT INTO swap_requests (at_ms, source, target, urgency, reason) VALUES (1, 'a', 'b', 'soft', '')"
        )
        for kind in ("fresh", "fresh", "swap"):
            swap = swaps.begin(
                tx, kind=kind, source="main", target="backup", urgency="soft", reason="", order_id=0, request_id=1,
                started_ms=1, started_mono=1.0, deadline_mono=1.0, host_boot="",
            )  # fmt: skip
            move = Move(
                id=0, swap=swap, session="s", conversation="here", cwd="/", source="main", target="main", kind="fresh",
                state="verified",
            )  # fmt: skip
            move = msgspec.structs.replace(move, id=swaps.add_move(tx, move))
            swaps.journal(tx, move, "queued", 1)
            swaps.finish(tx, swap, "done", "", 1)
        ended = tasks.add(tx, Task(id=0, name="t", project=str(house.project), state="done", finished_ms=1))
    house.put("inbox", "t.md")
    house.queue.mark("t", Marker(ended.id, "s", 1, 1))
    for name in ("t.md", "t.result.json", ".x.result.json.part", "link.md"):
        if name == "link.md":
            (house.project / ".agent-queue" / "done" / name).symlink_to(house.folder)
        else:
            house.put("done", name)
    paths = house.config.paths
    (paths.launch_dir / f"gone.{'f' * 12}.sh").write_text("x")
    (paths.log_dir / "bus.log.1").write_text("x")
    for year in range(2000, 2012):
        (paths.backup_dir / f"state-{year}0101T000000Z.db").write_text("x")
    registry = house.config.shared_dir / "sessions"
    registry.mkdir(parents=True)
    entry = {"pid": 2**22 + 1, "procStart": "5", "sessionId": "here", "cwd": "/"}
    (registry / f"{2**22 + 1}.json").write_text(json.dumps(entry))
    account = house.config.accounts[0].config_dir
    account.mkdir()
    (account / "CLAUDE.md").symlink_to(house.config.shared_dir / "CLAUDE.md")


def state(house: House) -> dict[str, str]:
    """Return every file under the folder with what is in it, and the whole store as text."""
    found = {"store": "\n".join(house.store._connection.iterdump())}
    for path in house.folder.rglob("*"):
        if path.is_file() and not path.name.startswith("state.db"):
            found[str(path)] = hashlib.sha256(path.read_bytes()).hexdigest()
        elif path.is_symlink():
            found[str(path)] = str(path.readlink())
    return found


def test_a_dry_run_lists_what_the_sweep_then_does_and_changes_nothing(tmp_path: Path) -> None:
    house = House(tmp_path)
    fill(house)
    house.later(100 * DAY)
    before = state(house)
    told = house.dry()
    assert state(house) == before
    done = house.janitor.sweep()
    assert list(done.findings) == told
    kinds = {one.kind for one in told}
    assert kinds == {
        "backups", "old backups", "events", "readings", "decisions", "hook calls", "checkpoints", "tasks", "swaps",
        "swap requests", "orders", "costs", "markers", "finished tasks", "half-written files", "launch files", "logs",
        "registry entries", "links",
    }  # fmt: skip
    assert all(one.why for one in told)
    assert [one.count for one in told if one.kind == "swaps"] == [1], "the newest of each kind tells what was taken up"
    assert house.store.one("SELECT count(*) FROM moves")[0] == house.store.one("SELECT count(*) FROM journal")[0] == 2
    again = house.dry()
    assert [one for one in again if one.kind not in ("old backups", "events")] == []
    assert list(house.janitor.sweep().findings) == again


def cli(house: House, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "FAILOVER_CONFIG": str(house.config.file), "HOME": str(house.folder)}
    command = [sys.executable, "-c", "from failover.cli import main; main()", "janitor", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)


def test_the_command_says_so_while_the_daemon_is_down(house: House) -> None:
    assert cli(house, "--dry-run").stdout == "nothing to sweep\n"
    part = house.config.paths.launch_dir / ".s.part"
    part.write_text("x")
    os.utime(part, (1, 1))
    house.put("done", "notes.org")
    done = cli(house, "--dry-run", "--json")
    (trouble,) = json.loads(done.stdout)["troubles"]
    assert trouble == f"{house.project}/.agent-queue/done: notes.org belong to no task, left alone"
    assert part.exists()


def test_a_person_orders_a_sweep_and_is_told_what_was_done() -> None:
    with World(extra={"retention": {"logs": "1s"}}) as world:
        world.up()
        log = world.config.paths.log_dir / "left.log"
        log.write_text("x")
        world.wait(lambda: time.time() - log.stat().st_ctime > 1.5, "the log to be old")
        told = json.loads(world.cli("janitor", "--dry-run", "--json").stdout)["findings"]
        assert [one["subject"] for one in told if one["kind"] == "logs"] == [str(log)]
        answer = json.loads(world.cli("janitor", "--json").stdout)
        assert answer["outcome"] == "done" and "1 logs" in answer["sentence"] and "1 backups" in answer["sentence"]
        assert [one["subject"] for one in answer["detail"] if one["kind"] == "logs"] == [str(log)]
        assert not log.exists()
        assert [copy["size"] > 0 for copy in json.loads(world.cli("backups", "list", "--json").stdout)] == [True]
