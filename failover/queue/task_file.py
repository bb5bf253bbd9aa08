"""What a task file says: optional front matter between two lines `---`, then what is to be done."""

from __future__ import annotations

from pathlib import Path

import msgspec

from failover.config_yaml import Value, parse
from failover.errors import ConfigError

#: Front matter is a few short keys; a long one would keep the YAML reader busy while other tasks wait (bytes).
_MAX_FRONT = 8 * 1024
_MAX_PRIORITY = 1_000_000


class TaskSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What the front matter asks for. timeout: seconds; None where it says nothing; session: the only one to do it."""

    priority: int = 0
    session: str = ""
    timeout: float | None = None
    max_attempts: int | None = None
    fresh: bool = False


KEYS = ("priority", "session", "timeout", "max_attempts", "conversation")


def read(name: str, data: bytes) -> TaskSpec:
    """Return what a task file asks for. name: as it stands in errors.

    Raises ConfigError, which names the line, for whatever is no task: not UTF-8, empty, wrong front matter.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(name, line, "", "is not UTF-8", "save it as UTF-8 text") from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise ConfigError(name, line, "", "has a zero byte in it", "a task is plain text; remove it")
    front, body = _split(name, text)
    if not body.strip():
        raise ConfigError(name, 0, "", "the task is empty", "say what is to be done, after the front matter if any")
    if all(not line.strip() or line.lstrip().startswith("#") for line in front.splitlines()):
        return TaskSpec()
    # The empty line stands for the opening `---`, so that errors name the line of the file.
    return _spec(parse(Path(name), "\n" + front, {}))


def _split(name: str, text: str) -> tuple[str, str]:
    lines = text.splitlines(keepends=True)
    if not lines or lines[0].rstrip() != "---":
        return "", text
    size = 0
    for index, line in enumerate(lines[1:], start=1):
        if line.rstrip() == "---":
            return "".join(lines[1:index]), "".join(lines[index + 1 :])
        size += len(line)
        if size > _MAX_FRONT:
            raise ConfigError(
                name, index + 1, "", f"the front matter is longer than {_MAX_FRONT} bytes", "end it with a line ---"
            )
    raise ConfigError(name, 1, "", "the front matter is not closed", "end it with a line ---")


def _spec(root: Value) -> TaskSpec:
    found = root.fields(KEYS)
    return TaskSpec(
        priority=found["priority"].integer(-_MAX_PRIORITY, _MAX_PRIORITY) if "priority" in found else 0,
        session=found["session"].name() if "session" in found else "",
        timeout=found["timeout"].duration() if "timeout" in found else None,
        max_attempts=found["max_attempts"].integer(1, 100) if "max_attempts" in found else None,
        fresh="conversation" in found and found["conversation"].choice(["continue", "fresh"]) == "fresh",
    )
