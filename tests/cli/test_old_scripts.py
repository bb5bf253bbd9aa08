"""The five scripts of old call `claude-failover`: the same words, its exit codes, nothing of their own."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from failover.cli import verbs
from failover.doctor import old_scripts
from tests.cli.run import ROOT

#: Script and arguments → what is called.
CALLS = [
    ("launch-agent.sh", ["ccl-0"], ["sessions", "launch", "ccl-0"]),
    ("launch-agent.sh", ["a b", "--account", "x"], ["sessions", "launch", "a b", "--account", "x"]),
    ("graceful-switch.sh", [], ["swap"]),
    ("graceful-switch.sh", ["backup"], ["swap", "--to", "backup"]),
    ("graceful-switch.sh", ["backup", "--dry-run"], ["swap", "--to", "backup", "--dry-run"]),
    ("graceful-switch.sh", ["--session", "ccl-0"], ["swap", "--session", "ccl-0"]),
    ("watchdog.sh", [], ["up", "--if-down"]),
    ("checkpoint-daemon.sh", ["--json"], ["checkpoints", "list", "--json"]),
    ("start-dedicated-agents.sh", [], ["sessions", "launch"]),
    ("start-dedicated-agents.sh", ["ccl-auto-11"], ["sessions", "launch", "ccl-auto-11"]),
]


def teller(path: Path, code: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@"\nexit {code}\n')
    path.chmod(0o755)


def run(script: Path, *arguments: str, path: str = "/usr/bin:/bin") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", str(script), *arguments], capture_output=True, text=True, timeout=10, env={"PATH": path}
    )


@pytest.mark.parametrize(("name", "arguments", "called"), CALLS)
def test_each_is_one_call(name: str, arguments: list[str], called: list[str], tmp_path: Path) -> None:
    script = Path(shutil.copy(ROOT / "scripts" / name, tmp_path))
    teller(tmp_path / "on-path" / "claude-failover", 3)
    done = run(script, *arguments, path=f"{tmp_path}/on-path:/usr/bin:/bin")
    assert (done.returncode, done.stdout.splitlines()) == (3, called)
    # The one beside it counts before that: where a wheel puts both.
    teller(tmp_path / "claude-failover", 7)
    assert run(script, *arguments, path=f"{tmp_path}/on-path:/usr/bin:/bin").returncode == 7
    # What is called is there.
    command = verbs
    context = command.make_context("claude-failover", [], resilient_parsing=True)
    for word in called[:2]:
        found = command.get_command(context, word) if hasattr(command, "get_command") else None
        command = found or command  # type: ignore[assignment]
    options = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in called if word.startswith("--")} <= options


@pytest.mark.parametrize("name", old_scripts.NAMES)
def test_help_and_what_is_wrong(name: str, tmp_path: Path) -> None:
    script = Path(shutil.copy(ROOT / "scripts" / name, tmp_path))
    done = run(script, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert name in done.stdout and "Is: claude-failover " in done.stdout
    missing = run(script, "ccl-0") if name != "watchdog.sh" else run(script)
    assert (missing.returncode, "claude-failover is not installed" in missing.stderr) == (127, True)
    # doctor knows it from one of old.
    assert old_scripts.is_ours(str(script), tmp_path)


def test_launch_agent_wants_a_name() -> None:
    assert run(ROOT / "scripts" / "launch-agent.sh").returncode == 2


def test_shellcheck_finds_nothing() -> None:
    program = shutil.which("shellcheck")
    if program is None:
        pytest.skip("shellcheck is not installed (Debian: apt-get install shellcheck)")
    scripts = [str(ROOT / "scripts" / name) for name in old_scripts.NAMES]
    done = subprocess.run([program, *scripts], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_page_on_migrating_names_each() -> None:
    page = (ROOT / "docs" / "migrating.md").read_text()
    for name in old_scripts.NAMES:
        assert f"| `{name}" in page
