"""supervisord, but its last words may fail.

It writes what goes wrong with a log to stderr, and ends when that cannot be written either: a full disk that holds both
would end the daemon for good, since nobody starts supervisord again (measured, 4.3.0). Run as a file, so that it needs
no import of this package: python -P supervise.py [options of supervisord].
"""

from __future__ import annotations

import contextlib
import sys
from typing import TextIO


class Forgiving:
    """A stream that drops what cannot be written."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write, or do not."""
        with contextlib.suppress(OSError):
            self._stream.write(text)
            self._stream.flush()
        return len(text)

    def flush(self) -> None:
        """Nothing waits here."""

    def fileno(self) -> int:
        """Return the stream's own descriptor."""
        return self._stream.fileno()


def main() -> None:
    """Run supervisord."""
    from supervisor import supervisord  # type: ignore[import-untyped]

    sys.stderr = Forgiving(sys.stderr)
    supervisord.main()


if __name__ == "__main__":
    main()
