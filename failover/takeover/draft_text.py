"""Write a draft as a configuration file: the example's text, with the parts that were found in place of its own."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

import msgspec

from failover.config import load
from failover.core.draft import Draft
from failover.errors import ConfigError, HostError, UsageError

_BLOCK = re.compile(r"^(?=[a-z_]+:)", re.MULTILINE)
_PLAIN = re.compile(r"[A-Za-z0-9~/][A-Za-z0-9._/~+@-]*")
_NOT_TEXT = re.compile(r"(?i)true|false|yes|no|on|off|null|~|[\d.e+_-]+|\d+-\d+-\d+.*")
_COLUMN = 45


def text(draft: Draft, home: str, socket: str, command: str, when: str) -> str:
    """Return the whole file. home: shown as ~; command: the binary, as it is to be started; when: for people."""
    example = resources.files("failover").joinpath("config.example.yaml").read_text()
    _, *blocks = _BLOCK.split(example)
    ours = {
        "shared_dir": _line("shared_dir", _path(draft.shared_dir, home), "the one tree that all accounts link to")
        + "\n\n",
        "accounts": _accounts(draft, home),
        "sessions": _sessions(draft, home),
        "projects": _projects(draft, home),
    }
    if socket != "default":
        ours["tmux"] = (
            f"tmux:\n{_line('  socket', _scalar(socket), 'the tmux server that the sessions were found on')}\n\n"
        )
    if command != "claude":
        ours["claude"] = f"claude:\n{_line('  command', _path(command, home), 'not on PATH')}\n\n"
    lines = [
        f"# Written by claude-failover init, {when}, from what it found on this host. Check it after each change with:",
        "#     claude-failover config check",
        "# Durations: 90s, 10m, 5h, 2d. Paths: ~ and $VARIABLES are expanded, relative ones start at this file.",
        *(f"# NOTE: {_comment(remark)}" for remark in draft.remarks),
        "",
    ]
    return "\n".join(lines) + "\n" + "".join(ours.get(block.partition(":")[0], block) for block in blocks)


def put(file: Path, content: str, force: bool) -> None:
    """Put a configuration in place whole, mode 0600, once it is known to be right.

    Raises UsageError when the file is there and `force` is not set, ConfigError when the text is no configuration,
    HostError when it cannot be written.
    """
    temporary = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as handle:
                handle.write(content)
                handle.flush()
                os.fsync(handle.fileno())
            load(temporary)
            if force:
                temporary.replace(file)
            else:
                os.link(temporary, file)  # fails when the name is taken, also by somebody who was faster
        finally:
            temporary.unlink(missing_ok=True)
    except FileExistsError:
        raise taken(file) from None
    except OSError as error:
        raise HostError(
            f"{file}: cannot be written: {error.strerror}; mend that, or name another with --config"
        ) from None


def taken(file: Path) -> UsageError:
    """Return the error for a configuration that is there already."""
    return UsageError(
        f"{file}: is there already and was left as it is; see what would be written with --dry-run, write another with "
        "--config FILE, or replace it with --force"
    )


def check(content: str, folder: Path) -> ConfigError | None:
    """Return what is wrong with a text, None when it is a configuration. folder: for a file that is gone afterwards."""
    try:
        put(folder / "config.yaml", content, force=True)
    except ConfigError as error:
        return error
    return None


def _accounts(draft: Draft, home: str) -> str:
    lines = [
        "accounts:                                    # at least one; in order of preference: the one in use first"
    ]
    for one in draft.accounts:
        mark = "  # " if one.left_out else "  "
        why = f"left out: {one.left_out}" if one.left_out else one.remark
        called = "what commands and logs call it" if one is draft.accounts[0] else ""
        lines.append(_line(f"{mark}- name", _scalar(one.name), called))
        lines.append(_line(f"{mark}  config_dir", _path(one.config_dir, home), why))
    return "\n".join(lines) + "\n\n"


def _sessions(draft: Draft, home: str) -> str:
    if not draft.sessions:
        return (
            f"{_line('sessions', '[]', 'none in tmux runs claude; config.example.yaml shows how they are written')}\n\n"
        )
    lines = ["sessions:                                    # one tmux session each"]
    for one in draft.sessions:
        lines.append(_line("  - name", _scalar(one.name), "a range makes several" if "{" in one.name else ""))
        lines.append(_line("    project", _path(one.project, home), ""))
        if one.account:
            lines.append(_line("    account", _scalar(one.account), "where it starts, and comes home to"))
    return "\n".join(lines) + "\n\n"


def _projects(draft: Draft, home: str) -> str:
    if not draft.projects:
        return f"{_line('projects', '[]', 'none with an .agent-queue/ was found')}\n\n"
    lines = ["projects:                                    # their .agent-queue/inbox/ is served"]
    return "\n".join([*lines, *(f"  - {_path(project, home)}" for project in draft.projects)]) + "\n\n"


def _line(key: str, value: str, why: str) -> str:
    line = f"{key}: {value}"
    return f"{line:{_COLUMN - 1}} # {_comment(why)}" if why else line


def _path(path: str, home: str) -> str:
    short = f"~{path[len(home) :]}" if path == home or path.startswith(f"{home}/") else path
    return _scalar(short)


def _scalar(value: str) -> str:
    """Return a text as YAML reads it back: bare where that is safe, else in quotes."""
    bare = _PLAIN.fullmatch(value) and not _NOT_TEXT.fullmatch(value)
    return value if bare else msgspec.json.encode(value).decode()


def _comment(why: str) -> str:
    return "".join(character if character.isprintable() else "·" for character in why)


def names(items: Sequence[str], most: int = 6) -> str:
    """Return a list for people, cut when it is long."""
    more = f" and {len(items) - most} more" if len(items) > most else ""
    return ", ".join(items[:most]) + more
