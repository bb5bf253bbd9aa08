"""The host: tmux, what hooks need, room on the disks, the clock, limits."""

from __future__ import annotations

import ctypes
import os
import re
import resource
import shlex
import shutil
import subprocess
from pathlib import Path

from failover.config import Config
from failover.doctor.finding import Finding, Look, ok
from failover.errors import FailoverError
from failover.host.tmux import Tmux

_MIB = 1024 * 1024
#: Bytes left at which it is said, and at which the store is about to fail.
_LITTLE, _LEAST = 1024 * _MIB, 100 * _MIB
#: This source was not written before (epoch seconds).
_NOT_BEFORE = 1_760_000_000
_AHEAD = 60.0
_UNSYNCED = 0x0040  # STA_UNSYNC, linux/timex.h
#: A session of the binary has some 40 descriptors and 30 threads; the roles far less.
_FILES, _TASKS_EACH = 1024, 60


def tmux(look: Look) -> list[Finding]:
    """See that tmux is there, answers, and is none that is known to be bad."""
    path = shutil.which("tmux", path=look.environ.get("PATH"))
    if path is None:
        return [Finding(check="tmux", level="error", sentence="tmux is not installed", mend="apt-get install tmux")]
    try:
        done = subprocess.run([path, "-V"], capture_output=True, text=True, timeout=5, errors="replace")
    except (OSError, subprocess.TimeoutExpired):
        return [Finding(check="tmux", level="error", sentence=f"{path} -V does not answer", mend=f"{path} -V")]
    findings = [judge_tmux(done.stdout.strip())]
    if look.config is not None:
        socket = look.config.tmux.socket
        try:
            Tmux(socket, timeout=3.0).server_alive()
        except FailoverError as error:
            mend = f"tmux -L {socket} list-sessions"
            findings.append(Finding(check="tmux", level="error", sentence=str(error).partition(";")[0], mend=mend))
    return findings


def judge_tmux(printed: str) -> Finding:
    """Return what `tmux -V` means."""
    match = re.search(r"(\d+)\.(\d+)([a-z]?)", printed)
    upgrade = "apt-get install -t stable-backports tmux"
    if match is None:
        sentence = f"tmux names a version that is not known ({printed[:40]}); 3.2 or newer is needed"
        own = "master" in printed or "next" in printed
        return Finding(check="tmux", level="hint" if own else "warning", sentence=sentence, mend="tmux -V")
    number, name = (int(match[1]), int(match[2])), "".join((match[1], ".", match[2], match[3]))
    if number < (3, 2):
        sentence = f"tmux is {name}; 3.2 or newer is needed"
        return Finding(check="tmux", level="error", sentence=sentence, mend="apt-get install tmux")
    if name == "3.3a":
        sentence = (
            "tmux is 3.3a, which dies with all its sessions when a person pastes into a pane whose process has ended; "
            "the daemon itself never does"
        )
        return Finding(check="tmux", level="warning", sentence=sentence, mend=upgrade)
    return ok("tmux", f"tmux is {name}")


def hook_client(look: Look) -> list[Finding]:
    """See that hooks have a program that they can report with."""
    path = look.environ.get("PATH")
    found = [name for name in ("perl", "curl") if shutil.which(name, path=path)]
    if not found:
        sentence = "neither perl nor curl is there, so no hook can report: boundaries would not be seen"
        return [Finding(check="hooks", level="error", sentence=sentence, mend="apt-get install perl curl")]
    if "curl" not in found:
        sentence = "curl is not there, so the statusline is pushed by python3, which costs more"
        return [Finding(check="hooks", level="hint", sentence=sentence, mend="apt-get install curl")]
    return [ok("hooks", f"hooks report with {found[0]}")]


def disk(look: Look) -> list[Finding]:
    """See that there is room where state and conversations are written."""
    config = look.config
    places = (config.state_dir, config.shared_dir) if config else (look.home,)
    findings = []
    for place in dict.fromkeys(map(_existing, places)):
        room = os.statvfs(place)
        share = room.f_favail / room.f_files if room.f_files else 1.0
        findings.append(judge_room(place, room.f_bavail * room.f_frsize, share))
    return findings


def judge_room(place: Path, free: int, inodes: float) -> Finding:
    """Return what the room at a place means. free: bytes; inodes: share that is free, 0 to 1."""
    level, mend = "ok", f"du -xhd1 {shlex.quote(str(place))} | sort -h | tail"
    if free < _LEAST or inodes < 0.001:
        level = "error"
    elif free < _LITTLE or inodes < 0.01:
        level = "warning"
    sentence = f"{place}: {free // _MIB} MiB and {inodes:.0%} of the inodes are free"
    if level == "ok":
        return ok("disk", sentence)
    return Finding(check="disk", level="error" if level == "error" else "warning", sentence=sentence, mend=mend)


def _existing(place: Path) -> Path:
    return next(path for path in (place, *place.parents) if path.exists())


def clock(look: Look) -> list[Finding]:
    """See that the time of day can be right: reset times are the provider's."""
    newest = _newest_event(look.config) if look.config else 0
    return [judge_clock(look.clock.epoch(), newest / 1000, _synced())]


def judge_clock(now: float, newest: float, synced: bool | None) -> Finding:
    """Return what the time of day means. now, newest (event in the store): epoch seconds; synced: None if unknown."""
    mend = "timedatectl set-ntp true"
    if now < _NOT_BEFORE:
        return Finding(check="clock", level="error", sentence="the time of day is long past", mend=mend)
    if newest > now + _AHEAD:
        sentence = f"the newest event is {newest - now:.0f} s in the future: the time of day was set back"
        return Finding(check="clock", level="warning", sentence=sentence, mend=mend)
    if synced is False:
        sentence = "the kernel says that the time of day is not synchronised; reset times would be missed by as much"
        return Finding(check="clock", level="hint", sentence=sentence, mend=mend)
    return ok("clock", "the time of day is plausible" + (" and synchronised" if synced else ""))


def _synced() -> bool | None:
    buffer = ctypes.create_string_buffer(512)  # struct timex; all zero: nothing is changed
    try:
        if ctypes.CDLL(None, use_errno=True).adjtimex(buffer) < 0:
            return None
    except (AttributeError, OSError):
        return None
    # modes (int), padding, offset, freq, maxerror, esterror (long each), status (int)
    place = 5 * ctypes.sizeof(ctypes.c_long)
    return not int.from_bytes(buffer.raw[place : place + 4], "little") & _UNSYNCED


def _newest_event(config: Config) -> int:
    from failover.errors import StoreError
    from failover.store.db import Store

    if not config.paths.store.exists():
        return 0
    try:
        store = Store.read_only(config.paths.store)
    except StoreError:
        return 0  # the check of the daemon says so
    try:
        row = store.one("SELECT max(at_ms) FROM events")
        return int(row[0] or 0) if row else 0
    except StoreError:
        return 0
    finally:
        store.close()


def limits(look: Look) -> list[Finding]:
    """See that the host lets so many sessions run, and so many folders be watched."""
    sessions, projects = (len(look.config.sessions), len(look.config.projects)) if look.config else (0, 0)
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    tasks, _ = resource.getrlimit(resource.RLIMIT_NPROC)
    sys_fs = Path("/proc/sys/fs/inotify")
    return judge_limits(
        files=_unlimited(files), tasks=_unlimited(tasks), watches=_number(sys_fs / "max_user_watches"),
        instances=_number(sys_fs / "max_user_instances"), sessions=sessions, projects=projects,
    )  # fmt: skip


def judge_limits(
    *, files: float, tasks: float, watches: float, instances: float, sessions: int, projects: int
) -> list[Finding]:
    """Return which limits are too low. files: open at once in a process; tasks: processes and threads of the user."""
    wanted = (
        ("open files", files, _FILES, f"ulimit -n {_FILES}"),
        ("processes", tasks, 200 + _TASKS_EACH * sessions, f"ulimit -u {200 + _TASKS_EACH * sessions}"),
        ("inotify watches", watches, 1000 + 4 * projects, "sysctl -w fs.inotify.max_user_watches=65536"),
        ("inotify instances", instances, 32, "sysctl -w fs.inotify.max_user_instances=256"),
    )
    findings = [
        Finding(check="limits", level="warning", sentence=f"{what}: {have:g} allowed, {need} wanted", mend=mend)
        for what, have, need, mend in wanted
        if have < need
    ]
    return findings or [ok("limits", "files, processes and inotify watches suffice")]


def _unlimited(value: int) -> float:
    return float("inf") if value == resource.RLIM_INFINITY else float(value)


def _number(path: Path) -> float:
    try:
        return float(path.read_text())
    except (OSError, ValueError):
        return float("inf")
