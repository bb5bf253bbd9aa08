"""`claude-failover page`."""

from __future__ import annotations

import http.client
import json
import os
import webbrowser
from pathlib import Path

import click

from failover.cli.shared import Cli, json_option, print_json
from failover.config import Config
from failover.errors import HostError, UsageError
from failover.http.auth import token
from failover.paths import Paths

#: How long the control plane is waited for (seconds).
_PATIENCE = 5.0


@click.command("page")
@click.option("--open", "opened", is_flag=True, help="Open it in a browser.")
@click.option("--read", is_flag=True, help="With the token that may only read.")
@json_option
@click.pass_obj
def page_command(cli: Cli, opened: bool, read: bool, as_json: bool) -> None:
    """Print the address of the page, with a token in it: whoever has the address has the token."""
    config = cli.config
    place = _place(config)
    secret = token(config.paths.token_file, "read" if read else "operate")
    address = f"http://{place}/#token={secret}"
    if not _answers(place):
        raise HostError(f"nobody answers at http://{place}/; start the daemon with: claude-failover up")
    started = opened and webbrowser.open(_leading_to(config.paths, address).as_uri())
    if as_json:
        print_json({"address": address, "scope": "read" if read else "operate", "opened": bool(started)})
    else:
        click.echo(address)
    if opened and not started:
        raise HostError("no browser could be started; open the address in one of your own")


def _place(config: Config) -> str:
    """Return host and port. An address that means all of this host's is reached as localhost."""
    listen = config.http
    if not listen.port:
        raise UsageError(f"{config.file}: http.listen names no port, so nobody knows the address beforehand; name one")
    if listen.host in ("0.0.0.0", "::"):
        return f"localhost:{listen.port}"
    return f"[{listen.host}]:{listen.port}" if ":" in listen.host else f"{listen.host}:{listen.port}"


def _answers(place: str) -> bool:
    """Say whether it is the control plane that listens there."""
    connection = http.client.HTTPConnection(place, timeout=_PATIENCE)
    try:
        connection.request("GET", "/healthz")
        return json.loads(connection.getresponse().read()).get("ok") is True
    except (OSError, http.client.HTTPException, ValueError, AttributeError):
        return False
    finally:
        connection.close()


def _leading_to(paths: Paths, address: str) -> Path:
    """Return a file that leads a browser to the address. On the browser's command line all users could read it."""
    file = paths.run_dir / "page.html"
    part = file.with_name(f"{file.name}.{os.getpid()}")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as handle:
        handle.write(
            f'<!doctype html><meta charset="utf-8"><meta name="referrer" content="no-referrer">'
            f'<meta http-equiv="refresh" content="0; url={address}"><a href="{address}">claude-failover</a>\n'
        )
    part.replace(file)
    return file
