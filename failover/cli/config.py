"""`claude-failover config …`."""

from __future__ import annotations

import click

from failover.cli.shared import Cli, json_option, print_json
from failover.errors import HostError, UsageError


@click.group("config")
def config_group() -> None:
    """Check the configuration, and let the daemon take a changed one."""


@config_group.command("check")
@json_option
@click.pass_obj
def check_command(cli: Cli, as_json: bool) -> None:
    """Read the configuration and say what is wrong with it, and what looks wrong without being so."""
    import shutil

    config, warnings = cli.config, []
    for name, project in [(f"session {session.name}", session.project) for session in config.sessions] + [
        ("projects", project) for project in config.projects
    ]:
        if not project.is_dir():
            warnings.append(f"{name}: the project {project} does not exist")
    for account in config.accounts:
        if not account.config_dir.is_dir():
            warnings.append(
                f"account {account.name}: {account.config_dir} does not exist; make it ready with:"
                " claude-failover accounts link"
            )
        try:
            account.login.check()
        except HostError as error:
            raise UsageError(f"account {account.name}: {error}") from None
    if config.http.tls:
        from failover.http.tls import tls_context

        tls_context(config.http.tls)
    if shutil.which(config.claude.command) is None:
        warnings.append(f"claude.command: there is no program {config.claude.command}")
    if len([account for account in config.accounts if account.enabled]) < 2:
        warnings.append("accounts: only one is enabled, so there is nowhere to fail over to")
    if as_json:
        print_json({"file": str(config.file), "ok": True, "warnings": warnings})
        return
    for warning in warnings:
        click.echo(f"warning: {warning}")
    click.echo(f"{config.file}: good; {len(config.accounts)} accounts, {len(config.sessions)} sessions")


@config_group.command("reload")
@click.option("--wait", default=20.0, show_default=True, help="Seconds in which every role must have taken it.")
@json_option
@click.pass_obj
def reload_command(cli: Cli, wait: float, as_json: bool) -> None:
    """Let the running daemon take the changed file. Sessions notice nothing.

    Roles are started anew in their processes, one after another. With an error in the file nothing is changed.
    """
    from failover.cli.reload import reload

    told = reload(cli.config, cli.store, wait)
    if as_json:
        print_json(told)
    else:
        click.echo(told.sentence)
