"""Tell the service manager that the daemon is ready, and feed its watchdog while all roles live.

Run by supervisord beside the roles where `up --foreground` was started with NOTIFY_SOCKET (sd_notify(3)):

    python -m failover.host.service_notify STATE_DIR

Nothing else depends on it; supervisord starts it again when it ends.
"""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Mapping
from contextlib import closing, suppress
from pathlib import Path

from failover.errors import FailoverError
from failover.host import daemon
from failover.host.process import PARENT_VARIABLE, ProcessId, die_with_parent, identify
from failover.paths import Paths
from failover.store.db import Store

#: What `up --foreground` makes of NOTIFY_SOCKET and WATCHDOG_USEC. Under their own names sessions would inherit them.
SOCKET, WATCHDOG = "CLAUDE_FAILOVER_NOTIFY", "CLAUDE_FAILOVER_WATCHDOG_USEC"
#: How often the roles are looked at: until they are ready, while one is missing, and without a watchdog (seconds).
_STARTING, _MISSING, _AT_REST = 0.1, 1.0, 20.0


def handed_over(environ: Mapping[str, str]) -> dict[str, str]:
    """Return an environment with the service manager's own variables under our names, or gone."""
    gone = (
        "NOTIFY_SOCKET",
        "WATCHDOG_USEC",
        "WATCHDOG_PID",
        "INVOCATION_ID",
        "JOURNAL_STREAM",
        "LISTEN_PID",
        "LISTEN_FDS",
    )
    kept = {name: value for name, value in environ.items() if name not in gone}
    if environ.get("NOTIFY_SOCKET"):
        kept[SOCKET] = environ["NOTIFY_SOCKET"]
        kept[WATCHDOG] = environ.get("WATCHDOG_USEC", "")
    return kept


def tell(address: str, text: str) -> None:
    """Send one message to the manager; one that does not listen is no error."""
    name = f"\0{address[1:]}" if address.startswith("@") else address
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as sender, suppress(OSError):
        sender.sendto(text.encode(), name)


def main() -> None:
    """Run until the daemon ends."""
    parent = int(os.environ[PARENT_VARIABLE])
    die_with_parent(parent)
    paths, supervisor = Paths(Path(sys.argv[1])), identify(parent)
    if supervisor is None:
        return
    address, watchdog = os.environ[SOCKET], os.environ.get(WATCHDOG, "")
    interval = int(watchdog) / 1e6 / 3 if watchdog.isdigit() and int(watchdog) else _AT_REST
    ready, said = False, ""
    while True:
        late = _late(paths, supervisor)
        status = f"STATUS={'not running: ' + ', '.join(late) if late else f'all {len(daemon.ROLES)} roles run'}"
        lines = [status] if status != said else []
        if not late:
            lines += ["WATCHDOG=1"] if ready else ["READY=1", "WATCHDOG=1"]
            ready = True
        if lines:
            tell(address, "\n".join(lines))
        said = status
        time.sleep(min(interval, _MISSING if ready else _STARTING) if late else interval)


def _late(paths: Paths, supervisor: ProcessId) -> list[str]:
    try:
        with closing(Store.read_only(paths.store)) as store:
            return sorted(daemon.late(paths, store, supervisor))
    except FailoverError:
        return list(daemon.ROLES)


if __name__ == "__main__":
    main()
