"""What `claude-failover accounts check` looks at. Credentials are the binary's own business: none is read here."""

from __future__ import annotations

import shlex
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec

from failover.claude import auth, config_dir, kinds
from failover.cli.shared import span
from failover.config import Account, Config
from failover.core.notice import LOGIN_SOON
from failover.errors import FailoverError

_VITAL = ("projects", "sessions")


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What `accounts check` found. kind: as configured; method: the binary's word for it; problems: what keeps it from
    taking sessions; expires_at: epoch seconds."""

    name: str
    kind: str = "subscription"
    login: str = ""
    method: str = ""
    subscription: str = ""
    expires_at: float | None = None
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def check(config: Config) -> list[Finding]:
    """Return what there is to say of every account."""
    with ThreadPoolExecutor(max_workers=4) as pool:
        findings = list(pool.map(lambda account: _look(config, account), config.accounts))
    owners: dict[str, str] = {}
    checked = []
    for one in findings:
        owner = owners.setdefault(one.login, one.name) if one.login else one.name
        if owner != one.name:
            problem = (
                f"is the same login as {owner} ({one.login}); they share their limits and log each other out:"
                " log in as somebody else there, or remove one of the two"
            )
            one = msgspec.structs.replace(one, problems=(*one.problems, problem))
        checked.append(one)
    return checked


def _look(config: Config, account: Account) -> Finding:
    problems: list[str] = []
    warnings: list[str] = []
    try:
        steps = config_dir.plan(account.config_dir, config.shared_dir)
        mend = f"see: claude-failover accounts link --dry-run {account.name}"
        for step in steps:
            if step.kind in ("move", "collision"):
                # Without these two in common a conversation cannot go on elsewhere; the rest is only missed there.
                (problems if step.path.name in _VITAL else warnings).append(
                    f"{step.path} is the account's own, not linked to the shared tree; {mend}"
                )
        missing = sum(step.kind == "link" for step in steps)
        if missing:
            warnings.append(f"{missing} links to the shared tree are missing; they are made at the next launch; {mend}")
    except FailoverError as error:
        problems.append(str(error))
    by_hand = login_by_hand(config, account.config_dir)
    if not account.config_dir.is_dir():
        absent = f"{account.config_dir} does not exist; make it with: claude-failover accounts link {account.name}"
        return Finding(name=account.name, kind=account.kind, problems=(*problems, absent))
    try:
        login = auth.status(config.claude.command, account.config_dir, config.claude.env, account.login)
    except FailoverError as error:
        return Finding(name=account.name, kind=account.kind, problems=(*problems, str(error)))
    if not login.logged_in:
        mend = f"see what stands in {account.env_file}" if account.env_file else by_hand
        problems.append(f"nobody is logged in; {mend}")
    elif against := kinds.objection(account.login, login.auth_method, login.provider):
        problems.append(against)
    elif login.identity is None and account.kind == "subscription":
        warnings.append("who is logged in is not known before the login was used once")
    if login.login_expires_at is not None:
        left = login.login_expires_at - time.time()
        if left <= 0:
            problems.append(f"the login has expired; {by_hand}")
        elif left < LOGIN_SOON:
            warnings.append(f"the login expires in {span(left)}; {by_hand}")
    return Finding(
        name=account.name,
        kind=account.kind,
        login=" ".join(part for part in login.identity or () if part),
        method=login.auth_method,
        subscription=login.subscription or "",
        expires_at=login.login_expires_at,
        problems=tuple(problems),
        warnings=tuple(warnings),
    )


def login_by_hand(config: Config, folder: Path, platform: str = sys.platform) -> str:
    """Return how a person logs in in a config dir.

    On macOS the binary is said to keep the login in the Keychain, in an entry whose name is made from the letters of
    CLAUDE_CONFIG_DIR (reported by several, not measured by us): a login without it, or with the folder written
    otherwise, is another one.
    """
    command = f"CLAUDE_CONFIG_DIR={shlex.quote(str(folder))} {shlex.quote(config.claude.command)}"
    said = f"log in by hand with: {command}, then /login"
    if platform != "darwin":
        return said
    return (
        f"{said} (the folder in these very letters: the Keychain's entry is named after them; over ssh it is locked: "
        "security unlock-keychain)"
    )
