"""Any service that apprise knows: Telegram, Slack, Matrix, mail and a hundred others."""

from __future__ import annotations

import logging
import threading
from typing import Any

from failover.notify import secrets
from failover.notify.message import Message, Unreachable
from failover.notify.spec import Apprise
from failover.redact import redact


class AppriseSink:
    """Loads apprise (24 MiB with all its plugins) when it is made, and not before."""

    def __init__(self, settings: Apprise) -> None:
        url = secrets.fetch(settings.url)
        self._service = _first(url)
        if self._service is None:
            raise Unreachable("apprise does not know this URL; `apprise --details` lists the forms that it knows")

    def send(self, message: Message) -> str:
        """Send a message by the service."""
        return deliver(self._service, message)


def _first(url: str) -> Any:
    with _Said():
        import apprise

        return apprise.Apprise.instantiate(url, suppress_exceptions=True)


def deliver(service: Any, message: Message) -> str:
    """Send a message by one service of apprise. Raises Unreachable with what the service said."""
    from apprise import NotifyFormat, NotifyType

    kinds = {"info": NotifyType.INFO, "warning": NotifyType.WARNING, "critical": NotifyType.FAILURE}
    with _Said() as said:
        taken = service.notify(
            body=message.text,
            title=f"claude-failover: {message.severity}",
            notify_type=kinds[message.severity],
            body_format=NotifyFormat.TEXT,
        )
    if not taken:
        raise Unreachable(f"{service.service_name}: {redact('; '.join(said.lines) or 'it gave no reason')}")
    return f"{service.service_name} took it"


class _Said(logging.Handler):
    """Hears what apprise says in this thread, and lets none of it into our own log: it may name a secret."""

    _log = logging.getLogger("apprise")

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []
        self._thread = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread == self._thread:
            self.lines.append(record.getMessage())

    def __enter__(self) -> _Said:
        self._log.propagate = False
        self._log.addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        self._log.removeHandler(self)
