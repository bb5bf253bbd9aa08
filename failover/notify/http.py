"""One POST over HTTP, with the standard library: no redirect is followed, no proxy asked, nothing waited for long."""

from __future__ import annotations

import contextlib
import http.client
import socket
import threading
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from failover.clock import SystemClock
from failover.notify.message import Rejected, Unreachable

#: Answers that speak of this message; a sink that gives another 4xx (401, 403, 404 …) wants something mended first.
_OF_THE_MESSAGE = frozenset({400, 406, 411, 413, 414, 415, 422, 431})
_MOST_READ = 64 * 1024
#: Nobody is waited for longer than this because he says so (seconds).
_LONGEST_WAIT = 3600.0


def post(url: str, body: bytes, headers: Mapping[str, str], timeout: float) -> tuple[int, bytes]:
    """Send a body and return the status, below 300, and the answer's body. Raises Unreachable or Rejected."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    connection = (
        http.client.HTTPSConnection(host, parts.port, timeout=timeout)
        if parts.scheme == "https"
        else http.client.HTTPConnection(host, parts.port, timeout=timeout)
    )
    where = f"{parts.scheme}://{parts.netloc}"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    # The timeout is of each read; one who answers a byte at a time must not go on for ever.
    guard = threading.Timer(timeout * 3, _cut, (connection,))
    guard.daemon = True
    guard.start()
    try:
        connection.request("POST", path, body, {**headers, "Connection": "close"})
        response = connection.getresponse()
        answer = response.read(_MOST_READ)
    except TimeoutError:
        raise Unreachable(f"{where} did not answer within {timeout:g} s") from None
    except (OSError, http.client.HTTPException) as error:
        said = (error.strerror if isinstance(error, OSError) else "") or str(error) or type(error).__name__
        raise Unreachable(f"{where} cannot be reached: {said}") from None
    finally:
        guard.cancel()
        connection.close()
    status = response.status
    if status < 300:
        return status, answer
    said = f"{where} answered {status} {response.reason}: {_first_line(answer)}".rstrip(": ")
    if status in _OF_THE_MESSAGE:
        raise Rejected(said)
    raise Unreachable(said, _seconds(response.getheader("Retry-After")))


def _cut(connection: http.client.HTTPConnection) -> None:
    with contextlib.suppress(OSError, AttributeError):
        connection.sock.shutdown(socket.SHUT_RDWR)


def _first_line(answer: bytes) -> str:
    text = answer.decode(errors="replace").strip()
    return text.splitlines()[0][:200] if text else ""


def _seconds(header: str | None) -> float | None:
    """Return what a Retry-After asks for: seconds or a date."""
    if header is None:
        return None
    if header.strip().isdigit():
        return min(float(header), _LONGEST_WAIT)
    try:
        wait = parsedate_to_datetime(header).timestamp() - SystemClock().epoch()
    except (ValueError, TypeError):
        return None
    return min(max(wait, 0.0), _LONGEST_WAIT)
