"""`claude-failover accounts …`. Credentials are the binary's own business: none is read, copied or written here."""

from __future__ import annotations

import time
from pathlib import Path

import click
import msgspec

from failover.cli.completion import account_names
from failover.cli.shared import Cli, Duration, json_option, manual, print_json, span, table
from failover.config import Config
from failover.config_yaml import is_name
from failover.errors import FailoverError, UsageError


@click.group("accounts")
def accounts_group() -> None:
    """List, add, check, link, disable and enable accounts."""


@accounts_group.command(
    "list",
    epilog=manual(
        {"accounts list": "bars, resets, forecasts", "accounts list --csv": "for a spreadsheet, times in UTC"},
        {
            "used": "█ what is used, │ the threshold, · nothing is known",
            "resets": "when the window opens again",
            "read": "how old the reading is, and where it came from",
            "forecast": "when the threshold is reached (four times out of five within …)",
        },
    ),
)
@click.option("--csv", "as_csv", is_flag=True, help="Print one line per account and window.")
@json_option
@click.pass_obj
def list_command(cli: Cli, as_csv: bool, as_json: bool) -> None:
    """List accounts: what is used of each window, when it resets, what is to come, and what speaks against it.

    The bar's line is the threshold. Works while the daemon is down.
    """
    from failover.cli.account_table import account_csv, account_table
    from failover.http.account_views import accounts

    found = accounts(cli.config, cli.store, foreseen=True)
    if as_json:
        print_json(found)
    else:
        click.echo(account_csv(found) if as_csv else account_table(found, time.time()), nl=not as_csv)


@accounts_group.command(
    "disable",
    epilog=manual(
        {
            "accounts disable backup --for 2h": "keep it for yourself until then",
            "accounts disable backup": "until: accounts enable backup",
        }
    ),
)
@click.argument("name", shell_complete=account_names)
@click.option("--for", "period", type=Duration(), help="How long, for example 2h; without it until it is enabled.")
@json_option
@click.pass_obj
def disable_command(cli: Cli, name: str, period: float | None, as_json: bool) -> None:
    """Take an account out of the choice: nothing is moved to it, no session is started on it.

    Sessions that run on it stay until a threshold is reached; `claude-failover swap` moves them at once.
    """
    _switch(cli, "disable", {"account": cli.config.account(name).name, "seconds": period or 0.0}, as_json)


@accounts_group.command("enable", epilog=manual({"accounts enable backup": "let it be chosen again"}))
@click.argument("name", shell_complete=account_names)
@json_option
@click.pass_obj
def enable_command(cli: Cli, name: str, as_json: bool) -> None:
    """Let an account be chosen again."""
    _switch(cli, "enable", {"account": cli.config.account(name).name}, as_json)


def _switch(cli: Cli, verb: str, args: dict[str, object], as_json: bool) -> None:
    from failover.cli.control import by, post

    answer = post(cli, "/v1/orders", {"verb": verb, "args": args, "by": by()})
    if as_json:
        print_json(answer)
    else:
        click.echo(answer["sentence"])


@accounts_group.command(
    "check",
    epilog=manual(
        {"accounts check": "all accounts", "accounts check backup --json": "one of them, for programs"},
        {"login": "who the binary says is logged in", "expires": "when that login ends", "state": "ok or failed"},
        note="Ends with 1 when an account is not ready; below the table stands why, and what to do.",
    ),
)
@click.argument("names", nargs=-1, shell_complete=account_names)
@json_option
@click.pass_obj
def check_command(cli: Cli, names: tuple[str, ...], as_json: bool) -> None:
    """Ask the binary who is logged in where, and see that nothing keeps an account from taking sessions."""
    from failover.cli.account_check import check

    config = cli.config
    chosen = {config.account(name).name for name in names} or {account.name for account in config.accounts}
    # All are asked, whatever was named: only then is it known whether two are one.
    findings = [finding for finding in check(config) if finding.name in chosen]
    if as_json:
        print_json(findings)
    else:
        rows = [
            (one.name, one.login or "-", one.subscription or one.kind, _expiry(one.expires_at),
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


@accounts_group.command(
    "link",
    epilog=manual(
        {"accounts link --dry-run": "what it would do", "accounts link backup": "one account"},
        note="Ends with 1 when names were left as they are since both sides have them.",
    ),
)
@click.argument("names", nargs=-1, shell_complete=account_names)
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@json_option
@click.pass_obj
def link_command(cli: Cli, names: tuple[str, ...], dry_run: bool, as_json: bool) -> None:
    """Link config dirs to the shared tree and seed what keeps dialogs away. Never overwrites anything."""
    from failover.claude import config_dir

    config = cli.config
    accounts = [config.account(name) for name in names] or list(config.accounts)
    done: dict[str, list[str]] = {}
    planned: list[config_dir.LinkStep] = []
    left = 0
    for account in accounts:
        # One after the other: the first may move into the shared tree what the second then collides with.
        steps = config_dir.plan(account.config_dir, config.shared_dir, planned)
        if dry_run:
            planned += steps
        else:
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
        told = "1 name was left as it is" if left == 1 else f"{left} names were left as they are"
        raise FailoverError(f"{told}: merge by hand what both sides have, then run this again")


@accounts_group.command(
    "add", epilog=manual({"accounts add backup ~/.claude-backup": "then log in there once, as it tells you"})
)
@click.argument("name")
@click.argument("config_dir", type=click.Path(path_type=Path))
@json_option
@click.pass_obj
def add_command(cli: Cli, name: str, config_dir: Path, as_json: bool) -> None:
    """Make a config dir ready for an account, and print the lines that the configuration needs."""
    from failover.claude import config_dir as link_farm
    from failover.cli.account_check import login_by_hand

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
        print_json({"done": done, "yaml": yaml, "next": login_by_hand(config, folder)})
        return
    for sentence in done:
        click.echo(sentence)
    click.echo(f"\nadd to accounts: in {config.file}\n\n{yaml}\n\nthen {login_by_hand(config, folder)}")


def _folders(config: Config) -> list[Path]:
    return sorted({session.project for session in config.sessions} | set(config.projects))


def _quoted(text: str) -> str:
    return msgspec.json.encode(text).decode()


def _expiry(at: float | None) -> str:
    return span(at - time.time()) if at is not None else "-"
