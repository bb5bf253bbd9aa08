"""What a check of `doctor` says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

import msgspec

from failover.clock import Clock
from failover.config import Config

#: hint: could be better; warning: will be a trouble one day, or is one for some; error: sessions are at risk, or cannot
#: be moved.
Level = Literal["ok", "hint", "warning", "error"]
LEVELS: tuple[Level, ...] = ("ok", "hint", "warning", "error")


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One sentence of one check. mend: what to do, as a command where there is one, empty when all is well; fix: mends
    it at once where that is safe, and is no part of what is shown."""

    check: str
    level: Level
    sentence: str
    mend: str = ""
    fix: Callable[[], None] | None = None

    def shown(self) -> dict[str, str]:
        """Return it for programs."""
        return {"check": self.check, "level": self.level, "sentence": self.sentence, "mend": self.mend}


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """What the checks look at. config: None where there is none that can be read; patience: how long each thing that
    the binary is tried for is waited for (seconds)."""

    config: Config | None
    clock: Clock
    environ: Mapping[str, str]
    home: Path
    patience: float = 30.0


def ok(check: str, sentence: str) -> Finding:
    """Return that all is well."""
    return Finding(check=check, level="ok", sentence=sentence)


def absent() -> Finding:
    """Return that there is no configuration."""
    sentence = "there is no configuration, so little can be looked at"
    return Finding(check="config", level="error", sentence=sentence, mend="claude-failover init")


def split(check: str, level: Level, text: str) -> Finding:
    """Return the finding that an error's text makes: ours end in "; " and the mend."""
    sentence, _, mend = text.rpartition("; ")
    return Finding(check=check, level=level, sentence=sentence or text, mend=mend if sentence else "")
