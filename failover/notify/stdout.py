"""One JSON line per notice on the role's own output, which supervisord keeps in log/notifier.log."""

from __future__ import annotations

import os

import msgspec

from failover.notify.message import Message, Unreachable


class StdoutSink:
    """Writes past Python's buffers, so that a line is out when it is said to be."""

    def send(self, message: Message) -> str:
        """Write a line."""
        try:
            os.write(1, msgspec.json.encode(message) + b"\n")
        except OSError as error:
            raise Unreachable(f"standard output: {error.strerror}") from None
        return "written to standard output"
