"""Find and read a conversation's transcript: `projects/<slug>/<conversation>.jsonl`, one JSON record a line.

Measured on 2.1.330: made at the first prompt; a record is on disk 75–225 ms after its timestamp; records are appended.
The slug is the real path of the session's folder with each character outside A–Z a–z 0–9 turned into `-`.
"""

from __future__ import annotations

import os
import re
import time
from pathlib import Path
from typing import Any

import msgspec

from failover.claude.ending import Ending, Limit, OpenTool, read_ending

__all__ = ["Ending", "Limit", "OpenTool", "ending", "locate", "size", "slug", "tail"]

_CONVERSATION = re.compile(r"[A-Za-z0-9-]{1,64}")
#: How much of a transcript's end is read at first, and at most when that has no message (bytes).
_FIRST, _MOST = 512 * 1024, 32 * 1024 * 1024
#: How long a transcript's end is kept that nobody asks for (seconds).
_KEPT_FOR = 10.0
#: By path, who was asked for last at the end: when that was (monotonic), how the file was, and its end.
_known: dict[Path, tuple[float, tuple[int, int, int], Ending]] = {}


def slug(cwd: Path) -> str:
    """Return the folder name under `projects/` for a session started in `cwd`."""
    return re.sub(r"[^A-Za-z0-9]", "-", os.path.realpath(cwd))


def locate(shared_dir: Path, cwd: Path, conversation: str) -> Path | None:
    """Return the transcript of a conversation, None when it has none (it was never prompted)."""
    if not _CONVERSATION.fullmatch(conversation):
        return None
    projects = shared_dir / "projects"
    path = projects / slug(cwd) / f"{conversation}.jsonl"
    if path.is_file():
        return path
    # Begun in another folder, or a path so long that its slug is cut.
    return next((found for found in sorted(projects.glob(f"*/{conversation}.jsonl")) if found.is_file()), None)


def tail(path: Path, max_bytes: int = _FIRST) -> list[tuple[int, dict[str, Any]]]:
    """Return the whole records in the last `max_bytes` of a transcript, oldest first, each with the byte at which it
    begins; empty when it cannot be read.

    What is no record (half-written, torn, of another kind) is left out.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError):
        return []
    try:
        start = max(0, os.fstat(descriptor).st_size - max_bytes)
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            file.seek(start)
            content = file.read(max_bytes)
    except OSError:
        return []
    finally:
        os.close(descriptor)
    found, byte = [], start
    for number, line in enumerate(content.split(b"\n")):
        whole = line and (number or not start)  # the first one may be cut at its beginning
        if whole and (record := _record(line)) is not None:
            found.append((byte, record))
        byte += len(line) + 1
    return found


def _record(line: bytes) -> dict[str, Any] | None:
    try:
        record = msgspec.json.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return record if isinstance(record, dict) else None


def ending(path: Path) -> Ending:
    """Return what the end of a transcript looks like. A file that cannot be read is `empty`.

    It is read again when the file has changed: many ask for the same one within a second. Since records are appended,
    none can come without another size.
    """
    try:
        found = path.stat()
    except (OSError, ValueError):
        return Ending()
    shown = (found.st_ino, found.st_size, found.st_mtime_ns)  # before it is read: what comes meanwhile is read again
    known, now = _known.pop(path, None), time.monotonic()
    end = known[2] if known is not None and known[1] == shown else _read_ending(path)
    _known[path] = (now, shown, end)
    while now - _known[oldest := next(iter(_known))][0] > _KEPT_FOR:
        del _known[oldest]
    return end


def _read_ending(path: Path) -> Ending:
    length = _FIRST
    while True:
        found = read_ending(tail(path, length))
        if found.last_kind != "empty" or length >= _MOST or size(path) <= length:
            return found
        length *= 8


def holds_nothing(path: Path | None) -> bool:
    """Say whether a transcript is there and has no message, since its process was killed before the first was written.

    Such a conversation can neither be resumed ("No conversation found") nor begun ("already in use"; measured on
    2.1.330).
    """
    return path is not None and os.access(path, os.R_OK) and size(path) <= _FIRST and ending(path).last_kind == "empty"


def size(path: Path | None) -> int:
    """Return how long a transcript is (bytes); 0 when there is none."""
    try:
        return path.stat().st_size if path else 0
    except OSError:
        return 0
