"""Who may speak to the control plane, and for what.

The Unix socket lies in a folder of mode 0700, so whoever reaches it is the operator. On TCP every local user and every
web page in the operator's browser can knock: the Host, the Origin and a token are checked before a body is read.

The file `token` holds one token per scope, a line each: `operate TOKEN` and `read TOKEN`.
"""

from __future__ import annotations

import contextlib
import fcntl
import hmac
import os
import re
import secrets
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Literal

from failover.errors import FailoverError, HostError
from failover.paths import require_private

#: read: whatever changes nothing; operate: orders too.
Scope = Literal["read", "operate"]
SCOPES: tuple[Scope, ...] = ("operate", "read")

_LINE = re.compile(r"(operate|read) ([A-Za-z0-9_-]{32,128})")


def make(path: Path) -> None:
    """Make the file of tokens (mode 0600) if it is not there. Raises HostError when it is none, or open to others."""
    if not path.exists():
        part = _written(path, _fresh())
        # Linked when it is whole, so that two that start at once agree on its tokens.
        try:
            path.hardlink_to(part)
        except FileExistsError:
            pass
        finally:
            part.unlink()
    tokens(path)


def tokens(path: Path) -> dict[Scope, str]:
    """Return the token of each scope. Raises HostError when there are none, or others can read them."""
    try:
        require_private(path)
        text = path.read_text(errors="replace")
    except FileNotFoundError:
        raise HostError(f"{path}: there are no tokens yet; start the daemon with: claude-failover up") from None
    except OSError as error:
        raise HostError(f"{path}: cannot be read: {error.strerror}") from None
    matches = [_LINE.fullmatch(line) for line in text.splitlines()]
    found = {match[1]: match[2] for match in matches if match}
    if len(matches) != len(SCOPES) or set(found) != set(SCOPES) or found["read"] == found["operate"]:
        raise HostError(
            f"{path}: does not hold the two lines operate TOKEN and read TOKEN; make new ones with: "
            "claude-failover token rotate"
        )
    return {scope: found[scope] for scope in SCOPES}


def token(path: Path, scope: Scope) -> str:
    """Return the token of a scope. Raises HostError."""
    return tokens(path)[scope]


def rotate(path: Path, scopes: Collection[Scope] = SCOPES) -> dict[Scope, str]:
    """Put new tokens in the place of those of `scopes`, in one step, and return all. Raises HostError.

    A file that is not right is replaced only as a whole: what else stands in it cannot be kept.
    """
    with _alone(path.parent):
        new = _fresh()
        if set(scopes) != set(SCOPES):
            new = {**tokens(path), **{scope: new[scope] for scope in scopes}}
        part = _written(path, new)
        part.replace(path)
    return new


def _fresh() -> dict[Scope, str]:
    return {scope: secrets.token_urlsafe(32) for scope in SCOPES}


def _written(path: Path, new: Mapping[Scope, str]) -> Path:
    part = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as handle:
            handle.write("".join(f"{scope} {new[scope]}\n" for scope in SCOPES))
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink()
        raise HostError(f"{path}: cannot be written: {error.strerror}") from None
    return part


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep another rotation out: of two at once one would bring back a token that the other took away."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise HostError(f"{folder}: {error.strerror}; start the daemon with: claude-failover up") from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


class Keys:
    """The tokens as they are in the file now. They are read again when the file is another one: a rotation counts from
    the next request on, and a file that is not right lets nobody in."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int, int, int, int] | None = None
        self._expected: tuple[tuple[Scope, bytes], ...] = ()

    def scope(self, authorization: bytes) -> Scope | None:
        """Return what the header `Authorization` gives, None when that is nothing."""
        self._look()
        scheme, _, given = authorization.partition(b" ")
        if scheme.lower() != b"bearer":
            return None
        found: Scope | None = None
        for scope, secret in self._expected:  # all of them, so that the time does not tell which was near
            if hmac.compare_digest(given.strip(), secret):
                found = scope
        return found

    def _look(self) -> None:
        try:
            info = self._path.stat()
            seen = (info.st_ino, info.st_mtime_ns, info.st_size, info.st_mode, info.st_uid)
            if seen != self._seen:
                self._expected = tuple((scope, secret.encode()) for scope, secret in tokens(self._path).items())
                self._seen = seen
        except (OSError, FailoverError):
            self._seen, self._expected = None, ()


class Guard:
    """The checks of the addresses that a request on TCP names. host, port: what we listen on; names: further ones."""

    def __init__(self, host: str, port: int, *, names: Collection[str] = (), scheme: str = "http") -> None:
        listed = {"localhost", "127.0.0.1", "[::1]", f"[{host}]" if ":" in host else host}
        listed |= {f"[{name.lower()}]" if ":" in name else name.lower() for name in names}
        self._hosts = {f"{name}:{port}".encode() for name in listed}
        if port == (443 if scheme == "https" else 80):
            self._hosts |= {name.encode() for name in listed}
        self._origins = {f"{scheme}://".encode() + name for name in self._hosts}

    def objection(self, headers: Mapping[bytes, bytes]) -> tuple[int, str] | None:
        """Return status and sentence for a request that is not let in, None for one that is."""
        if headers.get(b"host", b"").lower() not in self._hosts:
            # A page of elsewhere whose name was made to point here (DNS rebinding) still sends its own name.
            return 421, "this is not the host you asked for; address it as localhost, or by a name of http.hosts"
        origin = headers.get(b"origin")
        if origin is not None and origin.lower() not in self._origins:
            return 403, "requests from other web pages are refused"
        return None
