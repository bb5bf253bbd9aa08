"""`claude-failover pause` and `resume`."""

from __future__ import annotations

import click

from failover.cli.shared import Cli, json_option, manual, print_json


@click.command(
    "pause",
    epilog=manual(
        {"pause": "before work on the host", "resume": "after it"},
        note="An ordered swap that is under way is finished; in one of the policy's, sessions that were not stopped yet"
        " stay. Ends with 0 also when it was paused already.",
    ),
)
@json_option
@click.pass_obj
def pause_command(cli: Cli, as_json: bool) -> None:
    """Start and move nothing until resume. Everything is still watched, and orders of your own are refused too."""
    _send(cli, "pause", as_json)


@click.command("resume", epilog=manual({"resume": "let the policy and orders act again"}))
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
