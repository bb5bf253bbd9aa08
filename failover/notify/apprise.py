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
        with _Said():
            import apprise

            found = apprise.Apprise.instantiate(url, asset=in_this_thread(), suppress_exceptions=True)
        if found is None:
            raise Unreachable("apprise does not know this URL; `apprise --details` lists the forms that it knows")
        self._service = Service(found)

    def send(self, message: Message) -> str:
        """Send a message by the service."""
        return self._service.send(message)


def in_this_thread() -> Any:
    """Return apprise's setting that it sends in the thread of who asks, where what it says can be heard."""
    from apprise import AppriseAsset

    return AppriseAsset(async_mode=False)


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
