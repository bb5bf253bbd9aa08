"""Look at a host on which Claude Code runs already: config dirs, logins, tmux sessions, projects. Touches nothing.

No credential file is opened: who is logged in tells the binary (`auth status`). Of a process's environment
CLAUDE_CONFIG_DIR and HOME alone are kept.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec

from failover.claude import auth, registry
from failover.core.draft import Dir, Found, Running
from failover.errors import FailoverError, HostError
from failover.host import process
from failover.host.process import ProcessId
from failover.host.tmux import Tmux

#: What a config dir has at least one of.
_SIGNS = (".claude.json", "projects", "sessions", "settings.json", "history.jsonl")
_QUEUE = ".agent-queue"
#: Bounds of the walk for projects: folders below a root, and folders in all.
_DEPTH, _FOLDERS = 4, 20_000
_SKIPPED = frozenset({"node_modules", "venv", "vendor", "target", "dist", "build", "__pycache__"})


class Loose(msgspec.Struct, frozen=True):
    """A live binary that is in no session's first pane."""

    pid: int
    cwd: str


class Survey(msgspec.Struct, frozen=True, kw_only=True):
    """What there is. command: the binary's path, empty when none was found; on_path: it is found by its name.

    socket: the tmux server that runs most of the sessions; elsewhere: names of sessions on other servers; foreign:
    binaries that were started with another home; walked: whether the walk for projects came to its end.
    """

    found: Found
    command: str
    on_path: bool
    socket: str = "default"
    elsewhere: tuple[str, ...] = ()
    loose: tuple[Loose, ...] = ()
    foreign: tuple[Loose, ...] = ()
    walked: bool = True


def survey(roots: Sequence[Path], environ: Mapping[str, str] = os.environ) -> Survey:
    """Return what is on this host. roots: folders below which projects are looked for, besides those of sessions."""
    home = Path(os.path.realpath(environ.get("HOME") or Path.home()))
    arguments = process.of_user()
    dirs = {Path(os.path.realpath(path)) for path in home.glob(".claude*") if path.is_dir()}
    dirs = {path for path in dirs if any(os.path.lexists(path / sign) for sign in _SIGNS)}
    found = {one: process.cwd(one) for one, words in arguments.items() if is_binary(words)}
    running = {one: cwd for one, cwd in found.items() if process.is_of_home(one, home)}
    foreign = tuple(Loose(one.pid, cwd) for one, cwd in found.items() if one not in running)
    named = {one: config_dir_of(one, home) for one in running}
    dirs |= {path for path in named.values() if path.is_dir()}
    for path in sorted(dirs):
        for entry in registry.read_all(path / "sessions"):
            one = ProcessId(entry.pid, entry.start)
            if one in arguments:
                running[one] = entry.cwd or running.get(one, "")
                named.setdefault(one, config_dir_of(one, home))
    # Another host's binary that shares the process table is not run either.
    named_one = shutil.which("claude")
    command = named_one or next((exe for one in running if (exe := native(one, arguments[one]))), "")
    top = {one: process.ancestors(one.pid) for one in running}
    pids = {one.pid for one in running}
    top = {one: above for one, above in top.items() if not pids.intersection(above)}  # not what a session itself ran
    panes = _panes(environ)
    sessions: dict[str, list[Running]] = {}
    loose = []
    for one, above in sorted(top.items(), key=lambda item: item[0].pid):
        place = next((panes[pid] for pid in (one.pid, *above) if pid in panes), None)
        if place is None:
            loose.append(Loose(one.pid, running[one]))
            continue
        socket, name = place
        sessions.setdefault(socket, []).append(Running(name=name, cwd=running[one], config_dir=str(named[one])))
    socket = max(sessions, key=lambda name: (len(sessions[name]), name == "default"), default="default")
    ours = sessions.pop(socket, [])
    folders = {Path(session.cwd) for session in ours}
    projects, walked = find_projects(folders, roots)
    with ThreadPoolExecutor(max_workers=4) as pool:
        logins = list(pool.map(lambda path: _look(command, path), sorted(dirs)))
    return Survey(
        found=Found(home=str(home), dirs=tuple(logins), sessions=tuple(ours), projects=tuple(map(str, projects))),
        command=command,
        on_path=named_one is not None,
        socket=socket,
        elsewhere=tuple(f"{one.name} (tmux -L {name})" for name, ones in sorted(sessions.items()) for one in ones),
        loose=tuple(loose),
        foreign=foreign,
        walked=walked,
    )


def is_binary(arguments: Sequence[str]) -> bool:
    """Say whether a command line is the binary's, native or under node."""
    if not arguments:
        return False  # one that is becoming another program, or has just ended
    first = Path(arguments[0]).name
    second = arguments[1] if len(arguments) > 1 else ""
    return first in ("claude", "claude.exe") or (
        first in ("node", "bun") and (second.endswith("/claude-code/cli.js") or Path(second).name == "claude")
    )


def native(one: ProcessId, arguments: Sequence[str]) -> str:
    """Return the program of a process that is the native binary, empty when it is none."""
    found = process.program(one)
    exe = Path(found)
    return found if found and is_binary(arguments) and exe.name == Path(arguments[0]).name and exe.exists() else ""


def config_dir_of(one: ProcessId, home: Path) -> Path:
    """Return the real config dir that a process was started with: the binary's default where none was named."""
    return Path(os.path.realpath(process.environ(one).get("CLAUDE_CONFIG_DIR") or home / ".claude"))


def _look(command: str, path: Path) -> Dir:
    projects = path / "projects"
    tree = str(Path(os.path.realpath(projects)).parent) if os.path.lexists(projects) else ""
    if not command:
        return Dir(path=str(path), tree=tree, problem="no claude was found to say who is logged in there")
    try:
        login = auth.status(command, path, {})
    except FailoverError as error:
        return Dir(path=str(path), tree=tree, problem=str(error))
    known = login.identity or ()
    words = [*(part for part in known[:1] if part), login.subscription or ""]
    return Dir(
        path=str(path),
        tree=tree,
        logged_in=login.logged_in,
        identity=" ".join(known),
        login=", ".join(word for word in words if word),
    )


def _panes(environ: Mapping[str, str]) -> dict[int, tuple[str, str]]:
    """Return socket and session by the number of the first pane's process, of all tmux servers of this user."""
    folder = Path(environ.get("TMUX_TMPDIR") or "/tmp", f"tmux-{os.geteuid()}")
    found: dict[int, tuple[str, str]] = {}
    for socket in sorted(folder.iterdir()) if folder.is_dir() else ():
        if not socket.is_socket():
            continue
        try:
            panes = Tmux(socket.name, timeout=2.0).panes()
        except HostError:
            continue  # a server that hangs or is of another version tells nothing
        found |= {pane.pid: (socket.name, pane.session) for pane in panes.values() if not pane.dead}
    return found


def find_projects(folders: set[Path], roots: Sequence[Path]) -> tuple[list[Path], bool]:
    """Return the folders with an `.agent-queue/`: of `folders`, and up to 4 below `roots`; and whether all were seen.

    Links are not followed, hidden folders and those of build tools not entered.
    """
    found = {folder for folder in folders if _has_queue(folder)}
    seen = 0
    level = [root.absolute() for root in roots]
    for _ in range(_DEPTH + 1):
        below: list[Path] = []
        for folder in level:
            seen += 1
            if seen > _FOLDERS:
                return sorted(found), False
            if _has_queue(folder):
                found.add(folder)
            below += _folders(folder)
        level = below
    return sorted(found), True


def _has_queue(folder: Path) -> bool:
    try:
        return (folder / _QUEUE).is_dir()
    except OSError:
        return False


def _folders(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return []
    return [folder / name for name in sorted(names) if not name.startswith(".") and name not in _SKIPPED]
