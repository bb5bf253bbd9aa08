"""A report to attach to an issue: what was found, versions, configuration, last events and logs, without secrets.

Nothing is taken over as it stands. Of the configuration known keys only, of variables names only; everything passes
`redact`, and what the environment holds under a name that sounds like a secret is taken out word for word. Homes, user
names, the host's name and mail addresses are replaced.
"""

from __future__ import annotations

import gzip
import io
import os
import platform
import re
import socket
import sys
import tarfile
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from importlib import metadata
from pathlib import Path
from typing import Any

import msgspec

from failover.claude.launch import AUTH_VARIABLES
from failover.config import Config
from failover.doctor.finding import Finding, Look
from failover.errors import FailoverError, HostError, StoreError
from failover.redact import redact
from failover.store import events
from failover.store.db import Store

_SECRET_NAME = re.compile(r"(?i)token|secret|passw|key|credential|auth|cookie|session_id|url|dsn")
_SECRET_KEY = re.compile(r"(?i)token$|secret|passw|api_?key|credential")
_MAIL = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9.-]{1,253}\.[A-Za-z]{2,24}")
_EVENTS, _LINES, _TAIL = 500, 200, 256 * 1024
#: Keys of the configuration that hold no secret whatever stands in them; of the others only that they are there.
_KEPT = (
    "version", "state_dir", "shared_dir", "accounts", "thresholds", "sessions", "projects", "failover", "http", "tmux",
    "dispatch", "retention",
)  # fmt: skip
_PACKAGES = ("claude-failover", "supervisor", "pyzmq", "msgspec", "litestar", "uvicorn", "click", "psutil")


class Veil:
    """Takes out of texts what may not leave the host."""

    def __init__(self, look: Look) -> None:
        self._mails: dict[str, str] = {}
        values = {
            value
            for name, value in look.environ.items()
            if len(value) >= 6 and (name in AUTH_VARIABLES or _SECRET_NAME.search(name))
        }
        if look.config is not None:
            values |= {value for value in look.config.claude.env.values() if len(value) >= 6}
        values |= {msgspec.json.encode(value).decode()[1:-1] for value in values}  # as it stands within JSON
        plain = {str(look.home): "~", os.path.realpath(look.home): "~"}
        host = socket.gethostname()
        names = {look.environ.get(name, "") for name in ("USER", "LOGNAME")} - {"", "root"}
        self._words = [
            *((value, "[redacted]") for value in sorted(values, key=len, reverse=True)),
            *((path, "~") for path in sorted(plain, key=len, reverse=True) if path != "/"),
        ]
        whole = [*((name, "[user]") for name in names if len(name) > 2), (host, "[host]")]
        self._whole = [(re.compile(rf"(?<![\w-]){re.escape(word)}(?![\w-])"), to) for word, to in whole if word]

    def text(self, text: str) -> str:
        """Return a text without secrets and names."""
        for word, to in self._words:
            text = text.replace(word, to)
        text = redact(text)
        for pattern, to in self._whole:
            text = pattern.sub(to, text)
        return _MAIL.sub(lambda match: self._mails.setdefault(match[0], f"[mail-{len(self._mails) + 1}]"), text)

    def value(self, value: Any) -> Any:
        """Return a value of JSON with all its texts so."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.text(str(key)): self._entry(str(key), entry) for key, entry in value.items()}
        if isinstance(value, Sequence):
            return [self.value(entry) for entry in value]
        return value

    def _entry(self, key: str, value: Any) -> Any:
        return "[redacted]" if isinstance(value, str) and _SECRET_KEY.search(key) else self.value(value)


def write(file: Path, look: Look, findings: Sequence[Finding]) -> list[str]:
    """Write the report (mode 0600) and return the names in it. Raises HostError when the file is there already."""
    veil = Veil(look)
    parts: dict[str, str] = {
        "findings.json": _json(veil.value([finding.shown() for finding in findings])),
        "versions.json": _json(veil.value(_versions(look))),
    }
    if look.config is not None:
        parts["config.json"] = _json(veil.value(_config(look.config)))
        parts["events.jsonl"] = _events(look.config, veil)
        for log in sorted(look.config.paths.log_dir.glob("*.log")):
            parts[f"log/{log.name}"] = "".join(f"{veil.text(line)}\n" for line in _tail(log))
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        raise HostError(f"{file}: is there already; name another file") from None
    except OSError as error:
        raise HostError(f"{file}: cannot be written: {error.strerror}; name another file") from None
    try:
        with os.fdopen(descriptor, "wb") as out:
            out.write(gzip.compress(_tar(parts)))
    except OSError as error:
        file.unlink(missing_ok=True)
        raise HostError(f"{file}: cannot be written: {error.strerror}; make room, or name another file") from None
    return list(parts)


def _tar(parts: Mapping[str, str]) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for name, text in parts.items():
            data = text.encode("utf-8", "replace")
            entry = tarfile.TarInfo(f"claude-failover-report/{name}")
            entry.size, entry.mode = len(data), 0o600
            archive.addfile(entry, io.BytesIO(data))
    return made.getvalue()


def _json(value: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n"


def _versions(look: Look) -> dict[str, Any]:
    packages = {}
    for name in _PACKAGES:
        with suppress(metadata.PackageNotFoundError):
            packages[name] = metadata.version(name)
    return {
        "platform": platform.platform(),
        "python": sys.version.split()[0],
        "packages": packages,
        "cores": os.cpu_count(),
        # Names only: what is set may matter, what it is set to may be a secret.
        "variables": sorted(
            name for name in look.environ if name.startswith(("CLAUDE", "ANTHROPIC", "FAILOVER", "TMUX"))
        ),
    }


def _config(config: Config) -> dict[str, Any]:
    built: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(config, enc_hook=str))
    kept = {key: built[key] for key in _KEPT if key in built}
    kept["claude"] = {
        "command": config.claude.command,
        "args": len(config.claude.args),
        "env": sorted(config.claude.env),
    }
    return {**kept, "left out": sorted(set(built) - {*kept, "file"})}


def _events(config: Config, veil: Veil) -> str:
    if not config.paths.store.exists():
        return ""
    try:
        with closing(Store.read_only(config.paths.store)) as store:
            found = events.latest(store, _EVENTS)
    except (StoreError, FailoverError) as error:
        return f"{veil.text(str(error))}\n"
    lines = [msgspec.json.encode(veil.value(msgspec.to_builtins(one))).decode() for one in found]
    return "".join(f"{line}\n" for line in lines)


def _tail(log: Path) -> list[str]:
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - _TAIL))
            return file.read(_TAIL).decode("utf-8", "replace").splitlines()[-_LINES:]
    except OSError:
        return []
