"""The version of Claude Code that the facts of this package were measured on, and what another one means."""

from __future__ import annotations

import re
import subprocess
from typing import Literal

from failover.errors import HostError

MEASURED = "2.1.330"
#: Older than this the hooks that boundaries rest on are not there.
_OLDEST = (2, 1, 0)

Standing = Literal["measured", "near", "newer", "old"]


def parse(output: str) -> tuple[int, int, int] | None:
    """Return the version that `claude --version` printed ("2.1.330 (Claude Code)"), None when it is none."""
    match = re.match(r"(\d{1,6})\.(\d{1,6})\.(\d{1,6})\b", output)
    return (int(match[1]), int(match[2]), int(match[3])) if match else None


def standing(version: tuple[int, int, int]) -> Standing:
    """Return how a version stands to the one that was measured: near is another patch of the same minor release."""
    measured = parse(MEASURED)
    assert measured is not None
    if version == measured:
        return "measured"
    if version < _OLDEST:
        return "old"
    return "near" if version[:2] == measured[:2] else "newer"


def ask(command: str, timeout: float = 10.0) -> str:
    """Return the first line of `claude --version`. Raises HostError when it does not answer (timeout: seconds)."""
    try:
        done = subprocess.run(
            [command, "--version"], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout,
            errors="replace",
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise HostError(f"{command} --version: no answer within {timeout:g} s") from None
    except OSError as error:
        raise HostError(f"{command}: {error.strerror}") from None
    if done.returncode:
        raise HostError(f"{command} --version: exit {done.returncode}")
    return done.stdout.strip().splitlines()[0][:100] if done.stdout.strip() else ""
