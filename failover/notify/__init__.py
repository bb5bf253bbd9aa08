"""Sinks: where notices go. One module per kind, each with a class that has `send`; loaded only when it is used."""

from __future__ import annotations

from typing import Protocol

from failover.notify import spec
from failover.notify.message import Message


class Sink(Protocol):
    """Somebody to tell. It is made and used by one thread at a time, and by no other."""

    def send(self, message: Message) -> str:
        """Tell one message and return what was answered, in a few words.

        Raises Unreachable (try again later) or Rejected (this message will never be taken); both say why.
        """


def make(sink: spec.SinkSpec) -> Sink:
    """Return a sink. Raises Unreachable when what it needs, such as its secret, is not to be had."""
    settings = sink.settings
    match settings:
        case spec.File():
            from failover.notify.file import FileSink

            return FileSink(settings)
        case spec.Stdout():
            from failover.notify.stdout import StdoutSink

            return StdoutSink()
        case spec.Syslog():
            from failover.notify.syslog import SyslogSink

            return SyslogSink(settings)
        case spec.Webhook():
            from failover.notify.webhook import WebhookSink

            return WebhookSink(settings)
        case spec.Otlp():
            from failover.notify.otlp import OtlpSink

            return OtlpSink(settings)
        case spec.Apprise():
            from failover.notify.apprise import AppriseSink

            return AppriseSink(settings)
        case spec.Telegram():
            from failover.notify.telegram import TelegramSink

            return TelegramSink(settings)
