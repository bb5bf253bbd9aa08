"""Move a file or a folder elsewhere and leave a link, while running processes go on using its old path.

The path becomes the link in one step (renameat2 with RENAME_EXCHANGE, Linux 3.15; where the filesystem or the host has
none, in two). So at each instant the old path leads to the one file: who appends by path, as the binary does to
transcripts, loses nothing. Who replaces a file by rename, as it does in its registry, may find its temporary file gone
when two folders become one at just that instant; what was there stays. Nothing that is there is overwritten.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import filecmp
import os
from pathlib import Path

_AT_FDCWD, _RENAME_EXCHANGE = -100, 2  # linux/fcntl.h, linux/fs.h
_NOT_HERE = (errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP)
_MOVING = ".being-moved"
_libc = ctypes.CDLL(None, use_errno=True)


def relocate(path: Path, target: Path) -> None:
    """Move `path` to `target`, folders into each other, and leave a link to it. Run again, it goes on.

    A file that is in both places with the same content gives way to its link. Raises FileExistsError when something
    else is in its place, OSError when the filesystem refuses (another device).
    """
    husk = _beside(path)
    if husk.is_symlink():  # it was cut off here before
        husk.unlink()
    if _leads(path, target):
        if husk.exists():
            _clear(husk, target)
    elif _folder(path) and _folder(target):
        _merge(path, target)
    elif same(path, target):
        _replace(path, target)
    else:
        _place(path, target)


def clashes(path: Path, target: Path) -> list[Path]:
    """Return what is in `path` and cannot be moved to `target` because something else has its place."""
    if free(target) or _leads(path, target) or same(path, target):
        return []
    if not _folder(path) or not _folder(target):
        return [path]
    return [found for entry in _entries(path) for found in clashes(entry, target / entry.name)]


def free(target: Path) -> bool:
    """Say whether nothing is at `target`; what we leave there for an instant, when cut off then, is nothing."""
    return not os.path.lexists(target) or _is_loop(target)


def same(path: Path, target: Path) -> bool:
    """Say whether both are files with the same content."""
    files = not path.is_symlink() and not target.is_symlink() and path.is_file() and target.is_file()
    return files and filecmp.cmp(path, target, shallow=False)


def _merge(path: Path, target: Path) -> None:
    """Move each entry, then let the folder itself become a link; whoever is at work in it meanwhile is followed."""
    for entry in _entries(path):
        relocate(entry, target / entry.name)
    husk = _beside(path)
    husk.symlink_to(target.absolute())
    try:
        _exchange(husk, path)
    except OSError as error:
        husk.unlink()
        if error.errno not in _NOT_HERE:
            raise
        path.rename(husk)
        path.symlink_to(target.absolute())
    _clear(husk, target)


def _clear(husk: Path, target: Path) -> None:
    """Empty the folder whose path leads to `target` now, and remove it.

    In it are links, and what was made or replaced by rename between the look at the folder and its going.
    """
    while entries := _entries(husk):  # what was begun by the old path may end a little later
        for entry in entries:
            with contextlib.suppress(FileNotFoundError):  # it was there for an instant only
                _settle(entry, target / entry.name)
    husk.rmdir()


def _settle(entry: Path, there: Path) -> None:
    """Put one thing of a husk to its place; of two states of one file the newer one is kept."""
    if _leads(entry, there):
        entry.unlink()
    elif _folder(entry):
        relocate(entry, there)
        entry.unlink()
    elif entry.is_symlink() and entry.resolve().parent == there.parent.resolve():
        entry.resolve().replace(there)  # the link of a temporary file, which its writer renamed
        entry.unlink()
    else:
        try:
            os.link(entry, there, follow_symlinks=False)
        except FileExistsError:
            if _written(entry) >= _written(there):
                entry.replace(there)
                return
        entry.unlink()


def _written(path: Path) -> int:
    try:
        return path.lstat().st_mtime_ns
    except FileNotFoundError:
        return 0


def _place(path: Path, target: Path) -> None:
    loop = target.absolute()
    if not _is_loop(target):
        target.symlink_to(loop)  # a link to itself, which becomes right in its new place; fails when the name is taken
    try:
        _exchange(path, target)
    except OSError as error:
        target.unlink()
        if error.errno == errno.ENOENT:  # it was there for an instant only, and may be there again
            if os.path.lexists(path):
                _place(path, target)
            return
        if error.errno not in _NOT_HERE:
            raise
        path.rename(target)
        path.symlink_to(loop)


def _replace(path: Path, target: Path) -> None:
    link = _beside(path)
    link.symlink_to(target.absolute())
    link.replace(path)


def _exchange(one: Path, other: Path) -> None:
    """Let two paths change places in one step. Raises OSError: ENOSYS or EINVAL where that is not known."""
    call = getattr(_libc, "renameat2", None)
    if call is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS), str(one))
    if call(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), str(one))


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}{_MOVING}")


def _entries(folder: Path) -> list[Path]:
    """Return what is in a folder, without what is ours for an instant."""
    return [path for path in sorted(folder.iterdir()) if not (path.name[0] == "." and path.name.endswith(_MOVING))]


def _leads(path: Path, target: Path) -> bool:
    """Say whether `path` is a link that leads to `target`."""
    return path.is_symlink() and not _is_loop(path) and os.path.realpath(path) == os.path.realpath(target)


def _is_loop(path: Path) -> bool:
    with contextlib.suppress(OSError):
        return path.readlink() == path.absolute()
    return False


def _folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()
