"""Logging: sentences on a terminal, one JSON object per line elsewhere, and no secret in either."""

from __future__ import annotations

import contextlib
import contextvars
import logging
import sys
import threading
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, TextIO

import msgspec

from failover.redact import redact


class _Text(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


class _Json(logging.Formatter):
    """Keys: at (ISO 8601, UTC, ms), role, level, message, what the line is about (swap, task, session …, see
    `concerns`), and error (a traceback) when there is one."""

    def __init__(self, role: str) -> None:
        super().__init__()
        self._role = role

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "role": self._role,
            "level": record.levelname.lower(),
            "message": redact(record.getMessage()),
            **_shown(_about.get() or {}),
        }
        if record.exc_info:
            line["error"] = redact(self.formatException(record.exc_info))
        return msgspec.json.encode(line).decode()


#: What the cycle under way is about: name → values, in the order in which they came up.
_about: contextvars.ContextVar[dict[str, dict[Any, None]] | None] = contextvars.ContextVar("about", default=None)
#: Fields of events that tie log lines together, and what several of them are called.
_TIES = {
    "swap": "swaps", "task": "tasks", "session": "sessions", "account": "accounts", "order": "orders", "sink": "sinks",
}  # fmt: skip
#: So many values of one field are shown.
_MOST = 20


@contextlib.contextmanager
def cycle() -> Iterator[None]:
    """Begin a stretch of work; what it concerns is said on each log line that is written in it."""
    token = _about.set({})
    try:
        yield
    finally:
        _about.reset(token)


def concerns(facts: Iterable[tuple[str, Any]]) -> None:
    """Note what the stretch of work is about: the fields of an event that it reported."""
    about = _about.get()
    if about is None:
        return
    for name, value in facts:
        if value and name in _TIES:
            values = about.setdefault(name, {})
            if len(values) < _MOST:
                values[value] = None


def _shown(about: dict[str, dict[Any, None]]) -> dict[str, Any]:
    """Return fields: `session` where it is one, `sessions` where it is several."""
    return {
        name if len(values) == 1 else _TIES[name]: next(iter(values)) if len(values) == 1 else list(values)
        for name, values in about.items()
    }


def setup(role: str, stream: TextIO | None = None, *, format: str = "auto", level: str = "info") -> logging.Logger:
    """Send all logging of this process to `stream` (default: standard error) and return the role's logger.

    format: auto (text on a terminal, JSON elsewhere), json or text; level: the mildest that is shown. What nobody
    caught and what the interpreter warns of is logged too: written by itself it would go past the redaction.
    """
    # No line says from where in the code it came, or in which thread: so that is not found out either.
    logging._srcfile, logging.logThreads, logging.logProcesses = None, False, False
    logging.logMultiprocessing = False
    stream = stream or sys.stderr
    handler = logging.StreamHandler(stream)
    text = stream.isatty() if format == "auto" else format == "text"
    handler.setFormatter(_Text("%(asctime)s %(name)s %(levelname)s %(message)s", "%H:%M:%S") if text else _Json(role))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    logging.captureWarnings(True)
    log = logging.getLogger(role)

    def uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        log.critical("ended by an error that nobody expected", exc_info=(kind, error, trace))

    def in_thread(args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None:
            log.error("a thread ended by an error", exc_info=(args.exc_type, args.exc_value, args.exc_traceback))

    sys.excepthook, threading.excepthook = uncaught, in_thread
    return log
