"""Whose the files are, and who else may read them. Modes are looked at; no file is opened."""

from __future__ import annotations

import os
import shlex
import stat
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from failover.config import Config
from failover.doctor.finding import Finding, Level, Look, ok

_CHECK = "modes"


def check(look: Look) -> list[Finding]:
    """See that state, configuration, env files and config dirs are the operator's alone."""
    if look.config is None:
        return []
    findings = [found for path, level in _ours(look.config) if (found := judge(path, level, os.geteuid())) is not None]
    return findings or [ok(_CHECK, "state, configuration, env files and config dirs are yours alone")]


def _ours(config: Config) -> Iterator[tuple[Path, Level]]:
    paths = config.paths
    yield config.file, "warning"
    for folder in (paths.state_dir, paths.run_dir, paths.locks_dir, paths.log_dir, paths.launch_dir):
        yield folder, "error"
    for name in ("state.db", "state.db-wal", "state.db-shm", "token", "supervisord.conf"):
        yield paths.state_dir / name, "error"
    for account in config.accounts:
        yield account.config_dir, "error"
        yield account.config_dir / ".credentials.json", "error"
        if account.env_file is not None:
            yield account.env_file, "error"


def judge(path: Path, level: Level, user: int) -> Finding | None:
    """Return what is wrong with the owner or mode of a path; nothing where it is not there. level: of an open mode."""
    try:
        info = path.lstat()
    except OSError:
        return None
    quoted = shlex.quote(str(path))
    if info.st_uid != user:
        sentence = f"{path} belongs to user {info.st_uid}, not to you"
        return Finding(check=_CHECK, level="error", sentence=sentence, mend=f"sudo chown {user} {quoted}")
    if stat.S_ISLNK(info.st_mode) or not stat.S_IMODE(info.st_mode) & 0o077:
        return None
    mode = 0o700 if stat.S_ISDIR(info.st_mode) else 0o600
    return Finding(
        check=_CHECK, level=level, mend=f"chmod {mode:o} {quoted}", fix=partial(_close, path, mode),
        sentence=f"{path} is open to other users (mode {stat.S_IMODE(info.st_mode):04o})",
    )  # fmt: skip


def _close(path: Path, mode: int) -> None:
    # Never through a link that was put there since. Linux follows a link in any case: there the file is opened as what
    # it is, a FIFO or a file that nobody may read as well.
    if sys.platform == "darwin":
        path.chmod(mode, follow_symlinks=False)
        return
    descriptor = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        Path(f"/proc/self/fd/{descriptor}").chmod(mode)
    finally:
        os.close(descriptor)
