"""`claude-failover page`."""

from __future__ import annotations

import os
import webbrowser
from pathlib import Path

import click
import psutil

from failover.cli.shared import Cli, json_option, print_json
from failover.config_daemon import Http
from failover.errors import HostError, UsageError
from failover.host.process import ProcessId, alive
from failover.http.auth import token
from failover.paths import Paths

_ALL_ADDRESSES = ("0.0.0.0", "::")


@click.command("page")
@click.option("--open", "opened", is_flag=True, help="Open it in a browser.")
@click.option("--read", is_flag=True, help="With the token that may only read.")
@json_option
@click.pass_obj
def page_command(cli: Cli, opened: bool, read: bool, as_json: bool) -> None:
    """Print the address of the page, with a token in it: whoever has the address has the token."""
    config = cli.config
    scope = "read" if read else "operate"
    secret = token(config.paths.token_file, "read" if read else "operate")
    address = f"{_origin(config.http, _port(cli))}/#token={secret}"
    started = opened and webbrowser.open(_leading_to(config.paths, address).as_uri())
    if as_json:
        print_json({"address": address, "scope": scope, "opened": bool(started)})
    else:
        click.echo(address)
    if opened and not started:
        raise HostError("no browser could be started; open the address in one of your own")


def _port(cli: Cli) -> int:
    """Return the port of the control plane. Raises UsageError and HostError.

    Proven by the process that listens there: a page of somebody else's would be given the token.
    """
    config = cli.config
    if config.http.listen == "none":
        raise UsageError(f"{config.file}: http.listen is none, so there is no page; name an address there")
    row = cli.store.one("SELECT pid, start FROM roles WHERE role = 'control-plane'")
    try:
        if row is None or not alive(ProcessId(row["pid"], row["start"])):
            raise HostError("the control plane does not run; start the daemon with: claude-failover up")
        links = psutil.Process(row["pid"]).net_connections("tcp")
    except psutil.Error:
        raise HostError("the control plane ended just now; try again") from None
    ports = {link.laddr.port for link in links if link.status == psutil.CONN_LISTEN}
    if config.http.port:
        ports &= {config.http.port}
    if not ports:
        raise HostError(f"the control plane does not listen on {config.http.listen}; see: claude-failover status")
    return int(min(ports))


def _origin(http: Http, port: int) -> str:
    """Return how the control plane is addressed: by the first of its further names where it is there for others."""
    name = http.hosts[0] if http.tls and http.hosts else http.host
    if name in _ALL_ADDRESSES:
        name = "localhost"
    return f"{'https' if http.tls else 'http'}://{f'[{name}]' if ':' in name else name}:{port}"


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
