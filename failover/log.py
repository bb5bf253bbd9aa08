"""Logging: sentences on a terminal, one JSON object per line elsewhere, and no secret in either."""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime
from typing import TextIO

import msgspec

from failover.redact import redact


class _Text(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


class _Json(logging.Formatter):
    """Keys: at (ISO 8601, UTC, ms), role, level, message, and error (a traceback) when there is one."""

    def __init__(self, role: str) -> None:
        super().__init__()
        self._role = role

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "role": self._role,
            "level": record.levelname.lower(),
            "message": redact(record.getMessage()),
        }
        if record.exc_info:
            line["error"] = redact(self.formatException(record.exc_info))
        return msgspec.json.encode(line).decode()


def setup(role: str, stream: TextIO | None = None) -> logging.Logger:
    """Send all logging of this process to `stream` (default: standard error) and return the role's logger."""
    stream = stream or sys.stderr
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        _Text("%(asctime)s %(name)s %(levelname)s %(message)s", "%H:%M:%S") if stream.isatty() else _Json(role)
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    return logging.getLogger(role)
