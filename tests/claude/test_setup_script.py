"""`scripts/setup-shared-projects.sh` hands its options to the installed command."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "setup-shared-projects.sh"


def teller(path: Path, name: str) -> None:
    path.parent.mkdir(parents=True)
    path.write_text(f'#!/bin/sh\necho {name} "$@"\n')
    path.chmod(0o755)


def run(clone: Path, path: str) -> subprocess.CompletedProcess[str]:
    (clone / "scripts").mkdir(parents=True, exist_ok=True)
    script = shutil.copy(SCRIPT, clone / "scripts")
    return subprocess.run(
        ["/bin/sh", str(script), "--dry-run"], capture_output=True, text=True, timeout=10, env={"PATH": path}
    )


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    return tmp_path / "a clone"


def test_the_clones_own_command_is_taken_first(clone: Path, tmp_path: Path) -> None:
    teller(tmp_path / "bin" / "claude-failover", "path")
    teller(clone / ".venv" / "bin" / "claude-failover", "venv")
    assert run(clone, f"{tmp_path}/bin:/usr/bin:/bin").stdout == "venv accounts link --dry-run\n"


def test_else_the_one_on_the_path(clone: Path, tmp_path: Path) -> None:
    teller(tmp_path / "bin" / "claude-failover", "path")
    assert run(clone, f"{tmp_path}/bin:/usr/bin:/bin").stdout == "path accounts link --dry-run\n"


def test_else_it_says_how_to_install_it(clone: Path) -> None:
    done = run(clone, "/usr/bin:/bin")
    assert done.returncode == 1
    assert "pip install" in done.stderr
