"""A disk of its own for a state dir, so that it can be filled to the last byte without anybody else's harm."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path

#: Room for a run of an hour (bytes).
_SIZE = 256 * 1024 * 1024
_BLOCK = 4096


class Disk:
    """A tmpfs mounted on a folder. why_not: why there is none (mounting is root's alone), empty when there is one."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._filler = folder, folder / "filler"
        folder.mkdir(mode=0o700)
        command = ["mount", "-t", "tmpfs", "-o", f"size={_SIZE},mode=0700", "tmpfs", str(folder)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=20)
            self.why_not = "" if done.returncode == 0 else done.stderr.strip() or f"mount: exit {done.returncode}"
        except OSError as error:
            self.why_not = f"mount: {error.strerror}"

    def fill(self) -> None:
        """Leave no free block."""
        if sys.platform != "linux":
            raise OSError("a disk that can be filled is mounted on Linux only")
        descriptor = os.open(self._filler, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            piece, end = _SIZE, 0
            while piece >= _BLOCK:
                try:
                    os.posix_fallocate(descriptor, end, piece)
                    end += piece
                except OSError:
                    piece //= 2
        finally:
            os.close(descriptor)

    def free(self) -> None:
        """Give the room back."""
        self._filler.unlink(missing_ok=True)

    def remove(self) -> None:
        """Unmount."""
        if not self.why_not:
            subprocess.run(["umount", "--lazy", str(self._folder)], capture_output=True, timeout=20)
            self.why_not = "removed"
            with contextlib.suppress(OSError):
                self._folder.rmdir()
                self._folder.parent.rmdir()
