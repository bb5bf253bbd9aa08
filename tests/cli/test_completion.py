"""Completion in real shells, and that it is silent and loads little."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from failover.config import load
from failover.store import sessions
from failover.store.db import Store
from tests.cli.run import PROGRAM, ROOT, cli
from tests.places import short_dir
from tests.waiting import wait_for


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """A pool by configuration and store, and a `claude-failover` to call."""
    with short_dir() as folder:
        file = folder / "config.yaml"
        file.write_text(
            f"version: 1\nstate_dir: {folder}/s\nshared_dir: {folder}/shared\nprojects: [{folder}/p]\naccounts:\n"
            f"  - {{name: main, config_dir: {folder}/main}}\n  - {{name: spare, config_dir: {folder}/spare}}\n"
            f'sessions: [{{name: "ccl-{{0..1}}", project: {folder}/p}}]\n'
        )
        paths = load(file).paths
        paths.ensure()
        store = Store.open(paths.store, "test", "boot")
        with store.transaction() as tx:
            sessions.place(tx, sessions.Placement(
                session="old-7", account="main", conversation="0" * 36, cwd="/", wanted="running", launch="0" * 12,
            ))  # fmt: skip
            for number, state in enumerate(("failed", "queued", "done"), 1):
                tx.execute(
                    "INSERT INTO tasks (name, project, state, queued_ms, body) VALUES (?, '/p', ?, 1, '{}')",
                    (f"evil\x1b[2J{number}", state),
                )
        store.close()
        (folder / "bin").mkdir()
        program = folder / "bin" / "claude-failover"
        program.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {shlex.join(PROGRAM)} "$@"\n')
        program.chmod(0o755)
        yield folder


def offered(home: Path, *words: str) -> list[str]:
    """Return what is offered for the last of `words`, asked for as the script of bash does."""
    environ = {
        **os.environ, "PATH": f"{home}/bin:{os.environ['PATH']}", "FAILOVER_CONFIG": f"{home}/config.yaml",
        "COMP_WORDS": shlex.join(["claude-failover", *words]), "COMP_CWORD": str(len(words)),
        "_CLAUDE_FAILOVER_COMPLETE": "bash_complete",
    }  # fmt: skip
    done = subprocess.run(["claude-failover"], env=environ, capture_output=True, text=True, timeout=30)
    assert done.stderr == ""
    return [line.partition(",")[2] for line in done.stdout.splitlines() if line]


def test_verbs_options_and_names_are_offered(home: Path) -> None:
    assert offered(home, "swa") == ["swap", "swaps"]
    assert offered(home, "swap", "--to", "") == ["main", "spare"]
    assert "--dry-run" in offered(home, "swap", "--")
    assert offered(home, "accounts", "check", "main", "") == ["spare"]
    assert offered(home, "sessions", "restart", "") == ["ccl-0", "ccl-1", "old-7"]
    assert offered(home, "tasks", "retry", "") == ["1"]
    assert offered(home, "tasks", "cancel", "") == ["2"]
    assert offered(home, "tasks", "show", "") == ["3", "2", "1"]
    assert offered(home, "tasks", "add", "--project", "") == [f"{home}/p"]


def test_completion_is_silent_whatever_is_wrong(home: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text("accounts: [\n")
    for file in ("/nowhere.yaml", str(broken)):
        assert offered(home, "--config", file, "swap", "--to", "") == []
        assert offered(home, "--config", file, "tasks", "retry", "") == []


def test_completing_a_verb_loads_no_verb_and_no_configuration() -> None:
    code = (
        "import sys; from failover.cli import verbs\n"
        "from click.shell_completion import BashComplete\n"
        "found = BashComplete(verbs, {}, 'claude-failover', 'X').get_completions([], 'st')\n"
        "heavy = ('yaml', 'msgspec', 'failover.cli.status')\n"
        "print([one.value for one in found], [name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=30)
    assert done.stdout == "['status'] []\n"


def shell_or_skip(name: str) -> str:
    return shutil.which(name) or pytest.skip(f"{name} is not installed")


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_tab_completes_in_a_real_shell(home: Path, shell: str) -> None:
    shell_or_skip(shell)
    script = home / f"completion.{shell}"
    script.write_text(cli(None, "completion", shell).out)
    start = {"bash": ["bash", "--norc", "--noprofile", "-i"], "zsh": ["zsh", "-f", "-i"]}[shell]
    socket = f"{home.name}-{shell}"
    environ = [f"PATH={home}/bin:{os.environ['PATH']}", f"FAILOVER_CONFIG={home}/config.yaml", "PS1=ready> "]

    def tmux(*words: str) -> str:
        done = subprocess.run(["tmux", "-L", socket, *words], capture_output=True, text=True, timeout=10)
        return done.stdout

    def typed(*keys: str) -> None:
        tmux("send-keys", "-t", "v", *keys)

    def shows(text: str) -> None:
        wait_for(lambda: text in tmux("capture-pane", "-p", "-t", "v"), 20, text)

    try:
        tmux("-f", "/dev/null", "new-session", "-d", "-s", "v", "-x", "100", "-y", "20", "env", *environ, *start)
        shows("ready>")
        if shell == "zsh":
            typed("autoload -Uz compinit; compinit -u -D", "Enter")
        typed(f". {script}; echo loa''ded", "Enter")
        shows("loaded")
        typed("claude-failover accounts disable sp", "Tab")
        shows("accounts disable spare")
    finally:
        tmux("kill-server")


def test_fish_completes(home: Path) -> None:
    shell_or_skip("fish")
    script = home / "completion.fish"
    script.write_text(cli(None, "completion", "fish").out)
    environ = {
        **os.environ, "HOME": str(home), "PATH": f"{home}/bin:{os.environ['PATH']}",
        "FAILOVER_CONFIG": f"{home}/config.yaml",
    }  # fmt: skip
    line = f"source {script}; complete -C 'claude-failover accounts disable sp'"
    done = subprocess.run(["fish", "--no-config", "-c", line], env=environ, capture_output=True, text=True, timeout=30)
    assert done.stdout.split("\t")[0].strip() == "spare", done.stderr
