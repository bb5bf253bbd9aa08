"""Putting a task into a project's inbox, as anybody may who can write there."""

from __future__ import annotations

import os
import secrets
import time
from pathlib import Path

from failover.config import Config
from failover.errors import HostError, Refused, UsageError
from failover.queue import names


def add(project: Path, text: str, *, name: str = "", priority: int | None = None, session: str = "") -> Path:
    """Write a task's file and return its path. name: without it, the time; session: the only one to do it.

    Raises UsageError for a name or a text that is none, Refused when the name is taken, HostError when the file cannot
    be written.
    """
    inbox = project / ".agent-queue" / "inbox"
    name = name or f"{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}-{secrets.token_hex(2)}"
    if problem := names.problem(name):
        raise UsageError(f"{name!r} is no name for a task: {problem}")
    if not text.strip():
        raise UsageError("the task is empty; say what is to be done")
    if "\0" in text:
        raise UsageError("the task has a zero byte in it; a task is plain text, remove it")
    front = [f"priority: {priority}"] * (priority is not None) + [f'session: "{session}"'] * bool(session)
    if front:
        text = "\n".join(("---", *front, "---", text))
    path = inbox / f"{name}.md"
    try:
        inbox.mkdir(parents=True, exist_ok=True)
        # Written whole under another name, then linked: the dispatcher never sees half of it, nothing is overwritten.
        part = inbox / f".{secrets.token_hex(8)}.part"
        try:
            part.write_text(text.rstrip("\n") + "\n")
            os.link(part, path)
        finally:
            part.unlink(missing_ok=True)
    except UnicodeEncodeError:
        raise UsageError("the task is not UTF-8; save it as UTF-8 text") from None
    except FileExistsError:
        raise Refused(f"{path} exists already; choose another name") from None
    except OSError as error:
        raise HostError(f"{inbox}: the task cannot be written: {error.strerror}") from None
    return path


def project_of(config: Config, wanted: Path) -> Path:
    """Return the project that a path names. Raises UsageError when nobody serves it."""
    wanted = wanted.expanduser().absolute()
    for one in config.projects:
        if one == wanted or one.resolve() == wanted.resolve():
            return one
    raise UsageError(f"{wanted} is no project of {config.file}, so nobody would serve it; add it to projects: there")
