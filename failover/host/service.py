"""The daemon as a service of the host: unit files for systemd, a property list for launchd, and where they go."""

from __future__ import annotations

import getpass
import os
import shlex
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Literal

import msgspec

from failover.errors import HostError, UsageError

Manager = Literal["systemd", "launchd"]
#: Stands in a file that may be written over.
MARK = "Written by claude-failover service install"
NAME = "claude-failover"
_LABEL = "local.claude-failover"


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """Where the service is described, how, and the commands that make the manager take notice.

    enable, disable: run by us; start: for a person to run.
    """

    file: Path
    text: str
    enable: tuple[tuple[str, ...], ...]
    disable: tuple[tuple[str, ...], ...]
    start: str


def describe(
    manager: Manager, *, system: bool, program: Path, config: Path, home: Path, user: str, environ: Mapping[str, str]
) -> Service:
    """Return the service for this user. program: claude-failover; config: the file that it is to use; system: of the
    host, started at boot, else of the user. PATH is taken over as it is: claude, tmux and curl must be found on it.

    Raises UsageError for a path that cannot be written there.
    """
    for path in (program, config, home):
        if not str(path).isprintable():
            raise UsageError(f"{path!s:.80}: has a control character in it, so no unit can name it; rename it")
    search = environ.get("PATH") or "/usr/local/bin:/usr/bin:/bin"
    if manager == "launchd":
        return _launchd(system, program, config, home, user, search)
    return _systemd(system, program, config, home, user, search, environ)


def _systemd(
    system: bool, program: Path, config: Path, home: Path, user: str, path: str, environ: Mapping[str, str]
) -> Service:
    base = Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "systemd" / "user"
    file = (Path("/etc/systemd/system") if system else base) / f"{NAME}.service"
    values = {
        "@USERFLAG@": "" if system else "--user ",
        "@USERLINE@": f"User={user}\n" if system else "",
        "@ENV_CONFIG@": _quoted(f"FAILOVER_CONFIG={config}"),
        "@ENV_PATH@": _quoted(f"PATH={path}"),
        "@HOME@": str(home).replace("%", "%%"),
        "@PROGRAM@": _quoted(str(program)).replace("$", "$$"),
        "@TARGET@": "multi-user.target" if system else "default.target",
    }
    text = resources.files("failover.host").joinpath("units", f"{NAME}.service").read_text()
    for name, value in values.items():
        text = text.replace(name, value)
    systemctl = ("systemctl",) if system else ("systemctl", "--user")
    return Service(
        file=file,
        text=text,
        enable=((*systemctl, "daemon-reload"), (*systemctl, "enable", NAME)),
        disable=((*systemctl, "disable", "--now", NAME), (*systemctl, "daemon-reload")),
        start=shlex.join((*systemctl, "start", NAME)),
    )


def _quoted(text: str) -> str:
    """Return a word for a unit file (systemd.syntax(7)): in double quotes, percent signs doubled."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"'


def _launchd(system: bool, program: Path, config: Path, home: Path, user: str, path: str) -> Service:
    import plistlib

    folder = Path("/Library/LaunchDaemons") if system else home / "Library" / "LaunchAgents"
    file = folder / f"{_LABEL}.plist"
    content = {
        "Label": _LABEL,
        "ProgramArguments": [str(program), "up", "--foreground"],
        "EnvironmentVariables": {"FAILOVER_CONFIG": str(config), "PATH": path, "HOME": str(home)},
        "WorkingDirectory": str(home),
        "RunAtLoad": True,
        "KeepAlive": True,
        # What the daemon started lives on when it ends: the tmux server and the sessions.
        "AbandonProcessGroup": True,
        "ProcessType": "Background",
        "Umask": 0o077,
        **({"UserName": user} if system else {}),
    }
    text = plistlib.dumps(content).decode().replace("<plist ", f"<!-- {MARK} -->\n<plist ", 1)
    domain = "system" if system else f"gui/{os.geteuid()}"
    return Service(
        file=file,
        text=text,
        enable=(("launchctl", "enable", f"{domain}/{_LABEL}"),),
        disable=(("launchctl", "bootout", f"{domain}/{_LABEL}"),),
        start=shlex.join(("launchctl", "bootstrap", domain, str(file))),
    )


def operator() -> str:
    """Return this user's name, the number where it has none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.geteuid())


def lingers(user: str) -> bool:
    """Say whether systemd keeps the user's manager, and what runs in it, after the log-out."""
    return Path("/var/lib/systemd/linger", user).exists()


def put(service: Service, force: bool) -> bool:
    """Write the file whole (mode 0644) and return whether it changed.

    Raises UsageError when it is there and not ours, HostError when it cannot be written.
    """
    file = service.file
    temporary = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        there = file.read_text(errors="replace") if file.exists() else ""
        if there == service.text:
            return False
        if there and MARK not in there and not force:
            raise UsageError(f"{file}: is there and was not written by us; move it away, or write over it with --force")
        file.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(service.text)
        temporary.chmod(0o644)
        temporary.replace(file)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise HostError(f"{file}: cannot be written: {error.strerror}; for --system use sudo") from None
    return True
