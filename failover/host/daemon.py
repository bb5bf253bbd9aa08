"""The daemon of a state dir: its supervisord, and the file that it is started with."""

from __future__ import annotations

import contextlib
import http.client
import re
import shlex
import socket
import sys
import time
import xmlrpc.client
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from failover.errors import HostError
from failover.host.kernel import kernel
from failover.host.process import ProcessId, children, cmdline, identify
from failover.host.roles import ROLES as ROLES
from failover.paths import Paths

if TYPE_CHECKING:
    from failover.store.db import Store

_ANSWER_WITHIN = 2.0
_DEFAULT_STATE_DIR = "~/.local/state/claude-failover"


def conf_file(paths: Paths) -> Path:
    """Return where `write_conf` puts supervisord's configuration."""
    return paths.state_dir / "supervisord.conf"


#: Runs beside the roles where a service manager wants to be told of them.
_NOTIFIER = """
[program:service]
command=python -m failover.host.service_notify %(state)s
directory=%(here)s
priority=30
autorestart=true
startsecs=1
startretries=1000000
redirect_stderr=true
stdout_logfile=~/.local/state/claude-failover/log/service.log
stdout_logfile_maxbytes=1MB
stdout_logfile_backups=1
"""


#: Written into supervisord's own section: what it was started on, and by whom.
_RUNS_ON, _FOREGROUND = "; runs on ", "; started by up --foreground"


class Conf(msgspec.Struct, frozen=True):
    """A configuration as it was written. notifying, foreground: as for `conf_text`."""

    text: str
    notifying: bool
    foreground: bool


def read_conf(paths: Paths) -> Conf:
    """Return the configuration that supervisord was started with, an empty one when it is not there."""
    try:
        text = conf_file(paths).read_text()
    except OSError:
        text = ""
    return Conf(text, "\n[program:service]\n" in text, f"\n{_FOREGROUND}\n" in text)


def own_settings(text: str) -> list[str]:
    """Return the lines of a configuration that concern supervisord itself: for a change of them it is started anew."""
    own = "".join(part for part in re.split(r"^(?=\[)", text, flags=re.MULTILINE) if not part.startswith("[program:"))
    return [line for line in own.splitlines() if line.strip() and (line[0] != ";" or line.startswith(_RUNS_ON))]


def conf_text(paths: Paths, notifying: bool = False, foreground: bool = False) -> str:
    """Return supervisord's configuration for this state dir, this Python and this place.

    notifying: a service manager is told of the roles; foreground: whoever started it starts it again when it ends.
    """
    from failover.host import upgrade  # only `up` writes one

    package = resources.files("failover")
    text = package.joinpath("supervisord.conf").read_text()
    marks = f"{_RUNS_ON}{upgrade.runs_on()}\n" + (f"{_FOREGROUND}\n" if foreground else "")
    text = text.replace("[supervisord]\n", f"[supervisord]\n{marks}", 1)
    if notifying:
        text += _NOTIFIER.replace("%(state)s", shlex.quote(str(paths.state_dir)).replace("%", "%%"))
    values = {
        _DEFAULT_STATE_DIR: str(paths.state_dir),
        "%(here)s": str(Path(str(package)).parent),
        "command=python ": f"command={shlex.quote(sys.executable)} ",
    }
    for shipped, value in values.items():
        text = text.replace(shipped, value.replace("%", "%%"))
    return text


def write_conf(paths: Paths, notifying: bool = False, foreground: bool = False) -> Path:
    """Write what `conf_text` returns, and return its path. Raises HostError when it cannot be written."""
    text = conf_text(paths, notifying, foreground)
    file = conf_file(paths)
    # `up` alone writes it, under its lock: what a kill or a full disk left there is written over.
    temporary = file.with_name(f"{file.name}.part")
    try:
        temporary.write_text(text)
        temporary.chmod(0o600)
        temporary.rename(file)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise HostError(f"{file}: cannot be written: {error.strerror}") from None
    return file


def supervisord(paths: Paths, within: float) -> Any:
    """Return what supervisord can be asked by (its XML-RPC interface). within: seconds for each answer.

    A question raises OSError, http.client.HTTPException or xmlrpc.client.Error.
    """

    class Connection(http.client.HTTPConnection):
        def connect(self) -> None:
            self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self.sock.settimeout(within)
            self.sock.connect(str(paths.supervisor_socket))

    class Transport(xmlrpc.client.Transport):
        def make_connection(self, host: Any) -> http.client.HTTPConnection:
            return Connection("localhost")

    return xmlrpc.client.ServerProxy("http://localhost/RPC2", transport=Transport()).supervisor


def programs(paths: Paths) -> dict[str, str]:
    """Return supervisord's state of each program (RUNNING, STARTING, BACKOFF …), {} when it does not answer in 2 s."""
    try:
        return {info["name"]: info["statename"] for info in supervisord(paths, _ANSWER_WITHIN).getAllProcessInfo()}
    except (OSError, http.client.HTTPException, xmlrpc.client.Error):
        return {}


def late(paths: Paths, store: Store, supervisor: ProcessId, program: str = "") -> set[str]:
    """Return the roles that are not ready: without a row of a process under this supervisord, or not RUNNING by it, or
    running another program than `program` where one is given.

    Asked of supervisord each time: it sleeps up to 1 s before each look at its programs, also before the very first,
    unless somebody calls.
    """
    running = {name for name, state in programs(paths).items() if state == "RUNNING"}
    ours = set(children(supervisor.pid))
    rows = store.query("SELECT role, pid, start, program FROM roles")
    ready = {
        row["role"] for row in rows if ProcessId(row["pid"], row["start"]) in ours and program in ("", row["program"])
    }
    return set(ROLES) - (running & ready)


def find(paths: Paths) -> ProcessId | None:
    """Return the supervisord that serves this state dir, proven by its socket; None when nobody serves it.

    The kernel tells who listens on the socket. A supervisord that made itself a daemon is the listener's child by
    then, so for that one the number in its pid file is taken. Raises HostError when neither leads to a supervisord.
    """
    until = time.monotonic() + _ANSWER_WITHIN
    while True:
        listener = _listener(paths)
        if listener is None:
            return None
        candidates = [listener]
        with contextlib.suppress(OSError, ValueError):
            candidates.append(int((paths.run_dir / "supervisord.pid").read_text()))
        for pid in candidates:
            process = identify(pid)
            if process and any("supervisord" in argument for argument in cmdline(process)):
                return process
        # One that is just dying takes a last connection, and is no process a moment later.
        if identify(listener) is not None or time.monotonic() > until:
            where = paths.supervisor_socket
            raise HostError(f"{where}: somebody listens there who is no supervisord; end that process first")
        time.sleep(0.01)


def _listener(paths: Paths) -> int | None:
    """Return the number of who listens on supervisord's socket, None when nobody does. Raises HostError."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(_ANSWER_WITHIN)
        try:
            connection.connect(str(paths.supervisor_socket))
        except (FileNotFoundError, ConnectionRefusedError):
            return None
        except OSError as error:
            raise HostError(f"{paths.supervisor_socket}: {error}; the daemon does not answer") from None
        return kernel.peer(connection)


def last_line(file: Path) -> str:
    """Return the last line of a log."""
    try:
        lines = file.read_text(errors="replace").strip().splitlines()
    except OSError:
        lines = []
    return lines[-1] if lines else f"nothing in {file}"
