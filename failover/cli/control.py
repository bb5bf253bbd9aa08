"""Orders to the running daemon, over its Unix socket; and waiting for what becomes of them."""

from __future__ import annotations

import getpass
import http.client
import json
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from failover.cli.shared import Cli, interruptible, print_json
from failover.errors import FailoverError, HostError, Refused, UsageError
from failover.store import orders
from failover.store.db import Store

#: How long the control plane may be away (it is started anew within 2.5 s), in seconds.
_PATIENCE = 5.0
#: The same while its supervisord lives: on a busy machine the start takes longer.
_LONGEST_PATIENCE = 20.0
#: How often the store is looked at while an order is carried out, in seconds.
_LOOK = 0.1
#: How often it is asked meanwhile whether there is a daemon at all, and how long it may be away, in seconds: an upgrade
#: of supervisord itself takes some.
_ASK_EACH, _GONE_FOR = 2.0, 30.0


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("failover", timeout=10)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def post(cli: Cli, route: str, body: dict[str, Any]) -> dict[str, Any]:
    """Send an order and return the answer.

    A daemon that does not listen is tried again for 5 s (20 s while its supervisord lives): then HostError. An order
    that may have been received is never sent a second time. What the daemon refuses is raised as it would be here.
    """
    path, began = cli.config.paths.control_socket, time.monotonic()
    while True:
        connection = _UnixConnection(path)
        try:
            connection.connect()
            break
        except OSError as error:
            waited = time.monotonic() - began
            if waited > _LONGEST_PATIENCE or (waited > _PATIENCE and not _is_up(cli)):
                raise HostError(
                    f"{path}: nobody answers ({error.strerror}); start the daemon with: claude-failover up"
                ) from None
            time.sleep(_LOOK)
    try:
        connection.request("POST", route, json.dumps(body), {"Content-Type": "application/json"})
        response = connection.getresponse()
        answer: dict[str, Any] = json.loads(response.read())
    except (OSError, http.client.HTTPException, ValueError):
        raise HostError(
            "the control plane went away before it answered; see with claude-failover status whether the order came in"
        ) from None
    finally:
        connection.close()
    if response.status < 300:
        return answer
    sentence = str(answer.get("detail", response.reason))
    if response.status == 409:
        raise Refused(sentence)
    raise UsageError(sentence) if response.status < 500 else FailoverError(sentence)


def _is_up(cli: Cli) -> bool:
    from failover.host import daemon

    try:
        return daemon.find(cli.config.paths) is not None
    except HostError:
        return False


def order(
    cli: Cli,
    verb: str,
    args: dict[str, Any],
    as_json: bool,
    *,
    wait: bool = True,
    shown: Callable[[orders.OrderResult], str] | None = None,
) -> None:
    """Place an order, follow it to its end and say what became of it. Raises Refused or FailoverError.

    shown: makes what is printed of the result, also of one that is not done; without it, its sentence when it is.
    """
    number = int(post(cli, "/v1/orders", {"verb": verb, "args": args, "by": by()})["order"])
    if not wait:
        print_json({"order": number}) if as_json else click.echo(f"order {number} is placed")
        return
    from failover.cli import progress

    going_on = f"order {number} goes on; see: claude-failover status, claude-failover events --topic operator"
    with (
        interruptible(going_on),
        progress.order(cli.store, number, verb, quiet=as_json or bool(args.get("dry_run"))) as look,
    ):
        result = wait_for_result(cli.store, number, _while_up(cli, number, look))
    if as_json:
        detail = json.loads(result.detail or "{}")
        print_json({"order": number, "outcome": result.outcome, "sentence": result.sentence, "detail": detail})
    elif shown is not None:
        click.echo(shown(result))
    elif result.outcome == "done":
        click.echo(result.sentence)
    if result.outcome != "done":
        raise Refused(result.sentence) if result.outcome == "refused" else FailoverError(result.sentence)


def _while_up(cli: Cli, number: int, look: Callable[[], None]) -> Callable[[], None]:
    """Return `look`, but for its HostError when the daemon has been gone for half a minute."""
    seen = asked = time.monotonic()

    def looking() -> None:
        nonlocal seen, asked
        look()
        if (now := time.monotonic()) - asked < _ASK_EACH:
            return
        asked = now
        if _is_up(cli):
            seen = now
        elif now - seen > _GONE_FOR:
            raise HostError(f"the daemon is gone; order {number} stands, and goes on with: claude-failover up")

    return looking


def wait_for_result(store: Store, number: int, look: Callable[[], None]) -> orders.OrderResult:
    """Return an order's result when it is there; `look` is called each time before. The order outlives a Ctrl-C."""
    while True:
        look()
        result = orders.result(store, number)
        if result is not None:
            return result
        time.sleep(_LOOK)


def by() -> str:
    """Return who gives an order, for people."""
    try:
        return f"{getpass.getuser()} at the command line"
    except (KeyError, OSError):
        return "the command line"
