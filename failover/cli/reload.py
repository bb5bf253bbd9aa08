"""`claude-failover config reload`: every role reads the configuration again, one after another."""

from __future__ import annotations

import signal
import time

import msgspec

from failover.config import Config
from failover.errors import HostError, UsageError
from failover.host import daemon, process
from failover.host.process import ProcessId
from failover.reloading import AT_START, sections
from failover.runtime import OLD_STAYS
from failover.store.db import Store

_LOOK = 0.03


class Reloaded(msgspec.Struct, frozen=True):
    """What became of it. roles: that took it; changed: top-level keys that are different now; at_next_start: those of
    them that count for a running session only when it is next started."""

    sentence: str
    roles: tuple[str, ...]
    changed: tuple[str, ...]
    at_next_start: tuple[str, ...]


class _Row(msgspec.Struct, frozen=True):
    role: str
    boot: str
    pid: int
    start: int
    at_ms: int
    did: str
    config: str


def reload(config: Config, store: Store, wait: float) -> Reloaded:
    """Ask each role of the running daemon to read the file again, and wait until it has.

    wait: seconds. Raises HostError when no daemon runs or a role does not report in time; UsageError when a role
    cannot take it: then all keep the old one, since what stands against it is the same for all.
    """
    if daemon.find(config.paths) is None:
        raise HostError(
            f"{config.state_dir}: no daemon runs there, so there is nothing to reload; start it with: "
            "claude-failover up"
        )
    new, changed, until = sections(config), set[str](), time.monotonic() + wait
    for role in daemon.ROLES:
        before = _row(store, role)
        if before is None or not process.alive(ProcessId(before.pid, before.start)):
            continue  # it is just being started, and reads the file as it is now
        had = msgspec.json.decode(before.config, type=dict[str, str])
        changed |= {key for key, print_ in new.items() if had.get(key) != print_}
        process.send_signal(ProcessId(before.pid, before.start), signal.SIGHUP)
        _await(store, before, until)
    at_start = tuple(key for key in AT_START if key in changed)
    words = [f"{len(daemon.ROLES)} roles have taken {config.file}"]
    words.append("changed: " + ", ".join(sorted(changed)) if changed else "nothing in it had changed")
    if at_start:
        words.append(
            f"{' and '.join(at_start)}: sessions that run have it when they are next started (claude-failover sessions"
            " restart)"
        )
    return Reloaded("; ".join(words), daemon.ROLES, tuple(sorted(changed)), at_start)


def _row(store: Store, role: str) -> _Row | None:
    rows = store.query("SELECT role, boot, pid, start, at_ms, did, config FROM roles WHERE role = ?", (role,))
    return msgspec.convert(dict(rows[0]), _Row) if rows else None


def _await(store: Store, before: _Row, until: float) -> None:
    while True:
        now = _row(store, before.role)
        if now is not None and now.boot != before.boot:
            return
        if now is not None and now.at_ms != before.at_ms and now.did.startswith(OLD_STAYS):
            raise UsageError(now.did)
        if time.monotonic() > until:
            raise HostError(f"{before.role} has not taken the configuration in time; see: claude-failover status")
        time.sleep(_LOOK)
