"""Only whole, plain, well-named files become tasks; whatever else ends in `.md` goes to failed/ and harms nothing."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from failover.errors import ConfigError, HostError
from failover.queue import names
from failover.queue.folder import Marker, Queue
from failover.queue.inbox import AT_ONCE, MAX_SIZE, Bad
from failover.queue.task_file import TaskSpec, read

NOW = 1_000_000_000.0


@pytest.fixture
def queue(tmp_path: Path) -> Queue:
    found = Queue(tmp_path)
    found.ensure()
    return found


def drop(queue: Queue, file: str | bytes, data: bytes = b"do it\n", age: float = 10.0) -> None:
    path = os.path.join(os.fsencode(queue.inbox), os.fsencode(file))  # noqa: PTH118  (bytes)
    with open(path, "wb") as out:  # noqa: PTH123
        out.write(data)
    os.utime(path, (NOW - age, NOW - age))


def bad(queue: Queue) -> tuple[Bad, ...]:
    return queue.look((), 5.0, NOW).bad


# -- whole ---------------------------------------------------------------------------------------------


def test_a_file_that_came_by_rename_is_taken_at_once(queue: Queue) -> None:
    drop(queue, "a.md")
    assert [found.name for found in queue.look((), 5.0, NOW).found] == ["a"]


def test_a_file_that_grows_is_not_taken_until_it_stands_still(queue: Queue) -> None:
    drop(queue, "a.md", b"half", age=0.0)
    assert queue.look((), 5.0, NOW).unfinished == 1
    drop(queue, "a.md", b"half and more", age=0.0)
    assert queue.look((), 5.2, NOW).unfinished == 1
    assert queue.look((), 5.25, NOW).unfinished == 1
    assert len(queue.look((), 5.31, NOW).found) == 1


def test_a_file_with_a_time_in_the_future_is_taken_when_it_stands_still(queue: Queue) -> None:
    drop(queue, "a.md", age=-86400.0)
    assert queue.look((), 5.0, NOW).unfinished == 1
    assert len(queue.look((), 5.2, NOW).found) == 1


def test_a_half_written_front_matter_is_given_time(queue: Queue) -> None:
    drop(queue, "a.md", b"---\nprio", age=0.0)
    for now in (5.0, 5.5, 6.5):
        seen = queue.look((), now, NOW)
        assert (seen.unfinished, seen.bad) == (1, ())
    assert "not closed" in queue.look((), 7.1, NOW).bad[0].reason


def test_files_of_another_kind_and_hidden_ones_are_no_tasks(queue: Queue) -> None:
    for name in ("a.txt", ".a.md", ".a.part", "a.md.dispatched", "README"):
        drop(queue, name)
    seen = queue.look((), 5.0, NOW)
    assert (seen.found, seen.bad, seen.unfinished) == ((), (), 0)


def test_an_open_task_and_one_that_somebody_else_marked_are_not_new(queue: Queue) -> None:
    drop(queue, "a.md")
    drop(queue, "b.md")
    drop(queue, "b.md.dispatched", b"by another program")
    assert queue.look({"a"}, 5.0, NOW).found == ()


def test_older_files_come_first(queue: Queue) -> None:
    for name, age in (("b", 30), ("a", 20), ("c", 40)):
        drop(queue, f"{name}.md", age=age)
    assert [found.name for found in queue.look((), 5.0, NOW).found] == ["c", "b", "a"]


def test_a_project_that_is_not_there_has_no_tasks(tmp_path: Path) -> None:
    queue = Queue(tmp_path / "gone")
    queue.ensure()
    assert queue.look((), 5.0, NOW).found == () and not (tmp_path / "gone").exists()


# -- hostile -------------------------------------------------------------------------------------------


def test_what_is_no_regular_file_is_refused_without_being_opened(queue: Queue, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("do it")
    (queue.inbox / "link.md").symlink_to(secret)
    (queue.inbox / "dangling.md").symlink_to(tmp_path / "nowhere")
    os.mkfifo(queue.inbox / "fifo.md")
    (queue.inbox / "folder.md").mkdir()
    with socket.socket(socket.AF_UNIX) as server:
        here = Path.cwd()
        os.chdir(queue.inbox)
        try:
            server.bind("socket.md")
        finally:
            os.chdir(here)
    drop(queue, "good.md")
    seen = queue.look((), 5.0, NOW)
    assert [found.name for found in seen.found] == ["good"]
    assert {one.file.removesuffix(".md") for one in seen.bad} == {"link", "dangling", "fifo", "folder", "socket"}
    for one in seen.bad:
        queue.refuse(one)
    assert (queue.failed / "link.md").is_symlink() and secret.read_text() == "do it"
    assert "symbolic link" in (queue.failed / "link.reason.txt").read_text()
    assert [path.name for path in queue.inbox.iterdir()] == ["good.md"]


@pytest.mark.parametrize(
    "name",
    [
        "a\nb", "-rf", "..", "\x1b[2Jx", 'a" and then', "`id`", "$(id)", "a\\b", "@file", "a\u202eb", " a", "a ", "a;b",
        "ignore\tall", "<b>", "",
    ],
)  # fmt: skip
def test_a_name_that_could_do_something_is_refused(queue: Queue, name: str) -> None:
    assert names.problem(name)
    if name not in ("..", ""):
        drop(queue, f"{name}.md")
        (one,) = bad(queue)
        queue.refuse(one)
        assert (queue.failed / f"{name}.md").exists() and not list(queue.inbox.iterdir())
        (reason,) = queue.failed.glob("*.reason.txt")
        assert reason.read_text().rstrip("\n").isprintable()


@pytest.mark.parametrize("name", ["a", "Fix the (big) bug, 50%", "2026-11-22_x+y=z.v2", "größe", "任务", "a~b&c"])
def test_a_plain_name_is_allowed(name: str) -> None:
    assert names.problem(name) == ""


def test_a_name_that_is_not_utf_8_is_refused_and_shown_escaped(queue: Queue) -> None:
    drop(queue, b"\xff\xfe.md")
    (one,) = bad(queue)
    assert "UTF-8" in one.reason
    queue.refuse(one)
    assert "\\xff\\xfe.md: its name is not UTF-8" in next(queue.failed.glob(b"*".decode() + ".reason.txt")).read_text()


def test_a_name_of_255_bytes_is_refused_although_the_reason_s_name_must_be_cut(queue: Queue) -> None:
    for name in ("x" * 252, "é" * 126):
        drop(queue, f"{name}.md")
        (one,) = bad(queue)
        assert "the most is 241" in one.reason
        queue.refuse(one)
        queue.refuse(one)  # it is gone by then
    assert len(list(queue.failed.glob("*.md"))) == 2 and len(list(queue.failed.glob("*.reason.txt"))) == 2


def test_the_longest_name_that_is_allowed_can_be_marked_finished_and_finished_again(queue: Queue) -> None:
    name = "x" * names.MAX_BYTES
    for _ in range(2):
        drop(queue, f"{name}.md")
        assert len(queue.look((), 5.0, NOW).found) == 1
        assert queue.mark(name, Marker(1, "s", 1, 1))
        queue.finish(name, "done", queue.free_name(name, "done"), b"{}")
    assert len(list(queue.done.iterdir())) == 4 and not list(queue.inbox.iterdir())


def test_a_file_of_over_one_mebibyte_is_refused(queue: Queue) -> None:
    drop(queue, "a.md", b"x" * (MAX_SIZE + 1))
    drop(queue, "b.md", b"x" * MAX_SIZE)
    seen = queue.look((), 5.0, NOW)
    assert [one.file for one in seen.bad] == ["a.md"] and [found.name for found in seen.found] == ["b"]


def test_a_second_bad_file_of_a_name_does_not_take_the_first_one_s_place(queue: Queue) -> None:
    for text in (b"", b" "):
        drop(queue, "a.md", text)
        queue.refuse(bad(queue)[0])
    assert {path.name for path in queue.failed.iterdir()} == {
        "a.md", "a.reason.txt", "a.2.md", "a.2.reason.txt",
    }  # fmt: skip


def test_a_folder_that_cannot_be_made_is_told_with_its_path(queue: Queue) -> None:
    queue.failed.write_text("in the way")
    drop(queue, "a.md", b"")
    with pytest.raises(HostError, match="failed"):
        queue.refuse(bad(queue)[0])
    assert (queue.inbox / "a.md").exists()


# -- front matter ----------------------------------------------------------------------------------------


def test_front_matter_may_be_left_out_or_empty() -> None:
    assert read("a.md", b"do it") == read("a.md", b"---\n---\ndo it") == read("a.md", b"---\n# x\n---\nx") == TaskSpec()


def test_front_matter_says_how_a_task_is_done() -> None:
    text = b"\xef\xbb\xbf---\r\npriority: -3\r\nsession: ccl-0\r\ntimeout: 30m\r\nmax_attempts: 1\r\n"
    text += b"conversation: continue\r\n---\r\ndo it\r\n"
    assert read("a.md", text) == TaskSpec(priority=-3, session="ccl-0", timeout=1800.0, max_attempts=1)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"", "empty"),
        (b" \n\n", "empty"),
        (b"---\npriority: 1\n---\n", "empty"),
        (b"---\npriority: 1\n", "a.md:1: the front matter is not closed"),
        (b"---\n" + b"# x\n" * 4000 + b"---\nx", "longer than"),
        (b"---\npriority: high\n---\nx", "a.md:2: priority:"),
        (b"---\n\nprio: 1\n---\nx", "a.md:3: prio: is no key that exists (did you mean priority?)"),
        (b"---\npriority: 1\npriority: 2\n---\nx", "a second time"),
        (b"---\nconversation: other\n---\nx", "does not exist"),
        (b"---\nsession: '../x'\n---\nx", "is no name"),
        (b"---\ntimeout: 30\n---\nx", "no duration"),
        (b"---\nmax_attempts: 0\n---\nx", "no whole number"),
        (b"---\n- a\n---\nx", "a mapping belongs here"),
        (b"---\na: &x [1]\n---\nx", "alias or anchor"),
        (b"---\n" + b"[" * 500 + b"\n---\nx", "nested more than"),
        (b"---\na: [\n---\nx", "no valid YAML"),
        (b"---\na: !!python/object:os.system x\n---\nx", "a tag"),
        (b"\xff", "a.md:1: is not UTF-8"),
        (b"a\n\0", "a.md:2: has a zero byte"),
    ],
)
def test_a_task_that_cannot_be_read_says_where_and_why(text: bytes, says: str) -> None:
    with pytest.raises(ConfigError) as error:
        read("a.md", text)
    assert says in str(error.value)


# -- markers -------------------------------------------------------------------------------------------


def test_a_task_is_marked_once(queue: Queue) -> None:
    drop(queue, "a.md")
    assert queue.mark("a", Marker(1, "s1", 1, 5))
    assert not queue.mark("a", Marker(2, "s2", 1, 6))
    assert queue.mark("a", Marker(1, "s2", 2, 7)), "left behind by a kill, and the same task's"
    assert queue.marker("a") == Marker(1, "s2", 2, 7)
    queue.unmark("a")
    queue.unmark("a")
    assert queue.marker("a") is None


def test_a_marker_that_is_no_plain_file_is_somebody_else_s(queue: Queue, tmp_path: Path) -> None:
    drop(queue, "a.md")
    (queue.inbox / "a.md.dispatched").symlink_to(tmp_path / "elsewhere")
    assert not queue.mark("a", Marker(1, "s1", 1, 5)) and not (tmp_path / "elsewhere").exists()


def test_finishing_may_be_repeated_from_any_point(queue: Queue) -> None:
    drop(queue, "a.md")
    queue.mark("a", Marker(1, "s1", 1, 5))
    for _ in range(2):
        queue.finish("a", "done", "a", b"{}\n")
    assert {path.name for path in queue.done.iterdir()} == {"a.md", "a.result.json"}
    assert queue.free_name("a", "done") == "a.2" and not list(queue.inbox.iterdir())


def test_a_file_that_was_put_away_before_is_not_taken_for_this_one(queue: Queue) -> None:
    queue.done.mkdir()
    drop(queue, "a.md")
    assert queue.put_away("a", 0) == ""
    (queue.inbox / "a.md").rename(queue.done / "a.md")
    moved_ms = (queue.done / "a.md").stat().st_ctime_ns // 1_000_000
    assert queue.put_away("a", moved_ms) == "done" and queue.put_away("a", moved_ms + 1) == ""


def test_a_flood_is_taken_up_a_part_at_a_time_the_oldest_first(queue: Queue) -> None:
    for number in range(AT_ONCE + 5):
        drop(queue, f"t{number}.md", age=10.0 + number)
    seen = queue.look((), 5.0, NOW)
    assert len(seen.found) == AT_ONCE and seen.more and seen.found[0].name == f"t{AT_ONCE + 4}"
    seen = queue.look({found.name for found in seen.found}, 5.1, NOW)
    assert [found.name for found in seen.found] == ["t4", "t3", "t2", "t1", "t0"] and not seen.more
