"""The binary's registry of running sessions, read while it is being written."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from failover.claude import registry
from tests.waiting import wait_for

SAMPLE = Path(__file__).parent / "data" / "session-registry.json"


def test_a_real_entry_is_read() -> None:
    found = registry.read_file(SAMPLE)
    assert found is not None
    assert (found.pid, found.start, found.status, found.waiting_for) == (9191, 58256, "idle", "")
    assert found.conversation == "1cc8b150-1acd-48cc-83cb-05ca3cecfe04"
    assert (found.cwd, found.version, found.updated_at_ms) == ("/home/dev/app", "2.1.330", 1795342680351)


@pytest.mark.parametrize(
    ("said", "start"),
    [("Mon Aug 17 05:43:19 2026", 1786945399), ("Mon Aug  7 05:43:19 2026", 1786081399), ("58256", 58256), (7, 7)],
)
def test_a_start_is_ticks_or_as_on_macos_a_date_in_utc(tmp_path: Path, said: str | int, start: int) -> None:
    path = tmp_path / "9191.json"
    path.write_text(json.dumps(json.loads(SAMPLE.read_text()) | {"procStart": said}))
    found = registry.read_file(path)
    assert found is not None
    assert found.start == start
    path.write_text(json.dumps(json.loads(SAMPLE.read_text()) | {"procStart": "Montag"}))
    assert registry.read_file(path) is None


@pytest.mark.parametrize(
    ("status", "read"),
    [("busy", "busy"), ("shell", "shell"), ("waiting", "waiting"), ("dreaming", "unknown"), (None, "unknown")],
)
def test_a_status_that_is_not_known_or_not_there_yet_is_unknown(tmp_path: Path, status: str | None, read: str) -> None:
    content = json.loads(SAMPLE.read_text())
    del content["status"]
    path = tmp_path / "9191.json"
    path.write_text(json.dumps(content | ({"status": status} if status else {})))
    found = registry.read_file(path)
    assert found is not None
    assert found.status == read


def test_a_waiting_session_says_on_what(tmp_path: Path) -> None:
    content = json.loads(SAMPLE.read_text()) | {"status": "waiting", "waitingFor": "dialog open"}
    path = tmp_path / "9191.json"
    path.write_text(json.dumps(content))
    found = registry.read_file(path)
    assert found is not None
    assert found.waiting_for == "dialog open"


def test_entries_come_by_pid_and_the_unreadable_are_left_out(tmp_path: Path) -> None:
    content = json.loads(SAMPLE.read_text())
    for pid in (300, 20):
        (tmp_path / f"{pid}.json").write_text(json.dumps(content | {"pid": pid}))
    (tmp_path / "5.json").write_text("{")
    (tmp_path / "6.txt").write_text(json.dumps(content))
    os.mkfifo(tmp_path / "7.json")
    (tmp_path / "8.json").mkdir()
    assert [entry.pid for entry in registry.read_all(tmp_path)] == [20, 300]


def test_what_is_read_again_and_again_is_what_stands_there_however_quickly_it_changes(tmp_path: Path) -> None:
    content, known = json.loads(SAMPLE.read_text()), registry.Registry(tmp_path)
    assert known.read() == []
    for turn in range(300):
        path = tmp_path / f"{100 + turn % 3}.json"
        path.write_text(json.dumps(content | {"pid": 100 + turn % 3, "status": ("busy", "idle")[turn // 3 % 2]}))
        assert known.read() == registry.read_all(tmp_path), "the same length, written within the same tick"
    path.unlink()
    assert known.read() == registry.read_all(tmp_path)
    assert registry.Registry(tmp_path / "nowhere").read() == []


def test_what_does_not_change_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, read, known = tmp_path / "9191.json", registry.read_file, registry.Registry(tmp_path)
    path.write_text(SAMPLE.read_text())
    opened: list[Path] = []

    def noting(path: Path) -> registry.RegistryEntry | None:
        opened.append(path)
        return read(path)

    def unread() -> bool:
        before = len(opened)
        return len(known.read()) == 1 and len(opened) == before

    monkeypatch.setattr(registry, "read_file", noting)
    wait_for(unread, what="a look that reads nothing")
    path.write_text(SAMPLE.read_text().replace("idle", "busy"))
    assert [entry.status for entry in known.read()] == ["busy"]


def test_a_directory_that_is_not_there_has_no_entries(tmp_path: Path) -> None:
    assert registry.read_all(tmp_path / "missing") == []


def test_every_half_written_entry_is_none(tmp_path: Path) -> None:
    content = SAMPLE.read_bytes().rstrip()
    path = tmp_path / "9191.json"
    for length in range(len(content)):
        path.write_bytes(content[:length])
        assert registry.read_file(path) is None


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_break_the_reading(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "1.json"
    path.write_bytes(content)
    assert registry.read_file(path) is None
