"""Who may speak to the control plane.

The Unix socket lies in a folder of mode 0700, so whoever reaches it is the operator. On TCP every local user and every
web page in the operator's browser can knock: a token, the Host and the Origin are checked before a body is read.
"""

from __future__ import annotations

import hmac
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from failover.errors import HostError
from failover.paths import require_private

#: What needs no token: it tells nothing but that we are here.
OPEN_ROUTES = frozenset({"/healthz", "/readyz"})


def token(path: Path) -> str:
    """Return the bearer token, made at the first start (mode 0600). Raises HostError when others can read the file."""
    if not path.exists():
        # Linked when it is whole, so that two that start at once agree on one token.
        part = path.with_name(f"{path.name}.{os.getpid()}")
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as handle:
            handle.write(secrets.token_urlsafe(32) + "\n")
        try:
            path.hardlink_to(part)
        except FileExistsError:
            pass
        finally:
            part.unlink()
    require_private(path)
    text = path.read_text().strip()
    if len(text) < 32:
        raise HostError(f"{path}: holds no token; remove the file, and a new one is made at the next start")
    return text


class Guard:
    """The checks of a request on TCP. host, port: what we listen on."""

    def __init__(self, secret: str, host: str, port: int) -> None:
        self._expected = f"Bearer {secret}".encode()
        names = {"localhost", "127.0.0.1", "[::1]", f"[{host}]" if ":" in host else host}
        self._hosts = {f"{name}:{port}".encode() for name in names}
        if port == 80:
            self._hosts |= {name.encode() for name in names}

    def objection(self, path: str, headers: Mapping[bytes, bytes]) -> tuple[int, str] | None:
        """Return status and sentence for a request that is not let in, None for one that is."""
        if headers.get(b"host", b"").lower() not in self._hosts:
            # A page of elsewhere whose name was made to point here (DNS rebinding) still sends its own name.
            return 421, "this is not the host you asked for; address it as localhost"
        origin = headers.get(b"origin")
        if origin is not None and origin.lower().removeprefix(b"http://") not in self._hosts:
            return 403, "requests from other web pages are refused"
        if path in OPEN_ROUTES:
            return None
        if not hmac.compare_digest(headers.get(b"authorization", b""), self._expected):
            return 401, "the bearer token is missing or wrong; it is in the file token in the state_dir"
        return None
