"""Syslog, RFC 5424: over the local socket or UDP (one datagram each), or TCP with octet counting (RFC 6587)."""

from __future__ import annotations

import os
import re
import socket
from datetime import UTC, datetime

from failover.notify.message import Message, Unreachable, facts
from failover.notify.spec import Syslog

_LEVELS = {"critical": 2, "warning": 4, "info": 6}
#: The number that RFC 5424 itself uses for structured data without a registered name.
_ID = "failover@32473"
#: What fits a datagram with room to spare (bytes); a longer text is cut.
_MOST = 8000
_TIMEOUT = 5.0
#: A receiver that keeps a TCP connection open has taken what it did not refuse by then (seconds).
_LINGER = 1.0


class SyslogSink:
    """Opens the socket anew for each message: there are few, and the receiver may have been restarted."""

    def __init__(self, settings: Syslog) -> None:
        self._address, self._facility = settings.address, settings.facility

    def send(self, message: Message) -> str:
        """Send a message. Nobody answers a datagram, so that only a socket that is not there is noticed."""
        data = encode(message, self._facility, socket.gethostname(), os.getpid())
        try:
            if self._address.startswith("tcp://"):
                self._stream(data)
            else:
                self._datagram(data)
        except OSError as error:
            raise Unreachable(f"{self._address}: {error.strerror or error}") from None
        return f"sent to {self._address}"

    def _datagram(self, data: bytes) -> None:
        if path := self._address.removeprefix("unix:") if self._address.startswith("unix:") else "":
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as local:
                local.settimeout(_TIMEOUT)
                local.connect(path)
                local.send(data)
            return
        family, _, _, _, where = socket.getaddrinfo(*_host_and_port(self._address), type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, socket.SOCK_DGRAM) as udp:
            udp.settimeout(_TIMEOUT)
            udp.connect(where)
            udp.send(data)

    def _stream(self, data: bytes) -> None:
        with socket.create_connection(_host_and_port(self._address), timeout=_TIMEOUT) as tcp:
            tcp.sendall(b"%d %s" % (len(data), data))
            tcp.shutdown(socket.SHUT_WR)
            # A receiver that is gone answers with a reset, one that has read everything with its own end.
            tcp.settimeout(_LINGER)
            try:
                tcp.recv(1)
            except TimeoutError:
                return


def _host_and_port(address: str) -> tuple[str, int]:
    host, _, port = address.partition("://")[2].rpartition(":")
    return host.strip("[]"), int(port)


def encode(message: Message, facility: int, host: str, pid: int) -> bytes:
    """Return a message as RFC 5424 wants it, of at most 8,000 bytes."""
    at = datetime.fromtimestamp(message.at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    data = " ".join(f'{name}="{_escaped(str(value))}"' for name, value in facts(message).items())
    named = re.sub(r"[^!-~]", "?", host)[:255] or "-"
    head = f"<{facility * 8 + _LEVELS[message.severity]}>1 {at} {named} claude-failover {pid} {message.type[:32]}"
    # BOM: the text is UTF-8.
    line = f"{head} [{_ID} {data}] \ufeff".encode() + message.text.replace("\n", "; ").encode()
    return line[:_MOST].decode(errors="ignore").encode()


def _escaped(value: str) -> str:
    return re.sub(r'(["\\\]])', r"\\\1", value)
