"""Seed an account's `.claude.json`, so that no dialog stands in the way of a session, and mirror what is not identity.

Measured on 2.1.330: a start without a dialog needs `hasCompletedOnboarding`, and for the session's folder (its real
path) `hasTrustDialogAccepted`; each of those dialogs has No as its default answer. `resumeReturnDismissed` keeps a
dialog at the resume of an old conversation away (read in the binary, not seen). The binary writes the file by rename,
under the lock directory `.claude.json.lock`. User-scope MCP servers live in the same file. `oauthAccount` is the
identity: never read here, never written.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from failover.errors import HostError

_FILE = ".claude.json"
_SEEDED: dict[str, Any] = {
    "hasCompletedOnboarding": True,
    "lastOnboardingVersion": "2.1.330",
    "resumeReturnDismissed": True,
    "theme": "dark",
}
#: Taken from the shared tree's file where the account has none.
_MIRRORED = ("theme", "lastOnboardingVersion")
_MIRRORED_OF_PROJECT = (
    "allowedTools",
    "disabledMcpServers",
    "disabledMcpjsonServers",
    "enableAllProjectMcpServers",
    "enabledMcpServers",
    "enabledMcpjsonServers",
    "hasClaudeMdExternalIncludesApproved",
    "hasClaudeMdExternalIncludesWarningShown",
    "mcpContextUris",
    "mcpServers",
)
#: A lock that was not touched for so long is left over (the binary's own rule, seconds).
_STALE = 10.0
_PATIENCE = 5.0


def seed(config_dir: Path, projects: Sequence[Path], mirror_from: Path | None = None) -> bool:
    """Seed the account's `.claude.json` for `projects`; return whether something was missing.

    mirror_from: the shared tree, whose user-scope MCP servers and project settings are added where the account has
    none of that name. Raises HostError when a file cannot be read or written, or its lock stays taken for 5 s.
    """
    path = Path(os.path.realpath(config_dir / _FILE))
    source = _source(path, mirror_from)
    folders = [os.path.realpath(project) for project in projects]
    if not _fill(_read(path), source, folders):
        return False
    with _lock(path):
        content = _read(path)  # again: it may have changed before the lock was ours
        if not _fill(content, source, folders):
            return False
        _write(path, content)
    return True


def is_seeded(config_dir: Path, projects: Sequence[Path], mirror_from: Path) -> bool:
    """Say whether `seed` would find nothing missing. Touches nothing. Raises HostError when a file cannot be read."""
    path = Path(os.path.realpath(config_dir / _FILE))
    folders = [os.path.realpath(project) for project in projects]
    return not _fill(_read(path), _source(path, mirror_from), folders)


def _source(path: Path, shared: Path | None) -> dict[str, Any]:
    if shared is None:
        return {}
    # Without CLAUDE_CONFIG_DIR the binary keeps this file in the home, beside its folder.
    beside = [shared.parent / _FILE] if os.path.realpath(shared) == os.path.realpath(Path.home() / ".claude") else []
    for candidate in (shared / _FILE, *beside):
        if candidate.is_file() and os.path.realpath(candidate) != str(path):
            return _read(candidate)
    return {}


def _fill(content: dict[str, Any], source: dict[str, Any], folders: list[str]) -> bool:
    """Add what is missing to `content`; return whether something was."""
    changed = False
    for key, value in (*((key, source[key]) for key in _MIRRORED if key in source), *_SEEDED.items()):
        changed |= _add(content, key, value)
    for flag in ("hasCompletedOnboarding", "resumeReturnDismissed"):
        changed |= _set(content, flag)
    servers = source.get("mcpServers")
    if isinstance(servers, dict) and servers:
        changed |= _add_all(_table(content, "mcpServers"), servers, list(servers))
    known = source.get("projects")
    for folder in folders:
        project = _table(_table(content, "projects"), folder)
        changed |= _set(project, "hasTrustDialogAccepted")
        there = known.get(folder) if isinstance(known, dict) else None
        if isinstance(there, dict):
            changed |= _add_all(project, there, _MIRRORED_OF_PROJECT)
    return changed


def _add(content: dict[str, Any], key: str, value: object) -> bool:
    if key in content:
        return False
    content[key] = value
    return True


def _add_all(content: dict[str, Any], source: dict[str, Any], keys: Sequence[str]) -> bool:
    added = [_add(content, key, source[key]) for key in keys if key in source]
    return any(added)


def _set(content: dict[str, Any], flag: str) -> bool:
    if content.get(flag) is True:
        return False
    content[flag] = True
    return True


def _table(content: dict[str, Any], key: str) -> dict[str, Any]:
    found = content.get(key)
    if not isinstance(found, dict):
        found = content[key] = {}
    return found


def _read(path: Path) -> dict[str, Any]:
    try:
        content = msgspec.json.decode(path.read_bytes())
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise HostError(f"{path}: {error.strerror}; make it readable for you") from None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise HostError(f"{path}: is not JSON; restore it from the folder backups beside it") from None
    if not isinstance(content, dict):
        raise HostError(f"{path}: is no JSON object; restore it from the folder backups beside it")
    return content


def _write(path: Path, content: dict[str, Any]) -> None:
    temporary = path.with_name(f"{path.name}.{os.urandom(4).hex()}.tmp")
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        with os.fdopen(os.open(temporary, flags, 0o600), "wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(content), indent=2))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise HostError(f"{path}: {error.strerror}; free space or mend its folder, then try again") from None


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    """Hold the binary's own lock on the file: a directory beside it, whose age says whether its holder lives."""
    lock = path.with_name(f"{path.name}.lock")
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            lock.mkdir()
            break
        except FileExistsError:
            _remove_stale(lock)
        except OSError as error:
            raise HostError(f"{lock}: {error.strerror}; mend its folder, then try again") from None
        if time.monotonic() > deadline:
            raise HostError(f"{lock}: is held by a running Claude Code; try again, or remove it when none runs")
        time.sleep(0.02)
    try:
        yield
    finally:
        lock.rmdir()


def _remove_stale(lock: Path) -> None:
    try:
        # Wall clock on both sides: a file's time is all that tells of a holder's life.
        if time.time() - lock.stat().st_mtime > _STALE:
            lock.rmdir()
    except OSError:
        return  # released, or taken by another, in the meantime
