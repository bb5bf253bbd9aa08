"""A file that gets one JSON line per notice."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import msgspec

from failover.core.notice import Severity
from failover.errors import HostError

#: How much of the file's end is read to see what was told already (bytes).
_END = 256 * 1024


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One notice. event: its row in `events`; at_ms: when that happened, epoch milliseconds; type: the event's."""

    event: int
    at_ms: int
    type: str
    severity: Severity
    text: str


def key(path: Path) -> str:
    """Return the name of this sink in the outbox."""
    return f"file:{path}"


def known(path: Path) -> frozenset[int]:
    """Return the events that the end of the file tells of already. Raises HostError."""
    with _opened(path) as descriptor:
        size = os.fstat(descriptor).st_size
        content = os.pread(descriptor, _END, max(0, size - _END))
    found = set()
    for line in content.split(b"\n"):
        with contextlib.suppress(msgspec.MsgspecError, UnicodeDecodeError):
            found.add(msgspec.json.decode(line, type=Line).event)
    return frozenset(found)


def send(path: Path, line: Line) -> None:
    """Append a notice, whole or not at all. Raises HostError."""
    data = msgspec.json.encode(line) + b"\n"
    with _opened(path) as descriptor:
        size = os.fstat(descriptor).st_size
        if size and os.pread(descriptor, 1, size - 1) != b"\n":
            data = b"\n" + data  # what a power loss left is closed, so that this line is one of its own
        try:
            written = os.write(descriptor, data)
        except OSError as error:
            raise HostError(f"{path}: the notice cannot be written: {error.strerror}") from None
        if written < len(data):
            os.ftruncate(descriptor, size)
            raise HostError(f"{path}: the notice cannot be written: the disk is full")


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[int]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK
        descriptor = os.open(path, flags, 0o600)
    except OSError as error:
        raise HostError(f"{path}: cannot be opened for notices: {error.strerror}") from None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise HostError(f"{path}: is no regular file; name another path for notices")
        yield descriptor
    finally:
        os.close(descriptor)
