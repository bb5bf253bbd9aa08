"""The daemon: does it run whole, and this program, is there a second one, is what it lives in safe for the sessions?"""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path

from failover.config import Config
from failover.doctor.finding import Finding, Look, ok, split
from failover.errors import FailoverError, HostError
from failover.host import daemon, process
from failover.host.lock import RoleLock
from failover.host.process import ProcessId
from failover.host.service import NAME, lingers, operator
from failover.host.tmux import Tmux
from failover.program import program, version
from failover.store.db import Store


def check(look: Look) -> list[Finding]:
    """See that one daemon runs, with all its roles, and that they run this program."""
    config = look.config
    if config is None:
        return []
    try:
        found = daemon.find(config.paths)
        rows = _roles(config)
    except FailoverError as error:
        return [split("daemon", "error", str(error))]
    findings = [
        judge_roles(found is not None, set(rows)),
        *judge_programs({was for _, was in rows.values()}, program()),
    ]
    same = [one for one in process.with_argument(str(daemon.conf_file(config.paths))) if one != found]
    same = [one for one in same if any("supervis" in word for word in process.cmdline(one))]
    if same and found:
        pids = ", ".join(str(one.pid) for one in same)
        sentence = f"a second supervisord runs for {config.state_dir} (process {pids})"
        findings.append(Finding(check="daemon", level="error", sentence=sentence, mend=f"kill {pids.replace(',', '')}"))
    holder = RoleLock(config.shared_dir / ".claude-failover.lock").holder()
    if holder and holder != rows.get("account-switcher", (None, ""))[0]:
        sentence = f"another daemon (process {holder.pid}) moves the sessions of {config.shared_dir}"
        mend = f"ps eww {holder.pid} | grep -o 'FAILOVER_CONFIG=[^ ]*'   # then there: claude-failover down"
        findings.append(Finding(check="daemon", level="error", sentence=sentence, mend=mend))
    return findings


def _roles(config: Config) -> dict[str, tuple[ProcessId, str]]:
    """Return process and program of each role that lives."""
    if not config.paths.store.exists():
        return {}
    with closing(Store.read_only(config.paths.store)) as store:
        rows = store.query("SELECT role, pid, start, program FROM roles")
    found = {row["role"]: (ProcessId(row["pid"], row["start"]), row["program"]) for row in rows}
    return {role: one for role, one in found.items() if process.alive(one[0])}


def judge_roles(up: bool, running: set[str]) -> Finding:
    """Return what it means which roles run. up: whether there is a supervisord."""
    missing = [role for role in daemon.ROLES if role not in running]
    if not up and not running:
        return Finding(check="daemon", level="hint", sentence="the daemon does not run", mend="claude-failover up")
    if not up:
        sentence = f"roles run without a supervisord: {', '.join(sorted(running))}"
        return Finding(
            check="daemon", level="error", sentence=sentence, mend="claude-failover down; claude-failover up"
        )
    if missing:
        sentence = f"roles that do not run: {', '.join(missing)}"
        return Finding(
            check="daemon", level="error", sentence=sentence, mend="claude-failover down; claude-failover up"
        )
    return ok("daemon", f"all {len(daemon.ROLES)} roles run")


def judge_programs(running: set[str], installed: str) -> list[Finding]:
    """Return whether roles run another program than the one that is installed."""
    if not running - {installed}:
        return []
    others = ", ".join(sorted(version(one) for one in running - {installed}))
    sentence = f"roles still run another program ({others}) than the one that is installed ({installed})"
    return [Finding(check="daemon", level="warning", sentence=sentence, mend="claude-failover up")]


def service(look: Look) -> list[Finding]:
    """See that a service that was installed outlives the log-out, and that the sessions outlive the service."""
    findings = []
    user_unit = look.home / ".config" / "systemd" / "user" / f"{NAME}.service"
    if user_unit.exists():
        name = operator()
        if not lingers(name):
            sentence = "the service is your user manager's, which ends, with all sessions, when you log out"
            findings.append(
                Finding(check="service", level="warning", sentence=sentence, mend=f"sudo loginctl enable-linger {name}")
            )
        if "KillMode=process" not in user_unit.read_text(errors="replace"):
            sentence = f"{user_unit}: without KillMode=process a stop of the service ends the sessions"
            findings.append(
                Finding(
                    check="service", level="error", sentence=sentence, mend="claude-failover service install --force"
                )
            )
    if look.config is not None and shutil.which("tmux", path=look.environ.get("PATH")):
        findings += _tmux_scope(look.config)
    return findings or [ok("service", "sessions do not hang on a service")]


def _tmux_scope(config: Config) -> list[Finding]:
    """Return whether the tmux server lives in the user's login session, which systemd may end with it."""
    try:
        pane = next(iter(Tmux(config.tmux.socket, timeout=3.0).panes().values()), None)
    except HostError:
        return []  # the check of tmux says so
    try:
        group = Path(f"/proc/{pane.server}/cgroup").read_text() if pane else ""
    except OSError:
        return []
    return [found] if (found := judge_scope(group, _kills_on_logout())) else []


def judge_scope(group: str, kills: bool) -> Finding | None:
    """Return what the tmux server's control group means. kills: logind ends what a user leaves behind."""
    if kills and "/session-" in group:
        return Finding(
            check="service", level="warning", mend="sudo sed -i 's/^#*KillUserProcesses=.*/KillUserProcesses=no/' "
            "/etc/systemd/logind.conf; sudo systemctl kill -s HUP systemd-logind",
            sentence="the tmux server belongs to a login, and logind ends what belongs to one at the log-out",
        )  # fmt: skip
    return None


def _kills_on_logout() -> bool:
    try:
        lines = Path("/etc/systemd/logind.conf").read_text().splitlines()
    except OSError:
        return False
    return any(line.strip().replace(" ", "").lower() == "killuserprocesses=yes" for line in lines)
