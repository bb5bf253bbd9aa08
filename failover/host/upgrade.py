"""Take a running daemon over to this program: role by role, each waited for, under the supervisord that runs.

The bus goes first: while it is away events are lost, and every role that is started after it looks at everything anew.
A role is replaced as supervisorctl's `update` does it, so its command and its place may be others than before; what a
kill of `up` leaves half done, the next `up` goes on with.
"""

from __future__ import annotations

import platform
import sys
import time
import xmlrpc.client
from collections.abc import Callable, Iterable
from hashlib import blake2b
from importlib import metadata
from pathlib import Path
from typing import Any

import msgspec

from failover.errors import HostError
from failover.host import daemon, supervise
from failover.host.process import ProcessId, alive, cmdline
from failover.paths import Paths
from failover.program import version
from failover.store.db import Store

_LOOK = 0.03
#: The longest answer: a role that does not end has stopwaitsecs (10 s) until it is killed.
_ANSWER_WITHIN = 30.0
_BAD_NAME, _NOT_RUNNING, _STILL_RUNNING = 10, 70, 91  # supervisor.xmlrpc.Faults, 4.3.0
_NOTIFIER = "service"


class Plan(msgspec.Struct, frozen=True):
    """What has to be replaced. anew: supervisord itself; late: roles that do not run this program as this conf has it;
    gone: programs that there are no more."""

    anew: bool
    late: tuple[str, ...]
    gone: tuple[str, ...] = ()


def runs_on() -> str:
    """Return what a supervisord started now would be made of, in a line for its configuration."""
    own = blake2b(Path(supervise.__file__).read_bytes(), digest_size=4).hexdigest()
    return f"{sys.executable}, Python {platform.python_version()}, supervisor {metadata.version('supervisor')}, {own}"


def is_ours(paths: Paths, supervisor: ProcessId) -> bool:
    """Say whether a supervisord was started with the file that `up` writes."""
    return str(daemon.conf_file(paths)) in cmdline(supervisor)


def plan(paths: Paths, store: Store, supervisor: ProcessId, program: str) -> Plan:
    """Write the configuration anew and return what has to be replaced. Raises HostError.

    Nothing is written where supervisord itself has to go: it is told from what stands there.
    """
    was = daemon.read_conf(paths)
    now = daemon.conf_text(paths, was.notifying, was.foreground)
    if daemon.own_settings(was.text) != daemon.own_settings(now):
        return Plan(True, daemon.ROLES)
    daemon.write_conf(paths, was.notifying, was.foreground)
    added, changed, gone = _ask(paths, lambda supervisord: supervisord.reloadConfig())[0]
    late = daemon.late(paths, store, supervisor, program) | {*added, *changed}
    if was.notifying and late:
        late.add(_NOTIFIER)  # it has no row that would tell
    return Plan(False, tuple(name for name in (*daemon.ROLES, _NOTIFIER) if name in late), tuple(gone))


def replace(
    paths: Paths,
    store: Store,
    supervisor: ProcessId,
    plan: Plan,
    program: str,
    wait: float,
    tell: Callable[[str], None],
) -> None:
    """Replace roles one after another. wait: seconds for each until it is ready.

    Raises HostError at the first that does not come back: those after it are left as they are.
    """
    for name in plan.gone:
        _take_away(paths, name)
    for done, name in enumerate(plan.late):
        tell(f"upgrading: {done} of {len(plan.late)} done; {name}")
        _take_away(paths, name)
        _ask(paths, lambda supervisord, name=name: supervisord.addProcessGroup(name))  # type: ignore[misc]
        _await(paths, store, supervisor, name, program, time.monotonic() + wait, plan.late[done + 1 :])


def _take_away(paths: Paths, name: str) -> None:
    """Stop a program and take it out of supervisord, whatever became of it before."""
    _ask(paths, lambda supervisord: supervisord.stopProcess(name), _NOT_RUNNING, _BAD_NAME)
    until = time.monotonic() + _ANSWER_WITHIN
    while _ask(paths, lambda supervisord: supervisord.removeProcessGroup(name), _STILL_RUNNING, _BAD_NAME) == (
        _STILL_RUNNING
    ):
        if time.monotonic() > until:
            raise HostError(f"{name} does not end; see {paths.log_dir / 'supervisord.log'}")
        time.sleep(_LOOK)


def _await(
    paths: Paths, store: Store, supervisor: ProcessId, name: str, program: str, until: float, rest: Iterable[str]
) -> None:
    while True:
        if not alive(supervisor):
            raise HostError(f"supervisord ended in the upgrade; see {paths.log_dir}; then: claude-failover up")
        running = daemon.programs(paths).get(name) == "RUNNING"
        if running and (name == _NOTIFIER or name not in daemon.late(paths, store, supervisor, program)):
            return
        if time.monotonic() > until:
            left = [role for role in rest if role != _NOTIFIER]
            waiting = f"; left as they were: {', '.join(left)}" if left else ""
            raise HostError(
                f"the upgrade to {version(program)} stopped at {name}, which is not ready in time: "
                f"{daemon.last_line(paths.log_dir / f'{name}.log')}{waiting}. Mend that and go on with: "
                "claude-failover up; or install the release before this one and go back with: claude-failover up"
            )
        time.sleep(_LOOK)


def _ask(paths: Paths, question: Callable[[Any], Any], *expected: int) -> Any:
    """Return supervisord's answer, or the number of a fault that is expected. Raises HostError."""
    try:
        return question(daemon.supervisord(paths, _ANSWER_WITHIN))
    except xmlrpc.client.Fault as fault:
        if fault.faultCode in expected:
            return fault.faultCode
        raise HostError(
            f"supervisord refused: {fault.faultString}; start the daemon anew: claude-failover down, then up"
        ) from None
    except (OSError, xmlrpc.client.Error) as error:
        raise HostError(
            f"{paths.supervisor_socket}: supervisord does not answer ({error}); start the daemon anew: claude-failover "
            "down, then up"
        ) from None
