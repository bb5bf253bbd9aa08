"""Tasks that ended long ago go to the archive, whole, and nothing is written over."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from failover.core.task import Finish, Task
from failover.events import Swept
from failover.queue import names
from failover.store import tasks
from tests.janitor.house import DAY, House


def test_a_task_goes_to_the_archive_of_its_month_with_what_belongs_to_it(house: House) -> None:
    house.put("done", "a.md")
    house.put("done", "a.result.json")
    house.put("failed", "b.md")
    house.put("failed", "b.reason.txt")
    house.later(29 * DAY)
    assert "finished" not in house.sweep(), "not yet"
    house.later(2 * DAY)
    assert "2 finished tasks" in house.sweep()
    month = f"archive/{house.month()}"
    assert house.tree() == {f"{month}/{name}" for name in ("a.md", "a.result.json", "b.md", "b.reason.txt")}
    (told,) = [one.event for one in house.events() if isinstance(one.event, Swept) and one.event.what.startswith("fin")]
    assert told.count == 2 and str(house.project / ".agent-queue" / "done" / "a.md") in told.names


def test_of_two_tasks_of_one_name_neither_is_written_over(house: House) -> None:
    for text, where in (("one", "done"), ("two", "failed"), ("three", "done")):
        house.put(where, "a.md", text)
        house.put(where, "a.result.json", text)
        house.later(31 * DAY)
        house.sweep()
        house.clock.advance(-31 * DAY)
    archive = house.project / ".agent-queue" / "archive" / house.month()
    for stem, text in (("a", "one"), ("a.2", "two"), ("a.3", "three")):
        assert (archive / f"{stem}.md").read_text() == (archive / f"{stem}.result.json").read_text() == text
    assert len(house.tree("archive")) == 6


@pytest.mark.parametrize("moved", [1, 2])
def test_a_kill_between_two_renames_is_mended_by_the_next_sweep(
    house: House, monkeypatch: pytest.MonkeyPatch, moved: int
) -> None:
    """The archive has a task of that name already, so the number must be found again too."""
    archive = house.put(f"archive/{house.month()}", "a.md", "older").parent
    (archive / "a.result.json").write_text("older")
    house.put("done", "a.md", "mine")
    house.put("done", "a.result.json", "mine")
    house.later(31 * DAY)
    rename, count = Path.rename, 0

    class Killed(BaseException):
        pass

    def until_killed(self: Path, target: Path) -> Path:
        nonlocal count
        if self.parent.name == "done":
            count += 1
            if count > moved - 1:
                raise Killed
        return rename(self, target)

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(Path, "rename", until_killed)
        house.sweep()
    assert (archive / "a.2.result.json").exists() is (moved == 2) and not (archive / "a.2.md").exists()
    house.janitor = house.start()
    house.sweep()
    assert (archive / "a.2.md").read_text() == (archive / "a.2.result.json").read_text() == "mine"
    assert (archive / "a.md").read_text() == (archive / "a.result.json").read_text() == "older"
    assert not house.tree("done")


def test_what_is_no_plain_file_stays_with_its_reason_and_is_named_once(house: House, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("x")
    failed = house.put("failed", "link.reason.txt").parent
    (failed / "link.md").symlink_to(secret)
    os.mkfifo(failed / "fifo.md")
    (failed / "folder.md").mkdir()
    house.put("failed", "notes.org")
    house.put("failed", ".hidden")
    before = house.tree()
    house.later(31 * DAY)
    said = house.sweep()
    assert house.tree() == before and secret.exists()
    assert f"{failed}: fifo.md, folder.md, link.md, notes.org belong to no task, left alone" in said
    house.later(DAY)
    assert "left alone" not in house.sweep()


def test_hostile_names_are_archived_and_told_in_printable_words(house: House) -> None:
    raw = os.fsencode(house.project / ".agent-queue" / "failed")
    house.put("failed", "x.md")
    for name in (b"two\nlines.md", b"\xff\xfe.md", b"\x1b[2J.md", b"a" * 252 + b".md"):
        with open(raw + b"/" + name, "w") as out:  # noqa: PTH123  (not UTF-8)
            out.write("x")
        reason = names.beside(os.fsdecode(name).removesuffix(".md"), ".reason.txt")
        house.put("failed", reason)
    house.later(31 * DAY)
    assert "5 finished tasks" in house.sweep()
    assert not house.tree("failed") and len(house.tree("archive")) == 9
    assert all(str(one.event).isprintable() for one in house.events())


def test_a_result_whose_task_somebody_took_away_goes_alone(house: House) -> None:
    house.put("done", "a.result.json")
    house.later(31 * DAY)
    house.sweep()
    assert house.tree() == {f"archive/{house.month()}/a.result.json"}


def test_what_an_open_task_is_on_its_way_to_or_from_stays(house: House) -> None:
    """A retried task's file is brought back from failed/, a finished one's is being put into done/."""
    house.put("failed", "back.md")
    house.put("done", "closing.2.md")
    house.put("done", "gone.md")
    project = str(house.project)
    with house.store.transaction() as tx:
        tasks.add(tx, Task(id=0, name="one", project=project, returning="back"))
        finish = Finish("done", "", "closing.2")
        tasks.add(tx, Task(id=0, name="closing", project=project, state="running", finish=finish))
    house.later(31 * DAY)
    house.sweep()
    assert house.tree() == {"failed/back.md", "done/closing.2.md", f"archive/{house.month()}/gone.md"}


def test_a_folder_that_cannot_be_written_keeps_nobody_else_from_the_archive(house: House) -> None:
    house.put("done", "a.md")
    house.put("archive", house.month(), "a file where a folder belongs")
    there = house.other / ".agent-queue" / "done" / "b.md"
    there.parent.mkdir()
    there.write_text("x")
    house.later(31 * DAY)
    said = house.sweep()
    assert "a: cannot be archived" in said and "1 finished tasks" in said
    assert not there.exists() and (house.project / ".agent-queue" / "done" / "a.md").exists()
