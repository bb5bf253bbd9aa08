"""Half-written files, files of old launches, old logs, registry entries of the dead, links that lead nowhere."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest

from failover.claude import config_dir
from failover.events import Swept
from failover.host import process
from failover.store import sessions
from failover.store.sessions import Placement
from tests.janitor.house import DAY, House

LAUNCH, OTHER = "0123456789ab", "ba9876543210"


def place(house: House, **changes: object) -> None:
    placed = {
        "session": "s", "account": "main", "conversation": "here", "cwd": "/", "wanted": "running", "launch": LAUNCH,
        **changes,
    }  # fmt: skip
    with house.store.transaction() as tx:
        sessions.place(tx, Placement(**placed))  # type: ignore[arg-type]


def test_half_written_files_go_where_only_we_write_and_a_task_on_its_way_stays(house: House) -> None:
    paths = house.config.paths
    ours = [
        house.put("", ".status.json.part"), house.put("done", ".a.result.json.part"),
        house.put("failed", ".b.reason.txt.part"), paths.launch_dir / ".s.0.sh.part",
        paths.state_dir / "supervisord.conf.part", paths.state_dir / ".state.db.123", paths.backup_dir / ".x.db.part",
    ]  # fmt: skip
    for path in ours:
        path.write_text("half")
    theirs = [house.put("inbox", ".task.part"), house.put("done", "a.part")]
    house.sweep()
    assert all(path.exists() for path in ours), "somebody may be writing it"
    house.later(3601)
    assert "7 half-written files" in house.sweep()
    assert not any(path.exists() for path in ours) and all(path.exists() for path in theirs)


def test_files_of_old_launches_go_and_those_that_a_launch_or_a_process_has_stay(house: House) -> None:
    folder = house.config.paths.launch_dir
    place(house)
    names = [f"s.{LAUNCH}.sh", f"s.{OTHER}.prompt.txt", f"gone.{'f' * 12}.sh", "hook.sh", "notes"]
    for name in (*names, f"t.{'e' * 12}.settings.json"):
        (folder / name).write_text("x")
    alive = folder / f"t.{'e' * 12}.settings.json"
    program = [sys.executable, "-S", "-c", "import time; time.sleep(60)", "--settings", str(alive)]
    with subprocess.Popen(program) as child:
        house.later(8 * DAY)
        house.sweep()
        child.kill()
    assert {path.name for path in folder.iterdir()} == {f"s.{LAUNCH}.sh", "hook.sh", "notes", alive.name}


def test_logs_go_by_age_and_size_and_never_those_that_are_written(tmp_path: Path) -> None:
    house = House(tmp_path, janitor={"logs_mb": 1})
    folder = house.config.paths.log_dir
    for name, size in (("bus.log", 10), ("bus.log.1", 10), ("old-role.log", 10)):
        (folder / name).write_bytes(b"x" * size)
    house.later(15 * DAY)
    house.sweep()
    assert {path.name for path in folder.iterdir()} == {"bus.log"}
    (folder / "notifier.log").write_bytes(b"x" * 900_000)
    for number in (1, 2):
        (folder / f"notifier.log.{number}").write_bytes(b"x" * 200_000)
        os.utime(folder / f"notifier.log.{number}", (1, 1))
    house.sweep()
    assert "notifier.log" in {path.name for path in folder.iterdir()}
    assert not (folder / "notifier.log.1").exists() and not (folder / "notifier.log.2").exists()


def test_registry_entries_of_our_dead_go_and_those_of_the_living_and_of_others_stay(house: House) -> None:
    """Only a clean exit of the binary removes its entry (measured)."""
    folder = house.config.shared_dir / "sessions"
    folder.mkdir(parents=True)
    own = process.identify(os.getpid())
    assert own is not None

    def entry(pid: int, start: int, conversation: str, name: str = "") -> Path:
        path = folder / (name or f"{pid}.json")
        path.write_text(json.dumps({"pid": pid, "procStart": str(start), "sessionId": conversation, "cwd": "/"}))
        return path

    place(house)
    gone = 2**22 + 1
    dead = entry(gone, 5, "here")
    stay = [
        entry(own.pid, own.start, "here"), entry(gone + 1, 5, "a person's"), entry(gone + 2, 0, "here"),
        entry(gone + 3, 5, "here", "copy.json"),
    ]  # fmt: skip
    key = folder / f"{gone}.{'a' * 64}.key"
    stay += [folder / f"{own.pid}.{'a' * 64}.key", folder / f"{gone}.key", folder / f"{gone}0.{'a' * 64}.key"]
    for path in (key, *stay[-3:]):
        path.write_text("not to be opened")
    house.sweep()
    assert dead.exists(), "too young"
    house.later(601)
    assert "2 registry entries" in house.sweep()
    assert not dead.exists() and not key.exists() and all(path.exists() for path in stay)
    reused = entry(own.pid, own.start + 1, "here")
    house.later(601)
    house.sweep()
    assert not reused.exists(), "the number is somebody else's by now"


def test_links_of_ours_that_lead_nowhere_go_and_others_stay(house: House) -> None:
    account, shared = house.config.accounts[0].config_dir, house.config.shared_dir
    shared.mkdir()
    (shared / "CLAUDE.md").write_text("x")
    (shared / "agents").mkdir()
    config_dir.make_whole(account, shared)
    (account / "rules").symlink_to(house.folder / "nowhere")
    house.sweep()
    assert (account / "CLAUDE.md").is_symlink()
    (shared / "CLAUDE.md").unlink()
    (shared / "projects").rmdir()
    assert "1 links" in house.sweep()
    assert not (account / "CLAUDE.md").is_symlink() and (account / "agents").is_symlink()
    assert (account / "rules").is_symlink(), "a link of somebody else's"
    assert (account / "projects").is_symlink(), "the binary would make a folder of its own in its place"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may look into everything")
def test_a_folder_that_may_not_be_looked_into_is_told(house: House) -> None:
    house.config.paths.log_dir.chmod(0)
    assert "log: cannot be looked into" in house.sweep()
    house.config.paths.log_dir.chmod(0o700)


def test_a_sweep_holds_nothing_of_the_thousands_of_files_and_rows_that_it_leaves(house: House) -> None:
    """A role's memory does not grow with what lies in folders and tables (in a soak it did)."""

    def peak(more: range) -> int:
        for number in more:
            house.put("done", f"task-{number}.md")
            house.put("done", f"task-{number}.result.json")
            (house.config.paths.launch_dir / f"s.{number:012x}.settings.json").write_text("x")
        with house.store.transaction() as tx:
            for _ in range(5 * len(more)):
                tx.emit(Swept(what="nothing", count=0))
        tracemalloc.start()
        try:
            house.sweep()
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(range(10))  # the first one also makes a copy of the store
    few, many = peak(range(10, 20)), peak(range(20, 1020))
    assert many - few < 100 * 1000, f"{few} bytes with twenty tasks, {many} with a thousand: a hundred for each"
