"""A file or folder goes elsewhere while others are at work in it, and they notice nothing."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from failover.host import relocate
from failover.host.relocate import clashes
from tests.waiting import wait_for

WRITERS = 4


@contextmanager
def at_work(folder: Path) -> Iterator[dict[Path, int]]:
    """Let threads append to files by path, as the binary does, and replace others by rename; give what each did."""
    over, done = threading.Event(), dict[Path, int]()

    def append(path: Path) -> None:
        while not over.is_set():
            with path.open("a") as file:
                file.write(f"{done.get(path, 0)}\n")
            done[path] = done.get(path, 0) + 1

    def replace(path: Path) -> None:
        while not over.is_set():
            fresh = path.with_suffix(".tmp")
            fresh.write_text(f"{done.get(path, 0)}")
            try:
                fresh.replace(path)
            except FileNotFoundError:  # the folders became one just now
                continue
            done[path] = done.get(path, 0) + 1

    jobs = [(append, folder / f"p{number % 2}" / f"{number}.jsonl") for number in range(WRITERS)]
    jobs += [(replace, folder / f"{number}.json") for number in range(WRITERS)]
    threads = [threading.Thread(target=work, args=(path,)) for work, path in jobs]
    for thread in threads:
        thread.start()
    try:
        yield done
    finally:
        over.set()
        for thread in threads:
            thread.join(10)
        assert len(done) == len(jobs), "a writer met an error"


@pytest.mark.parametrize("merged", [False, True], ids=["moved", "merged"])
def test_who_appends_or_replaces_meanwhile_loses_nothing(tmp_path: Path, merged: bool) -> None:
    for turn in range(6):
        mine, theirs = tmp_path / f"{turn}" / "mine", tmp_path / f"{turn}" / "theirs"
        for folder in (mine / "p0", mine / "p1", *([theirs / "p0"] if merged else [])):
            folder.mkdir(parents=True)
        if merged:
            (theirs / "p0" / "old.jsonl").write_text("old")
        with at_work(mine) as done:
            wait_for(lambda done=done: len(done) == 2 * WRITERS)  # type: ignore[misc]
            relocate.relocate(mine, theirs)
            until = {path: count + 3 for path, count in done.items()}
            wait_for(lambda until=until, done=done: all(done[path] >= count for path, count in until.items()))  # type: ignore[misc]
        assert mine.is_symlink() and not theirs.is_symlink()
        for path, count in done.items():
            kept = theirs / path.relative_to(mine)
            assert not kept.is_symlink()
            wanted = "".join(f"{n}\n" for n in range(count)) if path.suffix == ".jsonl" else str(count - 1)
            assert kept.read_text() == wanted, path
        assert not list(tmp_path.glob(f"{turn}/.*")), "something of the move is left"


def test_what_has_its_place_taken_is_named_and_stays(tmp_path: Path) -> None:
    mine, theirs = tmp_path / "mine", tmp_path / "theirs"
    for root, text in ((mine, "mine"), (theirs, "theirs")):
        root.mkdir()
        (root / "x").write_text(text)
        (root / "same").write_text("same")
    (mine / "y").write_text("y")
    assert clashes(mine, theirs) == [mine / "x"]
    with pytest.raises(FileExistsError):
        relocate.relocate(mine, theirs)
    assert ((mine / "x").read_text(), (theirs / "x").read_text()) == ("mine", "theirs")
    (mine / "x").unlink()
    relocate.relocate(mine, theirs)
    assert {path.name: path.read_text() for path in theirs.iterdir()} == {"x": "theirs", "same": "same", "y": "y"}


def test_it_goes_on_wherever_it_was_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    exchange, calls = relocate._exchange, list[Path]()

    def cut(after: int) -> None:
        def cut_off(one: Path, other: Path) -> None:
            calls.append(one)
            if len(calls) > after:
                raise KeyboardInterrupt
            exchange(one, other)

        calls.clear()
        monkeypatch.setattr(relocate, "_exchange", cut_off)

    for after in range(6):
        mine, theirs = tmp_path / f"{after}" / "mine", tmp_path / f"{after}" / "theirs"
        for root in (mine, theirs):
            (root / "p").mkdir(parents=True)
            (root / "p" / f"{root.name}.jsonl").write_text(root.name)
        (mine / "q").mkdir()
        (mine / "q" / "2.jsonl").write_text("two")
        cut(after)
        if after < 4:
            with pytest.raises(KeyboardInterrupt):
                relocate.relocate(mine, theirs)
            assert clashes(mine, theirs) == []
            assert {path.name for path in mine.glob("*/*.jsonl")} >= {"2.jsonl", "mine.jsonl"}, "found by the old path"
        monkeypatch.setattr(relocate, "_exchange", exchange)
        relocate.relocate(mine, theirs)
        assert mine.is_symlink()
        assert {path.read_text() for path in theirs.glob("*/*.jsonl")} == {"mine", "theirs", "two"}
        assert not any(path.is_symlink() for path in theirs.rglob("*"))


def test_a_filesystem_that_cannot_exchange_is_served_in_two_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(one: Path, other: Path) -> None:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))

    monkeypatch.setattr(relocate, "_exchange", refuse)
    mine, theirs = tmp_path / "mine", tmp_path / "theirs"
    for root in (mine, theirs):
        (root / "p").mkdir(parents=True)
        (root / "p" / f"{root.name}.jsonl").write_text(root.name)
    relocate.relocate(mine, theirs)
    assert mine.is_symlink()
    assert sorted(path.name for path in (theirs / "p").iterdir()) == ["mine.jsonl", "theirs.jsonl"]
    monkeypatch.undo()

    def refuse_otherwise(one: Path, other: Path) -> None:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    monkeypatch.setattr(relocate, "_exchange", refuse_otherwise)
    (tmp_path / "file").write_text("mine")
    with pytest.raises(OSError, match="cross-device"):
        relocate.relocate(tmp_path / "file", theirs / "file")
    assert (tmp_path / "file").read_text() == "mine" and not os.path.lexists(theirs / "file")
