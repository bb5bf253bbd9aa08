"""`claude-failover pause` and `resume`."""

from __future__ import annotations

import click

from failover.cli.shared import Cli, json_option, print_json


@click.command("pause")
@json_option
@click.pass_obj
def pause_command(cli: Cli, as_json: bool) -> None:
    """Start and move nothing until resume. Everything is still watched, and orders of your own are refused too."""
    _send(cli, "pause", as_json)


@click.command("resume")
@json_option
@click.pass_obj
def resume_command(cli: Cli, as_json: bool) -> None:
    """Lift the pause."""
    _send(cli, "resume", as_json)


def _send(cli: Cli, verb: str, as_json: bool) -> None:
    from failover.cli.control import by, post

    answer = post(cli, "/v1/orders", {"verb": verb, "by": by()})
    if as_json:
        print_json(answer)
    else:
        click.echo(answer["sentence"])
