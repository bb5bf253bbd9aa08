"""A file that gets one JSON line per notice, each once whatever is killed in between."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import msgspec

from failover.notify.message import Message, Unreachable
from failover.notify.spec import File

#: How much of the file's end is read to see what was told already (bytes).
_END = 256 * 1024


class _Key(msgspec.Struct):
    key: str


class FileSink:
    """Knows from the end of the file what was written by a process that was killed before it could note that."""

    def __init__(self, settings: File) -> None:
        self._path = settings.path
        self._known: frozenset[str] | None = None

    def send(self, message: Message) -> str:
        """Append a line, whole or not at all."""
        if self._known is None:
            self._known = known(self._path)
        if message.key in self._known:
            return f"{self._path} has it already"
        append(self._path, message)
        return f"written to {self._path}"


def known(path: Path) -> frozenset[str]:
    """Return the keys of the messages at the end of the file. Raises Unreachable."""
    with _opened(path) as descriptor:
        size = os.fstat(descriptor).st_size
        content = os.pread(descriptor, _END, max(0, size - _END))
    found = set()
    for line in content.split(b"\n"):
        with contextlib.suppress(msgspec.MsgspecError, UnicodeDecodeError):
            found.add(msgspec.json.decode(line, type=_Key).key)
    return frozenset(found)


def append(path: Path, message: Message) -> None:
    """Append a message as one line. Raises Unreachable."""
    data = msgspec.json.encode(message) + b"\n"
    with _opened(path) as descriptor:
        size = os.fstat(descriptor).st_size
        if size and os.pread(descriptor, 1, size - 1) != b"\n":
            data = b"\n" + data  # what a power loss left is closed, so that this line is one of its own
        try:
            written = os.write(descriptor, data)
        except OSError as error:
            raise Unreachable(f"{path}: the notice cannot be written: {error.strerror}") from None
        if written < len(data):
            os.ftruncate(descriptor, size)
            raise Unreachable(f"{path}: the notice cannot be written: the disk is full")


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[int]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK
        descriptor = os.open(path, flags, 0o600)
    except OSError as error:
        raise Unreachable(f"{path}: cannot be opened for notices: {error.strerror}") from None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise Unreachable(f"{path}: is no regular file; name another path for notices")
        yield descriptor
    finally:
        os.close(descriptor)
