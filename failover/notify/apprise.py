"""Any service that apprise knows: Telegram, Slack, Matrix, mail and a hundred others."""

from __future__ import annotations

import contextvars
import logging
from typing import Any

from failover.notify import secrets
from failover.notify.message import Message, Unreachable
from failover.notify.spec import Apprise
from failover.redact import redact


class AppriseSink:
    """Loads apprise (24 MiB with all its plugins) when it is made, and not before."""

    def __init__(self, settings: Apprise) -> None:
        url = secrets.fetch(settings.url)
        with _Said():
            import apprise

            found = apprise.Apprise.instantiate(url, suppress_exceptions=True)
        if found is None:
            raise Unreachable("apprise does not know this URL; `apprise --details` lists the forms that it knows")
        self._service = Service(found)

    def send(self, message: Message) -> str:
        """Send a message by the service."""
        return self._service.send(message)


class Service:
    """One service of apprise, behind what turns plain text into what that service wants."""

    def __init__(self, plugin: Any) -> None:
        from apprise import Apprise as Library

        self._name = str(plugin.service_name)
        self._library = Library()
        self._library.add(plugin)
        # It writes each URL, and so each secret, at its lowest level.
        logging.getLogger("urllib3").setLevel(logging.WARNING)

    def send(self, message: Message) -> str:
        """Send a message. Raises Unreachable with what the service said."""
        from apprise import NotifyFormat, NotifyType

        kinds = {"info": NotifyType.INFO, "warning": NotifyType.WARNING, "critical": NotifyType.FAILURE}
        with _Said() as said:
            taken = self._library.notify(
                body=message.text,
                title=f"claude-failover: {message.severity}",
                notify_type=kinds[message.severity],
                body_format=NotifyFormat.TEXT,
            )
        if not taken:
            raise Unreachable(f"{self._name}: {redact('; '.join(said.lines) or 'it gave no reason')}")
        return f"{self._name} took it"


class _Said(logging.Handler):
    """Hears what apprise says of one send, and lets none of it into our own log: it may name a secret."""

    _log = logging.getLogger("apprise")
    #: Follows a send into the threads that apprise makes for it.
    _hearing: contextvars.ContextVar[_Said | None] = contextvars.ContextVar("hearing", default=None)

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if self._hearing.get() is self:
            self.lines.append(record.getMessage())

    def __enter__(self) -> _Said:
        self._token = self._hearing.set(self)
        self._log.propagate = False
        self._log.addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        self._log.removeHandler(self)
        self._hearing.reset(self._token)
