"""`claude-failover up`: start the daemon and wait until every role is ready."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import NoReturn

import click

from failover.cli.down import down
from failover.cli.shared import Cli, interruptible, json_option, manual, print_json
from failover.config import Config
from failover.errors import HostError, Refused
from failover.host import daemon, service_notify, supervise, upgrade
from failover.host.lock import RoleLock
from failover.host.process import PARENT_VARIABLE, ProcessId, alive, host_boot_id, identify
from failover.paths import Paths
from failover.program import program
from failover.store.db import Store

_POLL_EVERY = 0.03
#: The roles must know their supervisord's number from the start, to end with it (see process.die_with_parent).
_START = f'{PARENT_VARIABLE}=$$; export {PARENT_VARIABLE}; exec "$@"'


@click.command(
    "up",
    epilog=manual(
        {
            "up": "start supervisord with the nine roles",
            "up --wait 60": "on a busy machine",
            "up && claude-failover sessions launch": "and the sessions",
        },
        note="A daemon of another version of this program is upgraded: its roles are started anew one after another,"
        " each waited for; the sessions go on. Ends with 3 when a daemon of this very version serves the state dir"
        " already, with 1 when a role is not ready in time: the message says which one and what it last logged; the"
        " others go on.",
    ),
)
@click.option(
    "--wait", default=30.0, show_default=True, help="Seconds until every role must be ready; in an upgrade, for each."
)
@click.option("--foreground", is_flag=True, help="Become the daemon: for systemd, launchd, a container.")
@click.option("--if-down", is_flag=True, help="Do nothing, and succeed, when it runs already: for cron.")
@json_option
@click.pass_obj
def up_command(cli: Cli, wait: float, foreground: bool, if_down: bool, as_json: bool) -> None:
    """Start the daemon, or upgrade the one that runs, and wait until every role is ready. Sessions that run already are
    taken over as they are."""
    from failover.cli.progress import ticker

    if foreground:
        become(cli.config)
    if if_down and (running := daemon.find(cli.config.paths)):
        sentence = f"Up already (supervisord, process {running.pid})"
    else:
        going_on = "the daemon goes on starting; see: claude-failover status, or end it with: claude-failover down"
        with interruptible(going_on), ticker(quiet=as_json) as tell:
            sentence = up(cli.config, wait=wait, tell=tell)
    if as_json:
        print_json({"sentence": sentence})
    else:
        click.echo(sentence)


def up(config: Config, *, wait: float = 30.0, tell: Callable[[str], None] = lambda text: None) -> str:
    """Start supervisord with the nine roles, wait up to `wait` seconds until all are ready, and say so. One that runs
    another version of this program is taken over to this one.

    tell: hears who is still waited for.

    What runs already (sessions, their tmux server) is found by the roles and left as it is. The tmux server is not
    started here: it comes with the first session and makes itself a session leader outside our process group.
    Raises Refused when a daemon of this version serves the state dir already, or one that its service manager has to
    start anew; StoreError when the store is damaged; HostError when a role does not get ready (the others go on).
    """
    began = time.monotonic()
    paths = config.paths
    with _checked(config, upgrading=True) as running:
        replaced = _upgrade(paths, running, wait, tell) if running else 0
        if not replaced:
            if running:
                down(config, tell)
            supervisor = _start(config, paths)
            _await_ready(paths, supervisor, time.monotonic() + wait, tell)
    took = time.monotonic() - began
    if running:
        what = "all roles, and supervisord too"
        if replaced:
            what = f"{replaced} processes, one after another" if replaced > 1 else "1 process"
        return f"Upgraded to {program()} in {took:.1f} s: {what}; the sessions go on"
    return (
        f"Up in {took:.1f} s: {len(daemon.ROLES)} roles run under supervisord (process {supervisor.pid}), "
        f"state in {paths.state_dir}"
    )


def become(config: Config) -> NoReturn:
    """Become supervisord, as the same process: whoever started this one sees the daemon's end.

    A service manager that left its socket in NOTIFY_SOCKET is told when all roles are ready, and that they live.
    Raises as `up` does, except for roles that do not get ready.
    """
    paths = config.paths
    environment = service_notify.handed_over(os.environ)
    with _checked(config):
        conf = daemon.write_conf(paths, notifying=service_notify.SOCKET in environment, foreground=True)
    environment |= {"FAILOVER_CONFIG": str(config.file), PARENT_VARIABLE: str(os.getpid())}
    click.echo(f"supervisord with {len(daemon.ROLES)} roles; their logs: {paths.log_dir}")
    sys.stdout.flush()
    os.execve(sys.executable, _command(conf), environment)


def _on_a_known_system(config: Config) -> None:
    if sys.platform == "darwin" and config.macos != "untried":
        raise HostError(
            "the daemon has never been tried on macOS (docs/macos.md); to try it, write `macos: untried` in "
            f"{config.file}"
        )
    if sys.platform not in ("linux", "darwin"):
        raise HostError(f"the daemon runs on Linux, and this is {sys.platform}; run it on a Linux host")


@contextlib.contextmanager
def _checked(config: Config, upgrading: bool = False) -> Iterator[ProcessId | None]:
    """See that a daemon can be started, or upgraded, and keep others from that meanwhile. Give the supervisord that
    runs. Raises as `up` does."""
    _on_a_known_system(config)
    paths = config.paths
    paths.ensure()
    if shutil.which("tmux") is None:
        raise HostError("tmux is not installed; install it (apt install tmux, brew install tmux), 3.2 or newer")
    with RoleLock(paths.locks_dir / "up.lock"):
        running = daemon.find(paths)
        if running and not (upgrading and upgrade.is_ours(paths, running)):
            raise _refused(paths, running)
        with closing(Store.open(paths.store, "up")) as store:
            _check_after_boot(paths, store)
        yield running


def _refused(paths: Paths, running: ProcessId) -> Refused:
    return Refused(
        f"{paths.state_dir}: a daemon already runs there (supervisord, process {running.pid}); "
        "end it first with: claude-failover down"
    )


def _upgrade(paths: Paths, running: ProcessId, wait: float, tell: Callable[[str], None]) -> int:
    """Take a running daemon over to this program; return how many processes were replaced, 0 when supervisord has to be
    started anew too. Raises Refused when there is nothing to do, or somebody else has to do that."""
    with closing(Store.read_only(paths.store)) as store:
        plan = upgrade.plan(paths, store, running, program())
        if plan.anew and daemon.read_conf(paths).foreground:
            raise Refused(
                f"supervisord itself (process {running.pid}) has to be started anew for {program()}; whoever started "
                "it has to do that, with systemd: systemctl --user restart claude-failover. The sessions go on"
            )
        if not plan.anew and not plan.late and not plan.gone:
            raise _refused(paths, running)
        if not plan.anew:
            upgrade.replace(paths, store, running, plan, program(), wait, tell)
    return 0 if plan.anew else len(plan.late)


def _command(conf: Path) -> list[str]:
    return [sys.executable, "-P", supervise.__file__, "-n", "-c", str(conf)]


def _check_after_boot(paths: Paths, store: Store) -> None:
    """Read the whole store once after each start of the host: a power loss is what tears files.

    Raises StoreError when it is damaged.
    """
    mark, boot = paths.run_dir / "store-checked", host_boot_id()
    with contextlib.suppress(OSError):
        if mark.read_text() == boot:
            return
    store.check()
    mark.write_text(boot)


def _start(config: Config, paths: Paths) -> ProcessId:
    conf = daemon.write_conf(paths)
    environment = {**os.environ, "FAILOVER_CONFIG": str(config.file)}
    with (paths.log_dir / "supervisord.out").open("wb") as output:
        started = subprocess.Popen(
            ["/bin/sh", "-c", _START, "sh", *_command(conf)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            env=environment,
        )
    process = identify(started.pid)
    if process is None:
        raise HostError(f"supervisord ended at once; see {paths.log_dir / 'supervisord.out'}")
    return process


def _await_ready(paths: Paths, supervisor: ProcessId, until: float, tell: Callable[[str], None]) -> None:
    """Wait until each role has a row of a process under this supervisord, and supervisord calls it RUNNING."""
    with closing(Store.read_only(paths.store)) as store:
        while True:
            if not alive(supervisor):
                raise HostError(f"supervisord ended: {daemon.last_line(paths.log_dir / 'supervisord.out')}")
            late = daemon.late(paths, store, supervisor)
            if not late:
                return
            tell(f"starting: {len(daemon.ROLES) - len(late)} of {len(daemon.ROLES)} ready; {', '.join(sorted(late))}")
            if time.monotonic() > until:
                told = "; ".join(f"{role}: {daemon.last_line(paths.log_dir / f'{role}.log')}" for role in sorted(late))
                raise HostError(f"not ready in time: {told}. The rest runs; end it with: claude-failover down")
            time.sleep(_POLL_EVERY)
