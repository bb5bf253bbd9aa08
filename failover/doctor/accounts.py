"""The accounts: logins, two names for one login, links to the shared tree, trust in the projects."""

from __future__ import annotations

import os
import shlex
import shutil
from functools import partial
from pathlib import Path

from failover.claude import config_dir, seed
from failover.config import Account, Config
from failover.doctor.finding import Finding, Look, ok, split
from failover.errors import FailoverError

_TREE = "the shared tree"


def logins(look: Look) -> list[Finding]:
    """Ask the binary who is logged in where."""
    from failover.cli import account_check

    config = look.config
    if config is None or shutil.which(config.claude.command, path=look.environ.get("PATH")) is None:
        return []
    findings = []
    for one in account_check.check(config):
        # What is not as it should be with the shared tree is told by the check of links.
        problems = [split("logins", "error", f"{one.name}: {text}") for text in one.problems if _TREE not in text]
        warnings = [split("logins", "warning", f"{one.name}: {text}") for text in one.warnings if _TREE not in text]
        who = one.login or one.method
        findings += problems + warnings or [ok("logins", f"{one.name}: logged in" + (f" ({who})" if who else ""))]
    if len([account for account in config.accounts if account.enabled]) < 2:
        findings.append(
            Finding(
                check="logins",
                level="warning",
                sentence="one account only is enabled: there is nowhere to fail over to",
                mend="claude-failover accounts add backup ~/.claude-backup",
            )
        )
    return findings


def links(look: Look) -> list[Finding]:
    """See that the config dirs link to the shared tree, and that no link of ours leads nowhere."""
    findings: list[Finding] = []
    for account in look.config.accounts if look.config else ():
        assert look.config is not None
        if account.config_dir.is_dir():
            findings += _links(account, look.config) or [ok("links", f"{account.name}: all links are there")]
    return findings


def _links(account: Account, config: Config) -> list[Finding]:
    findings, mend = [], f"claude-failover accounts link {account.name}"
    folder, shared = account.config_dir, config.shared_dir
    try:
        steps = config_dir.plan(folder, shared)
    except FailoverError as error:
        return [split("links", "error", f"{account.name}: {error}")]
    missing = [step.path.name for step in steps if step.kind in ("link", "make_dir", "make_file")]
    if missing := list(dict.fromkeys(missing)):
        findings.append(
            Finding(
                check="links",
                level="warning",
                mend=mend,
                fix=partial(_make_whole, folder, shared),
                sentence=f"{account.name}: not linked to {shared}, or linked and not there: {', '.join(missing)}",
            )
        )
    for step in steps:
        if step.kind in ("move", "collision"):
            needed = step.path.name in ("projects", "sessions")
            findings.append(
                Finding(
                    check="links",
                    level="error" if needed else "warning",
                    mend=f"{mend} --dry-run",
                    sentence=f"{account.name}: {step.path} is its own and not the shared one",
                )
            )
    for name in config_dir.SHARED:
        path = folder / name
        if path.is_symlink() and not path.exists() and not any(step.path in (path, shared / name) for step in steps):
            findings.append(
                Finding(
                    check="links",
                    level="warning",
                    mend=f"rm {shlex.quote(str(path))}",
                    fix=partial(_unlink_dangling, path),
                    sentence=f"{account.name}: {path} is a link to {path.readlink()}, which is not there",
                )
            )
    return findings


def _make_whole(folder: Path, shared: Path) -> None:
    made = [step for step in config_dir.plan(folder, shared) if step.kind in ("link", "make_dir", "make_file")]
    config_dir.apply(made)


def _unlink_dangling(path: Path) -> None:
    if path.is_symlink() and not path.exists():
        path.unlink()


def trust(look: Look) -> list[Finding]:
    """See that no first-start dialog would stand in the way of a session that moves."""
    config, findings = look.config, []
    if config is None:
        return []
    folders = sorted({session.project for session in config.sessions} | set(config.projects))
    for account in config.accounts:
        if not account.config_dir.is_dir():
            continue
        try:
            whole = seed.is_seeded(account.config_dir, folders, config.shared_dir)
        except FailoverError as error:
            findings.append(split("trust", "error", f"{account.name}: {error}"))
            continue
        if whole:
            findings.append(ok("trust", f"{account.name}: no dialog stands in the way of a start"))
            continue
        findings.append(
            Finding(
                check="trust",
                level="hint",
                mend=f"claude-failover accounts link {account.name}",
                fix=partial(_seed, account.config_dir, folders, config.shared_dir),
                sentence=f"{account.name}: trust in a project, or an MCP server, is missing; a launch adds it",
            )
        )
    return findings


def _seed(folder: Path, projects: list[Path], shared: Path) -> None:
    seed.seed(folder, projects, mirror_from=shared)


def projects(look: Look) -> list[Finding]:
    """See that the folders of sessions and task queues are there and can be written."""
    config, findings = look.config, []
    if config is None:
        return []
    for folder in sorted({session.project for session in config.sessions} | set(config.projects)):
        if not folder.is_dir():
            sentence, mend = f"the project {folder} is not there", f"mkdir -p {shlex.quote(str(folder))}"
            findings.append(Finding(check="projects", level="warning", sentence=sentence, mend=mend))
    for folder in config.projects:
        queue = folder / ".agent-queue"
        if queue.is_dir() and not os.access(queue, os.W_OK | os.X_OK):
            sentence = f"{queue} cannot be written, so its tasks are not worked off"
            findings.append(
                Finding(
                    check="projects", level="error", sentence=sentence, mend=f"chmod u+rwx {shlex.quote(str(queue))}"
                )
            )
    return findings or [ok("projects", "all folders of sessions and tasks are there")]
