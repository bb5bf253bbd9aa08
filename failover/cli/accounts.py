"""`claude-failover accounts …`. Credentials are the binary's own business: none is read, copied or written here."""

from __future__ import annotations

import shlex
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click
import msgspec

from failover.cli.shared import Cli, json_option, print_json, span, table
from failover.cli.status import accounts_table
from failover.config import Account, Config
from failover.config_yaml import is_name
from failover.errors import FailoverError, UsageError
from failover.http import views

#: A login that expires within this many seconds is warned of: a swap must not be the first to find out.
_SOON = 7 * 86400

_VITAL = ("projects", "sessions")


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What `accounts check` found. problems: what keeps it from taking sessions; expires_at: epoch seconds."""

    name: str
    login: str = ""
    method: str = ""
    subscription: str = ""
    expires_at: float | None = None
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@click.group("accounts")
def accounts_group() -> None:
    """List, add, check and link accounts."""


@accounts_group.command("list")
@json_option
@click.pass_obj
def list_command(cli: Cli, as_json: bool) -> None:
    """List accounts with their usage. Works while the daemon is down."""
    found = views.accounts(cli.config, cli.store)
    if as_json:
        print_json(found)
    else:
        click.echo(accounts_table(found))


@accounts_group.command("check")
@click.argument("names", nargs=-1)
@json_option
@click.pass_obj
def check_command(cli: Cli, names: tuple[str, ...], as_json: bool) -> None:
    """Ask the binary who is logged in where, and see that nothing keeps an account from taking sessions."""
    config = cli.config
    chosen = {config.account(name).name for name in names} or {account.name for account in config.accounts}
    # All are asked, whatever was named: only then is it known whether two are one.
    findings = [finding for finding in check(config) if finding.name in chosen]
    if as_json:
        print_json(findings)
    else:
        rows = [
            (one.name, one.login or "-", one.subscription or one.method or "-", _expiry(one),
             "failed" if one.problems else "ok")
            for one in findings
        ]  # fmt: skip
        click.echo(table(("account", "login", "kind", "expires", "state"), rows))
        for one in findings:
            for sentence in (*one.problems, *(f"warning: {warning}" for warning in one.warnings)):
                click.echo(f"{one.name}: {sentence}")
    bad = [one.name for one in findings if one.problems]
    if bad:
        raise FailoverError(f"not ready to take sessions: {', '.join(bad)}")


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
    from failover.claude import auth, config_dir

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
    if not account.config_dir.is_dir():
        absent = f"{account.config_dir} does not exist; make it with: claude-failover accounts link {account.name}"
        return Finding(name=account.name, problems=(*problems, absent))
    try:
        login = auth.status(config.claude.command, account.config_dir, config.claude.env)
    except FailoverError as error:
        return Finding(name=account.name, problems=(*problems, str(error)))
    if not login.logged_in:
        problems.append(f"nobody is logged in; {_login(config, account.config_dir)}")
    elif login.identity is None:
        warnings.append("who is logged in is not known before the login was used once")
    if login.login_expires_at is not None:
        left = login.login_expires_at - time.time()
        if left <= 0:
            problems.append(f"the login has expired; {_login(config, account.config_dir)}")
        elif left < _SOON:
            warnings.append(f"the login expires in {span(left)}; {_login(config, account.config_dir)}")
    return Finding(
        name=account.name,
        login=" ".join(part for part in login.identity or () if part),
        method=login.auth_method,
        subscription=login.subscription or "",
        expires_at=login.login_expires_at,
        problems=tuple(problems),
        warnings=tuple(warnings),
    )


@accounts_group.command("link")
@click.argument("names", nargs=-1)
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@json_option
@click.pass_obj
def link_command(cli: Cli, names: tuple[str, ...], dry_run: bool, as_json: bool) -> None:
    """Link config dirs to the shared tree and seed what keeps dialogs away. Never overwrites anything."""
    from failover.claude import config_dir

    config = cli.config
    accounts = [config.account(name) for name in names] or list(config.accounts)
    done: dict[str, list[str]] = {}
    left = 0
    for account in accounts:
        # One after the other: the first may move into the shared tree what the second then collides with.
        steps = config_dir.plan(account.config_dir, config.shared_dir)
        if not dry_run:
            config_dir.apply(steps)
            config_dir.seed(account.config_dir, _folders(config), mirror_from=config.shared_dir)
        left += sum(step.kind == "collision" for step in steps)
        done[account.name] = [step.sentence for step in steps]
    if as_json:
        print_json({"dry_run": dry_run, "accounts": done})
    else:
        for name, sentences in done.items():
            for sentence in sentences or ["all linked already"]:
                click.echo(f"{name}: {sentence}")
    if left:
        raise FailoverError(f"{left} names were left as they are, since both sides have them; merge those by hand")


@accounts_group.command("add")
@click.argument("name")
@click.argument("config_dir", type=click.Path(path_type=Path))
@json_option
@click.pass_obj
def add_command(cli: Cli, name: str, config_dir: Path, as_json: bool) -> None:
    """Make a config dir ready for an account, and print the lines that the configuration needs."""
    from failover.claude import config_dir as link_farm

    config, folder = cli.config, config_dir.expanduser().absolute()
    if not is_name(name):
        raise UsageError(f"{name!r} is no name; use 1 to 64 of A-Z a-z 0-9 . _ -")
    for account in config.accounts:
        if account.name == name or account.config_dir.resolve() == folder.resolve():
            raise UsageError(f"{config.file} has the account {account.name} in {account.config_dir} already")
    if folder.resolve() in (config.shared_dir.resolve(), config.state_dir.resolve()):
        raise UsageError(f"{folder} is the shared_dir or state_dir; give the account a folder of its own")
    done = link_farm.make_whole(folder, config.shared_dir)
    link_farm.seed(folder, _folders(config), mirror_from=config.shared_dir)
    yaml = f"  - name: {_quoted(name)}\n    config_dir: {_quoted(str(folder))}"
    if as_json:
        print_json({"done": done, "yaml": yaml, "next": _login(config, folder)})
        return
    for sentence in done:
        click.echo(sentence)
    click.echo(f"\nadd to accounts: in {config.file}\n\n{yaml}\n\nthen {_login(config, folder)}")


def _folders(config: Config) -> list[Path]:
    return sorted({session.project for session in config.sessions} | set(config.projects))


def _login(config: Config, folder: Path) -> str:
    command = f"CLAUDE_CONFIG_DIR={shlex.quote(str(folder))} {shlex.quote(config.claude.command)}"
    return f"log in by hand with: {command}, then /login"


def _quoted(text: str) -> str:
    return msgspec.json.encode(text).decode()


def _expiry(one: Finding) -> str:
    return span(one.expires_at - time.time()) if one.expires_at is not None else "-"
