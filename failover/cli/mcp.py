"""`claude-failover mcp`."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

import click

from failover.cli.shared import Cli
from failover.errors import FailoverError, UsageError
from failover.http import auth
from failover.mcp import INSTALL

_TOKEN = re.compile(r"[A-Za-z0-9_-]{32,128}")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@click.command("mcp")
@click.option("--scope", type=click.Choice(["read", "operate"]), default="read", show_default=True,
              help="read: agents see; operate: they may give orders too.")  # fmt: skip
@click.option("--url", default="", help="Of a control plane elsewhere; without it, this host's Unix socket.")
@click.option("--token-file", type=click.Path(path_type=Path), help="With --url: a file with its token, mode 0600.")
@click.pass_obj
def mcp_command(cli: Cli, scope: str, url: str, token_file: Path | None) -> None:
    """Serve the pool to an agent over MCP, on standard input and output. Started by the agent's program, not by hand.

    The daemon need not run: until it does, every answer says so.
    """
    try:
        from failover.mcp.plane import Plane
        from failover.mcp.stdio import serve
    except ModuleNotFoundError as error:
        raise FailoverError(f"{INSTALL} ({error})") from None
    wanted = cast(auth.Scope, scope)
    if url:
        plane = Plane(_checked(url), None, _from_file(token_file, wanted))
    elif token_file:
        raise UsageError("--token-file is for --url; this host's control plane is asked through its Unix socket")
    else:
        paths = cli.config.paths
        # Without a token the socket would take orders, so one that only reads is shown even there.
        plane = Plane("http://failover", paths.control_socket, lambda: _quietly(paths.token_file, wanted))
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(plane, orders=scope == "operate"))


def _quietly(file: Path, scope: auth.Scope) -> str:
    """Return a token; one that nobody has where there is none, so that nothing is done with more rights than wanted."""
    try:
        return auth.token(file, scope)
    except FailoverError:
        return "none"


def _checked(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query:
        raise UsageError(f"--url {url!r}: write http://HOST:PORT or https://HOST:PORT")
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        raise UsageError(f"--url {url!r}: the token would cross the network in the clear; use https, or a tunnel")
    return url


def _from_file(file: Path | None, scope: auth.Scope) -> Callable[[], str]:
    """Return what reads the token: from a file with the token alone, or with a line for each scope."""
    if file is None:
        raise UsageError("--url needs --token-file: a file that holds the token of that control plane")

    def read() -> str:
        from failover.paths import require_private

        try:
            require_private(file)
            text = file.read_text().strip()
        except OSError as error:
            raise UsageError(f"{file}: {error.strerror}") from None
        if _TOKEN.fullmatch(text):
            return text
        return auth.token(file, scope)

    read()  # so that what is wrong is told at once
    return lambda: _or_none(read)


def _or_none(read: Callable[[], str]) -> str:
    try:
        return read()
    except FailoverError:
        return "none"
