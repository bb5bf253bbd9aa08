"""What is built and installed is whole: from an empty environment, in an empty home, it does the whole job."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from failover.doctor import old_scripts
from tests.cli.run import ROOT

WANTED = {
    "failover/supervisord.conf", "failover/config.example.yaml", "failover/store/schema.sql",
    "failover/store/migrations/3-program-of-a-role.sql",
    "failover/claude/assets/hook.sh", "failover/claude/assets/statusline.sh", "failover/claude/assets/env_file.sh",
    "failover/host/units/claude-failover.service", "workers/bus.py", "failover/sim/claude.py",
}  # fmt: skip


@pytest.mark.package
def test_a_wheel_in_an_empty_environment_does_the_whole_job(tmp_path: Path) -> None:
    home, venv = tmp_path / "home", tmp_path / "venv"
    home.mkdir()
    environment = {"HOME": str(home), "PATH": f"{venv}/bin:/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"}

    def run(*command: str, timeout: float = 300) -> str:
        done = subprocess.run(
            command, env={**environment, **_index()}, cwd=home, capture_output=True, text=True, timeout=timeout
        )
        assert done.returncode == 0, f"{' '.join(command)}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
        return done.stdout

    run(sys.executable, "-m", "venv", str(venv))
    pip = [str(venv / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "-q"]
    run(*pip, "wheel", "--no-deps", "--wheel-dir", str(tmp_path), str(_source(tmp_path / "source")))
    (wheel,) = tmp_path.glob("claude_failover-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert names >= WANTED
    scripts = {name.rpartition("/")[2] for name in names if ".data/scripts/" in name}
    assert scripts == set(old_scripts.NAMES)
    assert not [name for name in names if name.startswith(("tests/", "docs/"))]
    run(*pip, "install", str(wheel))
    assert "swap [--to ACCOUNT]" in run("graceful-switch.sh", "--help")
    run("claude-failover", "init")
    assert (home / ".config" / "claude-failover" / "config.yaml").exists()
    assert "ExecStart=" in run("claude-failover", "service", "show")
    told = json.loads(run("claude-failover", "demo", "--headless", "--json"))
    assert told["swaps"] >= 1 and told["moves"] >= 1 and told["tasks_done"] == 18
    assert (told["lost_turns"], told["lost_tool_results"], told["tools_run_twice"], told["tasks_lost"]) == (0, 0, 0, 0)


def _source(folder: Path) -> Path:
    """Return a copy of what a wheel is built from: a build leaves things behind, and finds what an earlier one left."""
    folder.mkdir()
    for name in ("failover", "workers", "scripts"):
        shutil.copytree(ROOT / name, folder / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE", "supervisord.conf", "config.example.yaml"):
        shutil.copy(ROOT / name, folder)
    return folder


def _index() -> dict[str, str]:
    """Return how this host reaches the package index."""
    names = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_CERT", "PIP_CONFIG_FILE", "PIP_FIND_LINKS", "SSL_CERT_FILE")
    proxies = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")
    return {name: os.environ[name] for name in (*names, *proxies) if name in os.environ}


def _pins(name: str) -> dict[str, tuple[str, int]]:
    """Return version and number of hashes of each package of a lock file."""
    text = (ROOT / name).read_text().replace("\\\n", "")
    lines = [line.split() for line in text.splitlines() if line and not line.startswith("#")]
    return {
        canonicalize_name(line[0].partition("==")[0]): (
            line[0].partition("==")[2],
            sum(word.startswith("--hash=sha256:") for word in line),
        )
        for line in lines
    }


def test_the_lock_files_hold_what_pyproject_asks_for_with_hashes_and_name_no_index() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    runtime, dev = _pins("requirements.lock"), _pins("requirements-dev.lock")
    assert not runtime.keys() & dev.keys()
    extras = project["optional-dependencies"]
    for asked, pins in (
        ([*project["dependencies"], *extras["plots"], *extras["mcp"], *extras["top"]], runtime),
        (extras["dev"], runtime | dev),
    ):
        for text in asked:
            wanted = Requirement(text)
            version, _ = pins.get(canonicalize_name(wanted.name), ("", 0))
            assert version and wanted.specifier.contains(version), f"{text}: run .venv/bin/python scripts/lock.py"
    assert all(hashes for _, hashes in (runtime | dev).values())
    for name in ("requirements.lock", "requirements-dev.lock"):
        assert "://" not in (ROOT / name).read_text()
