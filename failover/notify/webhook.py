"""A POST of JSON per notice, signed, for a dashboard or a program of one's own. docs/notices.md shows how to verify."""

from __future__ import annotations

import hashlib
import hmac

import msgspec

from failover.clock import Clock, SystemClock
from failover.notify import http, secrets
from failover.notify.message import Message
from failover.notify.spec import Webhook

TIMESTAMP, SIGNATURE, KEY = "X-Failover-Timestamp", "X-Failover-Signature", "Idempotency-Key"


class WebhookSink:
    """Signs each try anew, so that an old one cannot be sent again by somebody else."""

    def __init__(self, settings: Webhook, clock: Clock | None = None) -> None:
        self._settings, self._clock = settings, clock or SystemClock()
        self._secret = secrets.fetch(settings.secret).encode()

    def send(self, message: Message) -> str:
        """POST a message; its key is the same at each try."""
        body = msgspec.json.encode(message)
        at = str(int(self._clock.epoch()))
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "claude-failover",
            KEY: message.key,
            TIMESTAMP: at,
            SIGNATURE: "sha256=" + sign(self._secret, at, body),
        }
        status, _ = http.post(self._settings.url, body, headers, self._settings.timeout)
        return f"answered {status}"


def sign(secret: bytes, timestamp: str, body: bytes) -> str:
    """Return the HMAC-SHA256 over timestamp, a dot and the body, in hexadecimal."""
    return hmac.new(secret, timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
