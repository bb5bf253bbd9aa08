"""`claude-failover down`: end the daemon; the sessions go on."""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Callable
from contextlib import closing

import click

from failover.cli.shared import Cli, interruptible, json_option, manual, print_json
from failover.config import Config
from failover.errors import HostError
from failover.host import daemon
from failover.host.process import ProcessId, alive, children, open_end, send_signal
from failover.paths import Paths
from failover.store.db import Store

#: supervisord.conf gives a role 10 s (stopwaitsecs) before it is killed.
_WAIT = 30.0


@click.command(
    "down",
    epilog=manual(
        {
            "down": "stop all roles; sessions, panes and conversations go on",
            "down && claude-failover up": "start it anew",
        },
        note="Ends with 1 when something is still there after 30 s, and names it.",
    ),
)
@json_option
@click.pass_obj
def down_command(cli: Cli, as_json: bool) -> None:
    """Stop the daemon. The sessions go on, unwatched, until the next `up` takes them over."""
    from failover.cli.progress import ticker

    with interruptible("the daemon goes on stopping; see: claude-failover status"), ticker(quiet=as_json) as tell:
        sentence = down(cli.config, tell)
    if as_json:
        print_json({"sentence": sentence})
    else:
        click.echo(sentence)


def down(config: Config, tell: Callable[[str], None] = lambda text: None) -> str:
    """End supervisord and all roles, wait until they are gone, and say so. Sessions are not touched.

    tell: hears what is still waited for.

    Raises HostError when something is still there after 30 s.
    """
    began = time.monotonic()
    paths = config.paths
    supervisor = daemon.find(paths)
    # Without a supervisord there may be roles whose supervisord was killed just now, or that a person started.
    everyone = {*_roles(paths), *(children(supervisor.pid) if supervisor else ())}
    if supervisor is None and not everyone:
        return f"Nothing runs for {paths.state_dir}"
    if supervisor is not None:
        send_signal(supervisor, signal.SIGTERM)
        everyone.add(supervisor)
    # supervisord alone would stop one role per turn of its loop, up to 1 s each. It has its own signal already, so it
    # starts none of them again.
    for process in everyone:
        if process != supervisor:
            send_signal(process, signal.SIGTERM)
    for ended, process in enumerate(everyone):
        tell(f"stopping: {len(everyone) - ended} of {len(everyone)} processes are still there")
        _await_death(process, began + _WAIT)
    return f"Down in {time.monotonic() - began:.1f} s; the sessions go on"


def _roles(paths: Paths) -> list[ProcessId]:
    if not paths.store.exists():
        return []
    with closing(Store.read_only(paths.store, any_layout=True)) as store:
        rows = store.query("SELECT pid, start FROM roles")
    return [process for row in rows if alive(process := ProcessId(row["pid"], row["start"]))]


def _await_death(process: ProcessId, until: float) -> None:
    descriptor = open_end(process)
    if descriptor is None:
        return
    with os.fdopen(descriptor) as file:
        poller = select.poll()
        poller.register(file, select.POLLIN)
        if not poller.poll(max(0.0, until - time.monotonic()) * 1000):
            raise HostError(f"process {process.pid} does not end; look at it, then: kill -9 {process.pid}")
