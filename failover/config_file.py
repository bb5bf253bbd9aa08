"""Finding and reading the configuration file, with distrust: whoever writes it has commands run as you."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from failover.errors import ConfigError, UsageError

_MAX_BYTES = 1024 * 1024


def find(environ: Mapping[str, str]) -> Path:
    """Return the configuration file: $FAILOVER_CONFIG, else ./config.yaml, else ~/.config/claude-failover/config.yaml.

    Raises UsageError when there is none.
    """
    named = environ.get("FAILOVER_CONFIG")
    if named:
        return Path(named)
    home = Path(environ.get("HOME") or Path.home()) / ".config" / "claude-failover" / "config.yaml"
    for path in (Path("config.yaml"), home):
        if path.exists():
            return path
    raise UsageError(
        f"no configuration: FAILOVER_CONFIG is not set, and neither ./config.yaml nor {home} exists; "
        "write one with: claude-failover init, or copy config.example.yaml to one of the two"
    )


def read(path: Path) -> str:
    """Return the text of a configuration file.

    Raises ConfigError when it is missing, no regular file, over 1 MiB, not UTF-8, or other users may write to it.
    """
    file = str(path)
    try:
        # O_NONBLOCK: opening a FIFO would otherwise wait for a writer, perhaps for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise ConfigError(file, 0, "", f"cannot be read ({error.strerror})", "check the path and its mode") from None
    try:
        info = os.fstat(descriptor)
        if not stat.S_ISREG(info.st_mode):
            raise ConfigError(file, 0, "", "is no regular file", "name a YAML file")
        if info.st_uid not in (os.geteuid(), 0):
            raise ConfigError(file, 0, "", f"belongs to user {info.st_uid}", "name a file of your own")
        if info.st_mode & 0o022:
            raise ConfigError(file, 0, "", "other users can write to it", f"close it with: chmod go-w {path}")
        with os.fdopen(descriptor, "rb", closefd=False) as handle:
            raw = handle.read(_MAX_BYTES + 1)
    finally:
        os.close(descriptor)
    if len(raw) > _MAX_BYTES:
        raise ConfigError(file, 0, "", f"is larger than {_MAX_BYTES} bytes", "name a configuration file")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise ConfigError(file, line, "", "is not UTF-8", "save it as UTF-8") from None
