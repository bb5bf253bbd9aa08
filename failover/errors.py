"""Errors, split by who can mend them.

Each message is a full sentence that says what is wrong, where, and what to do.
`exit_code` is what the command line ends with.
"""

from __future__ import annotations


class FailoverError(Exception):
    """Something failed that is not the caller's fault."""

    exit_code = 1


class UsageError(FailoverError):
    """The caller asked for something that makes no sense; the message says how to ask."""

    exit_code = 2


class ConfigError(UsageError):
    """A configuration file is wrong.

    Attributes: file (path as given), line (1-based, 0 when unknown), key (dotted, empty for the whole file),
    problem and mend (one clause each).
    """

    def __init__(self, file: str, line: int, key: str, problem: str, mend: str) -> None:
        self.file, self.line, self.key, self.problem, self.mend = file, line, key, problem, mend
        place = f"{file}:{line}" if line else file
        at = f" {key}:" if key else ""
        super().__init__(f"{place}:{at} {problem}; {mend}")


class Refused(FailoverError):
    """Policy forbids it now (paused, no viable target, a swap already running)."""

    exit_code = 3


class HostError(FailoverError):
    """tmux, a process, a lock or a file did not do what it should."""


class StoreError(FailoverError):
    """The state store cannot be opened, read or written."""


class StoreBroken(StoreError):
    """The store's file, or this process's descriptors of it, cannot be relied on any more.

    Whoever meets it ends, and what is started in its place opens the file anew: an fsync that failed once may succeed
    on the same descriptor although the data never reached the disk (fsync(2), Linux).
    """
