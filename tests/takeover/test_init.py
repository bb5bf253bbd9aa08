"""`init` on a host of its own: simulated sessions in a real tmux, made-up logins, folders of projects."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from failover.config import Config, load
from failover.core.draft import Dir, Found, Running, propose
from failover.host.tmux import Tmux
from failover.sim import real_cli
from failover.takeover import draft_text
from tests.cli.run import PROGRAM, ROOT, Answer, cli
from tests.places import short_dir
from tests.waiting import wait_for


class Host:
    """A home with two accounts that share ~/.claude, five sessions, and what else may be lying about."""

    def __init__(self, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.home, self.place = place / "home", place
        self.home.mkdir()
        self.binary = real_cli.sim_claude(place / "bin")
        monkeypatch.setenv("TMUX_TMPDIR", str(place))
        self.environment = {
            "HOME": str(self.home), "TMUX_TMPDIR": str(place), "PATH": f"{place}/bin:{os.environ['PATH']}"
        }  # fmt: skip
        self.tmux = Tmux("sessions", conf="/dev/null")
        self.app, self.other = self.home / "src" / "app", self.home / "src" / "other"
        for project in (self.app, self.other):
            (project / ".agent-queue" / "inbox").mkdir(parents=True)
        (self.home / "src" / "plain").mkdir()
        self.main, self.backup = self.account("main"), self.account("backup")
        real_cli.config_dir(self.home / ".claude-again", "main", real=False)
        (self.home / ".claude-old" / "projects").mkdir(parents=True)
        # Who opened it would wait for ever.
        os.mkfifo(self.main / ".credentials.json")

    def account(self, name: str) -> Path:
        folder = self.home / f".claude-{name}"
        return real_cli.config_dir(folder, name, [self.app, self.other], real=False, shared=self.home / ".claude")

    def launch(self, name: str, cwd: Path, account: Path) -> None:
        command = ["env", f"CLAUDE_CONFIG_DIR={account}", f"HOME={self.home}", str(self.binary)]
        self.tmux.new_session(name, cwd, command)

    def init(self, *arguments: str, named: Path | None = None) -> Answer:
        return cli(named, "init", *arguments, cwd=self.place, **self.environment)

    @property
    def file(self) -> Path:
        return self.home / ".config" / "claude-failover" / "config.yaml"

    def read(self) -> Config:
        return load(self.file, {**os.environ, "HOME": str(self.home)})

    def state(self) -> dict[str, Any]:
        """Return what is below the home, less what live sessions note of themselves: mode and content of each file."""
        found: dict[str, Any] = {}
        for path in sorted(path for path in self.home.rglob("*") if path.parent.name != "sessions"):
            info = path.lstat()
            text = hashlib.sha256(path.read_bytes()).hexdigest() if stat.S_ISREG(info.st_mode) else ""
            link = str(path.readlink()) if path.is_symlink() else ""
            found[str(path)] = (oct(info.st_mode), text, link)
        return found


def said(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    with short_dir() as place:
        made = Host(place, monkeypatch)
        try:
            yield made
        finally:
            subprocess.run(["tmux", "-L", "sessions", "kill-server"], capture_output=True, timeout=5)


def test_a_host_with_running_sessions_gets_a_configuration_that_leaves_all_where_it_is(host: Host) -> None:
    for number in range(3):
        host.launch(f"ccl-{number}", host.app, host.main)
    host.launch("ccl-auto-11", host.other, host.backup)
    host.tmux.new_session("shell", host.app, ["sleep", "600"])
    registry = host.home / ".claude" / "sessions"
    wait_for(lambda: len(list(registry.glob("*.json"))) == 4, 30, "four sessions")
    # A binary that no tmux session has, under a config dir that no pattern finds.
    (host.place / "claude").symlink_to("/bin/sleep")
    afar = host.place / "afar"
    afar.mkdir()
    stray = subprocess.Popen([host.place / "claude", "600"], cwd=host.other, env={"CLAUDE_CONFIG_DIR": str(afar)})
    try:
        before = host.state()
        shown = host.init("--dry-run", "--root", str(host.home / "src"))
        assert (shown.code, shown.err) == (0, "")
        assert host.state() == before
        answer = host.init("--root", str(host.home / "src"))
    finally:
        stray.kill()
        stray.wait()
    assert (answer.code, answer.err) == (0, "")
    after = host.state()
    assert {path for path in after if path not in before} == {
        str(path) for path in (host.file, host.file.parent, host.file.parent.parent)
    }
    assert {path: after[path] for path in before} == before
    assert stat.S_IMODE(host.file.stat().st_mode) == 0o600
    config = host.read()
    assert [(one.name, one.config_dir, one.enabled) for one in config.accounts] == [
        ("main", host.main, True), ("backup", host.backup, True)
    ]  # fmt: skip
    assert config.shared_dir == host.home / ".claude"
    assert config.tmux.socket == "sessions"
    assert [(one.name, one.project, one.account) for one in config.sessions] == [
        *((f"ccl-{number}", host.app, None) for number in range(3)), ("ccl-auto-11", host.other, "backup")
    ]  # fmt: skip
    assert config.projects == (host.app, host.other)
    text = host.file.read_text()
    assert '"ccl-{0..2}"' in text
    assert "main@example.test, max; 3 sessions of it run now" in text
    assert f"is the same login as {host.main}" in text and "nobody is logged in there" in text
    for folder in (".claude-again", ".claude-old"):
        assert f"  #   config_dir: ~/{folder}" in text
    assert f"claude outside the first pane of a tmux session: pid {stray.pid} in {host.other}" in answer.out
    assert str(afar) in text
    checked = cli(host.file, "config", "check", cwd=ROOT, **host.environment)
    assert (checked.code, checked.err) == (0, "")
    assert "warning" not in checked.out
    # What was shown before is what was written, but for comments: other processes of this user come and go.
    assert said(text) == said(shown.out.partition(f"{host.file} would be:\n\n")[2])


def test_a_configuration_that_is_there_is_never_overwritten_unless_forced(host: Host) -> None:
    host.file.parent.mkdir(parents=True)
    host.file.write_text("mine")
    refused = host.init()
    assert (refused.code, refused.out) == (2, "")
    assert f"{host.file}: is there already" in refused.err and "--force" in refused.err
    assert host.file.read_text() == "mine"
    host.file.unlink()
    host.file.symlink_to(host.place / "nowhere")
    assert host.init().code == 2 and host.file.is_symlink()
    assert host.init("--force", "--json").json["written"]
    assert [one.name for one in host.read().accounts] == ["main", "backup"]
    assert [path.name for path in host.file.parent.iterdir()] == ["config.yaml"]


def test_it_goes_where_it_is_told_to_and_json_says_what_was_found(host: Host) -> None:
    one, two = host.place / "one.yaml", host.place / "two.yaml"
    for answer, wanted in ((host.init("--config", str(one), "--json"), one), (host.init("--json", named=two), two)):
        assert (answer.code, answer.json["file"]) == (0, str(wanted))
        assert wanted.read_text() == answer.json["config"]
    assert answer.json["survey"]["command"] == str(host.binary)
    assert {one["path"] for one in answer.json["survey"]["found"]["dirs"] if one["logged_in"]} == {
        str(host.main), str(host.backup), str(host.home / ".claude-again")
    }  # fmt: skip


def test_an_empty_host_gets_a_configuration_that_says_what_is_missing(tmp_path: Path) -> None:
    environment = {"HOME": str(tmp_path), "TMUX_TMPDIR": str(tmp_path), "PATH": "/usr/bin:/bin"}
    answer = cli(None, "init", cwd=tmp_path, **environment)
    assert (answer.code, answer.err) == (0, "")
    assert "claude: not on PATH" in answer.out and "nobody is logged in anywhere" in answer.out
    file = tmp_path / ".config" / "claude-failover" / "config.yaml"
    checked = cli(file, "config", "check", "--json", cwd=ROOT, **environment)
    assert checked.code == 0
    assert any("only one is enabled" in warning for warning in checked.json["warnings"])


def test_a_disk_without_room_leaves_nothing_half_written(host: Host) -> None:
    done = subprocess.run(
        ["bash", "-c", "ulimit -f 1; trap '' XFSZ; exec \"$@\"", "sh", *PROGRAM, "init"],
        env={**os.environ, **host.environment, "PYTHONPATH": str(ROOT)}, cwd=host.place,
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 1
    assert f"{host.file}: cannot be written" in done.stderr
    assert list(host.file.parent.iterdir()) == []


def test_names_and_paths_of_any_kind_are_read_back_as_they_are(tmp_path: Path) -> None:
    odd = [f"{tmp_path}/{name}" for name in ("a b", "x: y", "#z", "yes", "ü€", "q\"'\\")]
    found = Found(
        home=str(tmp_path),
        dirs=tuple(Dir(path=path, logged_in=True, login="a\n b: #") for path in odd),
        sessions=tuple(Running(name=name, cwd=odd[0], config_dir=odd[1]) for name in ("no", "12", "1e3", "a-1", "a-2")),
        projects=tuple(odd),
    )
    file = tmp_path / "config.yaml"
    draft_text.put(file, draft_text.text(propose(found), str(tmp_path), "12", "/opt/my claude", "today"), force=False)
    config = load(file, {"HOME": str(tmp_path)})
    assert {str(account.config_dir) for account in config.accounts} == set(odd)
    assert {session.name for session in config.sessions} == {"no", "12", "1e3", "a-1", "a-2"}
    assert {str(project) for project in config.projects} == set(odd)
    assert (config.tmux.socket, config.claude.command) == ("12", "/opt/my claude")
    assert json.loads(json.dumps(config.claude.args)) == []
