"""`doctor` on a host of its own, on which each fault is made for real."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from failover.cli.down import down
from failover.cli.up import up
from failover.clock import SystemClock
from failover.config import Config, load
from failover.doctor import binary, table
from failover.doctor.finding import Look
from failover.host import daemon
from failover.host.lock import RoleLock
from failover.sim import namespace, real_cli
from failover.sim.nemesis.disk import Disk
from tests.cli.run import PROGRAM, ROOT, cli
from tests.places import short_dir


class Host:
    """Two accounts, linked and trusted, one session and its project; nothing is wrong yet."""

    def __init__(self, place: Path) -> None:
        self.place, self.home, self.state, self.shared = place, place / "home", place / "s", place / "shared"
        self.bin, self.project = place / "bin", place / "app"
        for folder in (self.home, self.shared, self.project / ".agent-queue" / "inbox"):
            folder.mkdir(parents=True, mode=0o700)
        self.binary = real_cli.sim_claude(self.bin)
        self.accounts = {
            name: real_cli.config_dir(place / name, name, real=False, shared=None) for name in ("main", "backup")
        }
        for folder in self.accounts.values():
            (folder / "settings.json").unlink()
        self.file = place / "config.yaml"
        self.write()
        assert self.run("accounts", "link").code == 0

    def write(self, env: dict[str, str] | None = None) -> None:
        made = {
            "version": 1, "state_dir": str(self.state), "shared_dir": str(self.shared),
            "claude": {"env": env or {}},
            "accounts": [{"name": name, "config_dir": str(folder)} for name, folder in self.accounts.items()],
            "sessions": [{"name": "ccl-0", "project": str(self.project)}], "projects": [str(self.project)],
            "tmux": {"socket": self.place.name}, "http": {"listen": "127.0.0.1:0"},
        }  # fmt: skip
        self.file.write_text(json.dumps(made))
        self.file.chmod(0o600)

    @property
    def config(self) -> Config:
        return load(self.file)

    @property
    def environment(self) -> dict[str, str]:
        return {"HOME": str(self.home), "PATH": f"{self.bin}:{os.environ['PATH']}"}

    def run(self, *arguments: str, **more: str) -> Any:
        return cli(self.file, *arguments, cwd=ROOT, **{**self.environment, **more})

    def tool(self, name: str, text: str) -> None:
        path = self.bin / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    def doctor(self, *only: str, fix: bool = False, **more: str) -> list[dict[str, str]]:
        """Return what is not well, of these checks."""
        asked = [word for name in only for word in ("--only", name)]
        answer = self.run("doctor", "--json", *asked, *(["--fix"] if fix else []), **more)
        found = answer.json["findings"]
        assert answer.code == int(any(one["level"] == "error" for one in found)), answer.err
        self.mended = answer.json["mended"]
        assert {one["check"] for one in found} >= set(only)
        return [one for one in found if one["level"] != "ok"]


@pytest.fixture
def host() -> Iterator[Host]:
    with short_dir() as place:
        made = Host(place)
        try:
            yield made
        finally:
            if made.state.exists():
                down(made.config)
            subprocess.run(["tmux", "-L", place.name, "kill-server"], capture_output=True, timeout=5)


def test_on_a_host_where_all_is_well_it_ends_with_0_and_touches_nothing(host: Host) -> None:
    before = sorted((str(path), path.lstat().st_mode) for path in host.place.rglob("*"))
    host.tool("tmux", 'test "$1" = -V && echo "tmux 3.5a" || exit 1')
    host.tool("crontab", "exit 1")
    answer = host.run("doctor", "--json")
    well = {"limits", "disk", "clock", "old scripts"}  # of the machine that the tests run on
    bad = [one for one in answer.json["findings"] if one["level"] != "ok" and one["check"] not in well]
    assert [(one["check"], one["level"]) for one in bad] == [("tmux", "error"), ("daemon", "hint")]
    assert "the version that all was measured on" in answer.out
    assert "it starts, tells of itself, ends and resumes as expected" in answer.out
    (host.bin / "tmux").unlink()
    (host.bin / "crontab").unlink()
    assert sorted((str(path), path.lstat().st_mode) for path in host.place.rglob("*")) == before


def test_open_modes_are_closed(host: Host) -> None:
    host.config.paths.ensure()
    assert host.doctor("modes") == []
    token = host.state / "token"
    token.write_text("made up")
    main = host.accounts["main"]
    for path, mode in ((token, 0o644), (host.state / "log", 0o755), (main, 0o750), (host.file, 0o644)):
        path.chmod(mode)
    found = host.doctor("modes")
    assert {one["mend"] for one in found} == {
        f"chmod 600 {token}", f"chmod 700 {host.state}/log", f"chmod 700 {main}", f"chmod 600 {host.file}"
    }  # fmt: skip
    assert host.doctor("modes", fix=True) == []
    assert len(host.mended) == 4
    assert [oct(path.stat().st_mode & 0o777) for path in (token, host.state / "log")] == ["0o600", "0o700"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_another_user_is_named_and_left_alone(host: Host) -> None:
    host.config.paths.ensure()
    os.chown(host.state / "log", 65534, 65534)
    (found,) = host.doctor("modes", fix=True)
    assert (found["level"], found["mend"]) == ("error", f"sudo chown 0 {host.state}/log")


def test_links_that_are_missing_or_lead_nowhere_are_made_whole(host: Host) -> None:
    folder = host.accounts["backup"]
    (folder / "projects").unlink()
    (host.shared / "plans").rmdir()
    (folder / "agents").symlink_to(host.shared / "agents")
    found = host.doctor("links")
    assert any("backup: not linked" in one["sentence"] and "projects" in one["sentence"] for one in found)
    assert any(one["mend"] == f"rm {folder}/agents" for one in found)
    assert host.doctor("links", fix=True) == []
    assert (folder / "projects").resolve() == host.shared / "projects"
    assert (folder / "plans").is_dir() and not (folder / "agents").is_symlink()


def test_an_accounts_own_conversations_are_an_error_that_nobody_mends_for_you(host: Host) -> None:
    folder = host.accounts["main"] / "projects"
    folder.unlink()
    (folder / "x").mkdir(parents=True)
    (host.shared / "projects" / "x").mkdir()
    (folder / "x" / "c.jsonl").write_text("mine")
    (found,) = host.doctor("links", fix=True)
    assert (found["level"], found["mend"]) == ("error", "claude-failover accounts link main --dry-run")
    assert (folder / "x" / "c.jsonl").read_text() == "mine"


def test_trust_that_is_missing_is_seeded(host: Host) -> None:
    state = host.accounts["main"] / ".claude.json"
    content = json.loads(state.read_text())
    state.write_text(json.dumps({**content, "projects": {}}))
    assert [one["level"] for one in host.doctor("trust")] == ["hint"]
    assert host.doctor("trust", fix=True) == []
    assert json.loads(state.read_text())["projects"][str(host.project)]["hasTrustDialogAccepted"]
    state.write_text("{")
    (found,) = host.doctor("trust", fix=True)
    assert (found["level"], "is not JSON" in found["sentence"]) == ("error", True)


def test_logins_that_are_gone_ending_or_doubled(host: Host) -> None:
    assert host.doctor("logins") == []
    login = host.accounts["backup"] / ".sim-token"
    content = json.loads(login.read_text())
    login.write_text(json.dumps({**content, "loginExpiresAt": "2020-01-01T00:00:00Z"}))
    (found,) = host.doctor("logins")
    assert (found["level"], "backup: the login has expired" in found["sentence"]) == ("error", True)
    assert f"CLAUDE_CONFIG_DIR={host.accounts['backup']}" in found["mend"]
    login.write_text((host.accounts["main"] / ".sim-token").read_text())
    (found,) = host.doctor("logins")
    assert "backup: is the same login as main" in found["sentence"]
    login.unlink()
    assert "nobody is logged in" in host.doctor("logins")[0]["sentence"]


def test_settings_that_take_our_hooks_away(host: Host) -> None:
    assert host.doctor("settings") == []
    (host.shared / "settings.json").write_text('{"disableAllHooks": true}')
    local = host.project / ".claude" / "settings.local.json"
    local.parent.mkdir()
    local.write_text('{"env": {"ANTHROPIC_API_KEY": "sk-ant-made-up"}}')
    found = host.doctor("settings")
    assert [one["level"] for one in found] == ["error", "error"]
    assert "sk-ant" not in str(found)
    if subprocess.run(["sh", "-c", "command -v jq"], capture_output=True).returncode == 0:
        for one in found:
            subprocess.run(["sh", "-c", one["mend"]], check=True)
        assert host.doctor("settings") == []
    local.write_text("{")
    assert "no JSON object" in host.doctor("settings")[-1]["sentence"]


def test_cron_lines_and_processes_of_the_old_scripts(host: Host) -> None:
    table = host.place / "crontab.txt"
    old = host.home / "bin" / "watchdog.sh"
    old.parent.mkdir()
    old.write_text("#!/bin/sh\nexec sleep 600\n")
    ours = ROOT / "scripts" / "watchdog.sh"
    table.write_text(f"* * * * * {old}\n* * * * * {ours}\n0 1 * * * backup\n")
    host.tool(
        "crontab", f'if [ "$1" = -l ]; then cat "{table}"; else cat >"{table}.new"; mv "{table}.new" "{table}"; fi'
    )
    (found,) = [one for one in host.doctor("old scripts") if "crontab" in one["sentence"]]
    assert (found["level"], "line 1 starts the old watchdog.sh" in found["sentence"]) == ("error", True)
    subprocess.run(["sh", "-c", found["mend"]], check=True, env=host.environment)
    assert table.read_text().startswith(f"#* * * * * {old}\n")
    assert [one for one in host.doctor("old scripts") if "crontab" in one["sentence"]] == []
    old.chmod(0o755)
    path = f"{old.parent}:{host.environment['PATH']}"
    (typed,) = [one for one in host.doctor("old scripts", PATH=path) if "typed" in one["sentence"]]
    assert (typed["level"], f"the old {old} is found first" in typed["sentence"]) == ("warning", True)
    path = f"{ours.parent}:{path}"
    assert [one for one in host.doctor("old scripts", PATH=path) if "typed" in one["sentence"]] == []
    script = host.home / "checkpoint-daemon.sh"
    script.write_text("while :; do sleep 600; done\n")
    command = ["sh", "./checkpoint-daemon.sh"]
    running = subprocess.Popen(command, cwd=host.home, start_new_session=True, env=host.environment)
    elsewhere = {**host.environment, "HOME": str(host.place)}
    other = subprocess.Popen(command, cwd=host.home, start_new_session=True, env=elsewhere)
    try:
        assert f"kill {other.pid}" not in [one["mend"] for one in host.doctor("old scripts")], "another home's"
        assert f"kill {running.pid}" in [one["mend"] for one in host.doctor("old scripts")]
    finally:
        for child in (running, other):
            os.killpg(child.pid, 9)
            child.wait()


@pytest.mark.parametrize(
    ("shim", "level", "says"),
    [
        ('echo "tmux 3.1"', "error", "3.2 or newer is needed"),
        ('echo "tmux 3.3a"', "warning", "pastes into a pane"),
        ('test "$1" = -V && echo "tmux 3.5a" || sleep 60', "error", "no answer within 3 s"),
    ],
)
def test_a_tmux_that_is_old_bad_or_hangs(host: Host, shim: str, level: str, says: str) -> None:
    host.tool("tmux", shim)
    assert any(one["level"] == level and says in one["sentence"] for one in host.doctor("tmux"))


def test_programs_that_are_missing(host: Host) -> None:
    empty = host.place / "empty"
    empty.mkdir()
    for check in ("tmux", "hooks", "claude"):
        (found,) = host.doctor(check, PATH=str(empty))
        assert found["level"] == "error" and found["mend"]
    (empty / "perl").symlink_to("/bin/true")
    assert host.doctor("hooks", PATH=str(empty))[0]["level"] == "hint"


def test_a_newer_binary_whose_records_differ_is_told_of_with_what_it_costs(host: Host) -> None:
    """Its registry has other fields, it calls no hook: doctor says so, and ends what it started."""
    host.tool(
        "claude",
        'test "$*" = --version && echo "9.0.0 (Claude Code)" && exit\n'
        'test "$*" = "auth status" && echo \'{"loggedIn": false}\' && exit 1\n'
        'mkdir -p "$CLAUDE_CONFIG_DIR/sessions"\n'
        'echo "{\\"process\\": $$, \\"state\\": \\"idle\\"}" >"$CLAUDE_CONFIG_DIR/sessions/$$.json"\n'
        f'echo $$ >"{host.place}/pid"\n'
        "exec sleep 600",
    )
    look = Look(config=None, clock=SystemClock(), environ=host.environment, home=host.home, patience=1.0)
    found = binary.check(look)
    assert [one.level for one in found] == ["hint", "error", "error", "error", "error"]
    assert "9.0.0" in found[0].sentence
    for one, what in zip(found[1:], ("sessions/", "no hook", "statusline", "transcript"), strict=True):
        assert what in one.sentence and "what is not known is left alone" in one.sentence
    pid = int((host.place / "pid").read_text())
    assert not Path(f"/proc/{pid}").exists()


_PROBE = """
import sys, msgspec
from failover.doctor.probe import probe
print(msgspec.json.encode(probe(sys.argv[1])).decode())
"""


@pytest.mark.real
def test_the_real_binary_does_what_is_relied_on(host: Host) -> None:
    """In a network with nothing but loopback, where the host permits one."""
    command = [sys.executable, "-c", _PROBE, str(real_cli.real_claude())]
    if not namespace.refused(host.place):
        command = namespace.inside(host.place, command)
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=120, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    facts = json.loads(done.stdout)
    assert {name: fact for name, fact in facts.items() if name != "reached" and fact} == {}


def test_a_disk_with_little_room_and_one_with_none(host: Host) -> None:
    disk = Disk(host.state)
    if disk.why_not:
        pytest.skip(f"no disk of its own: {disk.why_not}")
    try:
        little = host.doctor("disk")[0]
        assert (little["level"], str(host.state) in little["mend"]) == ("warning", True)
        disk.fill()
        assert host.doctor("disk")[0]["level"] == "error"
    finally:
        disk.remove()


def test_a_clock_that_was_set_back_and_limits_that_are_too_low(host: Host) -> None:
    from failover import clock
    from failover.events import RoleStarted
    from failover.store.db import Store

    host.config.paths.ensure()
    store = Store.open(host.config.paths.store, "test")
    with store.transaction() as tx:
        tx.emit(RoleStarted(role="bus", pid=1))
    store.close()
    wrong = host.place / "off-by"
    wrong.write_text("-7200")
    (found,) = host.doctor("clock", fix=False, **{clock.VARIABLE: str(wrong)})
    assert (found["level"], "the time of day was set back" in found["sentence"]) == ("warning", True)
    done = subprocess.run(
        ["bash", "-c", 'ulimit -n 200; exec "$@"', "sh", *PROGRAM, "doctor", "--only", "limits"],
        env={**os.environ, **host.environment, "FAILOVER_CONFIG": str(host.file), "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0
    assert "open files: 200 allowed, 1024 wanted\n    ulimit -n 1024" in done.stdout


def test_a_daemon_that_is_not_whole_and_one_that_is_another(host: Host) -> None:
    assert [one["level"] for one in host.doctor("daemon")] == ["hint"]
    up(host.config, wait=60)
    assert host.doctor("daemon") == []
    conf = str(daemon.conf_file(host.config.paths))
    subprocess.run(
        [sys.executable, "-m", "supervisor.supervisorctl", "-c", conf, "stop", "notifier"],
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    (missing,) = host.doctor("daemon")
    assert (missing["level"], missing["sentence"]) == ("error", "roles that do not run: notifier")
    down(host.config)
    lock = RoleLock(host.shared / ".claude-failover.lock")
    with lock:
        found = host.doctor("daemon")
    assert any(f"another daemon (process {os.getpid()})" in one["sentence"] for one in found)
    listener = socket.socket(socket.AF_UNIX)
    (host.state / "run" / "supervisor.sock").unlink(missing_ok=True)
    listener.bind(str(host.state / "run" / "supervisor.sock"))
    listener.listen()
    try:
        assert "somebody listens there who is no supervisord" in host.doctor("daemon")[0]["sentence"]
    finally:
        listener.close()


def test_without_a_configuration_it_looks_at_the_host_and_names_init(host: Host) -> None:
    answer = cli(
        None, "doctor", "--json", "--only", "tmux", "--only", "modes", cwd=host.place / "home", **host.environment
    )
    assert answer.code == 1
    assert answer.json["findings"][0]["mend"] == "claude-failover init"
    host.file.write_text("version: 2\n")
    answer = host.run("doctor", "--only", "disk")
    assert (answer.code, f"{host.file}:" in answer.out) == (1, True)
    assert host.run("doctor", "--only", "weather").code == 2


#: Made up, one for each place where one might stand.
CANARIES = {
    "environment": "sk-ant-api03-canaryenvironment000000",
    "plain": "hunter2-canary-plain",
    "config": "canary-config-4711-value",
    "log": "sk-ant-oat01-canarylog00000000000",
    "bearer": "canarybearer0000abcd",
    "event": "sk-ant-api03-canaryevent00000000000",
    "token": "canarytokenfile00000000",
    "login": "sk-ant-oat01-canarylogin0000000000",
}


def test_the_bundle_holds_no_secret_and_no_name(host: Host) -> None:
    from failover.events import RolesPaused
    from failover.store.db import Store

    host.write(env={"MY_SETTING": CANARIES["config"]})
    paths = host.config.paths
    paths.ensure()
    (host.accounts["main"] / ".credentials.json").write_text(json.dumps({"accessToken": CANARIES["login"]}))
    paths.token_file.write_text(f"operate {CANARIES['token']}\n")
    log = paths.log_dir / "bus.log"
    log.write_text(
        f"token {CANARIES['log']}\nAuthorization: Bearer {CANARIES['bearer']}\nsee {host.home}/x of me@example.test\n"
        f"{CANARIES['plain']} and {CANARIES['config']} stood here\n"
    )
    store = Store.open(paths.store, "test")
    with store.transaction() as tx:
        tx.emit(RolesPaused(by=f"op with {CANARIES['event']}"))
    store.close()
    bundle = host.place / "report.tar.gz"
    answer = host.run(
        "doctor", "--json", "--only", "logins", "--only", "modes", "--bundle", str(bundle),
        ANTHROPIC_API_KEY=CANARIES["environment"], DATABASE_PASSWORD=CANARIES["plain"],
    )  # fmt: skip
    assert answer.err.count("\n") <= 1
    assert bundle.stat().st_mode & 0o777 == 0o600
    with tarfile.open(bundle) as archive:
        parts = {entry.name.partition("/")[2]: _text(archive, entry) for entry in archive}
    assert set(parts) == {"findings.json", "versions.json", "config.json", "events.jsonl", "log/bus.log"}
    whole = "\n".join(parts.values())
    for place, canary in CANARIES.items():
        assert canary not in whole, place
    assert str(host.home) not in whole and "example.test" not in whole
    assert "[mail-1]" in whole and "see ~/x" in parts["log/bus.log"]
    # What helps is there all the same.
    config = json.loads(parts["config.json"])
    assert [one["name"] for one in config["accounts"]] == ["main", "backup"]
    assert config["claude"]["env"] == ["MY_SETTING"] and "notify" in config["left out"]
    assert "ANTHROPIC_API_KEY" in json.loads(parts["versions.json"])["variables"]
    assert json.loads(parts["events.jsonl"].splitlines()[-1])["event"]["type"] == "operator.paused"
    assert {one["check"] for one in json.loads(parts["findings.json"])} >= {"config", "logins", "modes"}
    again = host.run("doctor", "--only", "disk", "--bundle", str(bundle))
    assert (again.code, "is there already" in again.err) == (1, True)


def _text(archive: tarfile.TarFile, entry: tarfile.TarInfo) -> str:
    file = archive.extractfile(entry)
    assert file is not None
    return file.read().decode()


def test_the_page_lists_every_check() -> None:
    page = (ROOT / "docs" / "doctor.md").read_text()
    assert [line for line in page.splitlines() if line.startswith("| `")] == [
        f"| `{name}` | {what} |" for name, (what, _) in table.CHECKS.items()
    ]
