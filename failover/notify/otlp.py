"""OpenTelemetry logs over HTTP in JSON (OTLP 1.x), by the standard library: the official exporter would cost the role
tens of MiB for the one request that is needed here."""

from __future__ import annotations

import socket
from typing import Any

import msgspec

from failover.notify import http, secrets
from failover.notify.message import Message, Rejected, facts
from failover.notify.spec import Otlp

#: Severity numbers of the log data model.
_NUMBERS = {"info": 9, "warning": 13, "critical": 21}


class OtlpSink:
    """Exports one log record at a time."""

    def __init__(self, settings: Otlp) -> None:
        self._settings = settings
        self._headers = {"Content-Type": "application/json", "User-Agent": "claude-failover"}
        if settings.token is not None:
            self._headers["Authorization"] = f"Bearer {secrets.fetch(settings.token)}"

    def send(self, message: Message) -> str:
        """Export a message. A collector may take a request and reject the record in it."""
        body = msgspec.json.encode(request(message, socket.gethostname()))
        status, answer = http.post(self._settings.url, body, self._headers, self._settings.timeout)
        partial = _partial(answer)
        if int(partial.get("rejectedLogRecords") or 0):
            raise Rejected(
                f"{self._settings.url} rejected the record: {partial.get('errorMessage') or 'no reason given'}"
            )
        return f"answered {status}"


def request(message: Message, host: str) -> dict[str, Any]:
    """Return an ExportLogsServiceRequest."""
    at = str(message.at_ms * 1_000_000)
    record = {
        "timeUnixNano": at,
        "observedTimeUnixNano": at,
        "severityNumber": _NUMBERS[message.severity],
        "severityText": message.severity.upper(),
        "body": {"stringValue": message.text},
        "eventName": f"claude_failover.{message.type}",
        "attributes": [_attribute(f"failover.{name}", value) for name, value in facts(message).items()],
    }
    resource = {"attributes": [_attribute("service.name", "claude-failover"), _attribute("host.name", host)]}
    scope = {"scope": {"name": "claude-failover"}, "logRecords": [record]}
    return {"resourceLogs": [{"resource": resource, "scopeLogs": [scope]}]}


def _attribute(key: str, value: str | int) -> dict[str, Any]:
    # 64-bit integers are strings in the JSON of protocol buffers.
    return {"key": key, "value": {"intValue": str(value)} if isinstance(value, int) else {"stringValue": value}}


def _partial(answer: bytes) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(answer or b"{}")
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return {}
    partial = found.get("partialSuccess") if isinstance(found, dict) else None
    return partial if isinstance(partial, dict) else {}
