"""Other releases of the program: copies of the package in a folder of their own, as an upgrade would put them there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import failover

_ROOT = Path(failover.__file__).resolve().parents[1]


def release(place: Path, version: str) -> Path:
    """Copy the program to `place` as another version, and return the place."""
    for package in ("failover", "workers"):
        shutil.copytree(_ROOT / package, place / package, ignore=shutil.ignore_patterns("__pycache__"))
    restate(place, version)
    return place


def restate(place: Path, version: str) -> None:
    """Let a copy be another version from now on."""
    file = place / "failover" / "__init__.py"
    text = file.read_text()
    before, _, _ = text.partition("__version__")
    file.write_text(f'{before}__version__ = "{version}"\n')


def command(place: Path, environment: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a release's own `claude-failover ...`."""
    return subprocess.run(
        [sys.executable, "-c", "from failover.cli import main; main()", *arguments],
        cwd=place, env={**environment, "PATH": os.environ["PATH"]}, capture_output=True, text=True, timeout=240,
    )  # fmt: skip
