"""The manual says what the verbs say. Its examples are commands: tests/docs runs them."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from click.testing import CliRunner

from failover.cli import manual, verbs

NAMES = [name for name, _ in manual.commands()]


def test_the_pages_are_those_that_the_verbs_make() -> None:
    for path, text in ((manual.MARKDOWN, manual.markdown()), (manual.MAN, manual.man())):
        assert path.read_text() == text, f"{path} is stale; make it anew with: scripts/manual"


def test_the_man_page_is_read_without_a_complaint() -> None:
    if shutil.which("man") is None:
        pytest.skip("man is not installed")
    command = ["man", "--warnings", "-E", "UTF-8", "-l", str(manual.MAN)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, env={"PATH": "/usr/bin:/bin"})
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", NAMES, ids=[name.partition(" ")[2] for name in NAMES])
def test_a_help_fits_80_columns(name: str) -> None:
    shown = CliRunner().invoke(verbs, [*name.split()[1:], "--help"], terminal_width=80)
    assert shown.exit_code == 0
    assert [line for line in shown.output.splitlines() if len(line) > 80] == []
