"""`claude-failover page` prints the address with a token, and never puts it on a command line."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from pathlib import Path

from tests.http.plane import ROOT, Plane


def page(control: Plane, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from failover.cli import main; main()", "page", *arguments],
        cwd=ROOT, env={**control.environ, **environ}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip


def test_it_prints_the_address_with_the_token_that_was_asked_for(shown: Plane) -> None:
    origin = f"http://127.0.0.1:{shown.port}"
    assert page(shown).stdout == f"{origin}/#token={shown.token('operate')}\n"
    assert json.loads(page(shown, "--read", "--json").stdout) == {
        "address": f"{origin}/#token={shown.token('read')}", "scope": "read", "opened": False,
    }  # fmt: skip


def test_a_browser_is_given_a_file_that_only_the_operator_can_read(shown: Plane, tmp_path: Path) -> None:
    browser, noted = tmp_path / "browser", tmp_path / "noted"
    browser.write_text(f'#!/bin/sh\nprintf %s "$*" >{noted}\n')
    browser.chmod(0o700)
    done = page(shown, "--open", BROWSER=f"{browser} %s")
    assert done.returncode == 0, done.stderr
    given = noted.read_text()
    assert given.startswith("file://") and shown.token("operate") not in given
    file = Path(given.removeprefix("file://"))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert f"url={done.stdout.strip()}" in file.read_text()


def test_without_a_control_plane_no_address_is_printed(shown: Plane) -> None:
    shown.stop()
    try:
        done = page(shown)
    finally:
        shown.start()
    assert (done.returncode, done.stdout) == (1, "")
    assert "claude-failover up" in done.stderr
