"""Where transcripts lie, and how their ends are read from a file that another process writes."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from failover.claude import transcript
from failover.clock import ManualClock

DATA = Path(__file__).parent / "data"
CONVERSATION = "1cc8b150-1acd-48cc-83cb-05ca3cecfe04"


def test_the_slug_is_the_real_path_with_all_but_letters_and_digits_as_dashes(tmp_path: Path) -> None:
    real = tmp_path / "a_b.c d"
    real.mkdir()
    link = tmp_path / "link"
    link.symlink_to(real)
    assert transcript.slug(link) == transcript.slug(real)
    assert transcript.slug(real).endswith("-a-b-c-d")


def test_a_conversation_that_was_never_prompted_has_no_transcript(tmp_path: Path) -> None:
    assert transcript.locate(tmp_path, tmp_path, CONVERSATION) is None


def test_a_transcript_is_found_by_the_sessions_folder(tmp_path: Path) -> None:
    path = tmp_path / "projects" / transcript.slug(tmp_path) / f"{CONVERSATION}.jsonl"
    path.parent.mkdir(parents=True)
    path.touch()
    assert transcript.locate(tmp_path, tmp_path, CONVERSATION) == path


def test_a_transcript_under_another_folder_is_found_too(tmp_path: Path) -> None:
    path = tmp_path / "projects" / "-elsewhere" / f"{CONVERSATION}.jsonl"
    path.parent.mkdir(parents=True)
    path.touch()
    assert transcript.locate(tmp_path, tmp_path, CONVERSATION) == path


@pytest.mark.parametrize("name", ["*", "../x", "", "a/b", "a\nb"])
def test_a_name_that_is_no_conversation_is_never_looked_for(tmp_path: Path, name: str) -> None:
    (tmp_path / "projects" / "p").mkdir(parents=True)
    (tmp_path / "projects" / "p" / f"{CONVERSATION}.jsonl").touch()
    assert transcript.locate(tmp_path, tmp_path, name) is None


def test_a_half_written_last_line_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text('{"type":"user"}\n{"type":"assist')
    assert transcript.tail(path) == [(0, {"type": "user"})]


def test_a_first_line_that_the_limit_cuts_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text('{"n":1}\n{"n":2}\n{"n":3}\n')
    assert transcript.tail(path, 12) == [(16, {"n": 3})]


def test_torn_lines_between_whole_ones_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    torn = b'{"n":1}\n\xff\xfe{\n[1]\n' + b"[" * 100_000 + b"\n\0\0\0\n"
    path.write_bytes(torn + b'{"n":2}\n')
    assert transcript.tail(path) == [(0, {"n": 1}), (len(torn), {"n": 2})]


def test_a_message_before_a_huge_bookkeeping_record_is_found(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    message = {"type": "assistant", "message": {"content": [{"type": "text", "text": "done"}]}}
    path.write_text(f"{json.dumps(message)}\n{json.dumps({'type': 'api-request-blob', 'x': 'y' * 1_000_000})}\n")
    assert transcript.ending(path).last_kind == "assistant_text"


def test_an_end_is_read_again_when_the_file_has_changed_and_only_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, reads, read = tmp_path / "c.jsonl", list[Path](), transcript.tail

    def noting(path: Path, most: int) -> list[tuple[int, dict[str, Any]]]:
        reads.append(path)
        return read(path, most)

    monkeypatch.setattr(transcript, "tail", noting)
    assert transcript.ending(path).last_kind == "empty" and not reads
    answer = b'{"type":"assistant","message":{"role":"assistant","content":[{"type":"text","text":"done"}]}}\n'
    path.write_bytes(answer)
    kinds = {transcript.ending(path).last_kind for _ in range(3)}
    assert kinds == {"assistant_text"} and len(reads) == 1
    with path.open("ab") as file:
        file.write(b'{"type":"user","message":{"role":"user","content":"go on"}}\n')
    assert transcript.ending(path).last_kind != "assistant_text" and len(reads) == 2
    # Another file in its place, as long as the first: a conversation that was cleared and begun anew.
    other = tmp_path / "other"
    other.write_bytes(answer)
    other.replace(path)
    assert transcript.ending(path).last_kind == "assistant_text" and len(reads) == 3
    path.unlink()
    assert transcript.ending(path).last_kind == "empty"


def test_the_end_of_a_transcript_is_kept_while_somebody_asks_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = ManualClock()
    monkeypatch.setattr(transcript, "time", clock)
    kept: dict[Path, object] = {}
    monkeypatch.setattr(transcript, "_known", kept)
    for number in (0, 1, 2, 0, 3):
        path = tmp_path / f"{number}.jsonl"
        path.touch()
        transcript.ending(path)
        clock.advance(4)
    assert [path.stem for path in kept] == ["2", "0", "3"]
    clock.advance(60)
    transcript.ending(path)
    assert [path.stem for path in kept] == ["3"]


def test_what_is_no_file_is_empty(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for path in (tmp_path / "missing", tmp_path, tmp_path / "fifo"):
        assert transcript.ending(path).last_kind == "empty"


@settings(deadline=None)
@given(st.binary(max_size=300), st.integers(1, 300))
def test_no_bytes_break_the_reading(tmp_path_factory: pytest.TempPathFactory, content: bytes, limit: int) -> None:
    path = tmp_path_factory.getbasetemp() / "any.jsonl"
    path.write_bytes(content)
    transcript.tail(path, limit)
    transcript.ending(path)


@pytest.mark.parametrize("name", ["sub-agent-ended-untold", "queued-held-and-stopped", "limit-five-hour"])
def test_every_prefix_of_a_real_transcript_can_be_read(tmp_path: Path, name: str) -> None:
    content = (DATA / f"{name}.jsonl").read_bytes()
    path = tmp_path / "t.jsonl"
    for length in range(0, len(content), 97):
        path.write_bytes(content[:length])
        transcript.ending(path)


def test_a_transcript_whose_process_was_killed_before_the_first_message_holds_nothing(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    assert not transcript.holds_nothing(None) and not transcript.holds_nothing(path)
    path.write_text('{"type": "mode", "mode": "normal", "sessionId": "x"}\n')
    assert transcript.holds_nothing(path)
    with path.open("a") as file:
        file.write('{"type": "user", "message": {"role": "user", "content": "do it"}}\n')
    assert not transcript.holds_nothing(path)
