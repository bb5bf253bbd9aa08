"""`claude-failover token …`."""

from __future__ import annotations

from typing import cast

import click

from failover.cli.shared import Cli, json_option, print_json
from failover.http import auth


@click.group("token")
def token_group() -> None:
    """Show the bearer tokens of the HTTP address, or replace them."""


_scope = click.option(
    "--scope", type=click.Choice(auth.SCOPES), help="read: changes nothing; operate: gives orders too."
)


@token_group.command("show")
@_scope
@json_option
@click.pass_obj
def show_command(cli: Cli, scope: str | None, as_json: bool) -> None:
    """Print the tokens, or that of one scope alone. They are in the file token in the state_dir."""
    _say(auth.tokens(cli.config.paths.token_file), scope, as_json)


@token_group.command("rotate")
@_scope
@json_option
@click.pass_obj
def rotate_command(cli: Cli, scope: str | None, as_json: bool) -> None:
    """Replace both tokens, or that of one scope. The old ones are worth nothing from now on; nothing is printed but
    that (with --json, the new ones)."""
    chosen = (cast(auth.Scope, scope),) if scope else auth.SCOPES
    new = auth.rotate(cli.config.paths.token_file, chosen)
    if as_json:
        print_json({name: new[name] for name in chosen})
    else:
        said = "the token is" if scope else "both tokens are"
        click.echo(f"{said} replaced; see: claude-failover token show" + (f" --scope {scope}" if scope else ""))


def _say(found: dict[auth.Scope, str], scope: str | None, as_json: bool) -> None:
    if as_json:
        print_json({scope: found[cast(auth.Scope, scope)]} if scope else found)
    elif scope:
        click.echo(found[cast(auth.Scope, scope)])
    else:
        click.echo("".join(f"{name} {secret}\n" for name, secret in found.items()), nl=False)
