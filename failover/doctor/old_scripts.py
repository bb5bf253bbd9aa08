"""The shell scripts that came before: their cron lines, their processes and habits act behind the daemon's back."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from failover.doctor.finding import Finding, Look, ok
from failover.host import process

NAMES = (
    "launch-agent.sh",
    "graceful-switch.sh",
    "watchdog.sh",
    "checkpoint-daemon.sh",
    "start-dedicated-agents.sh",
)
#: Stands in our scripts of the same names.
MARK = "claude-failover"
_NAMED = re.compile(rf"(?<![\w./-])((?:[^\s;&|<>()'\"]*/)?(?:{'|'.join(map(re.escape, NAMES))}))(?![\w.-])")
_SYSTEM = (Path("/etc/crontab"), Path("/etc/cron.d"))


def check(look: Look) -> list[Finding]:
    """Read the user's crontab, the system's, the process table, and what is on PATH."""
    findings: list[Finding] = []
    for origin, text in (("your crontab", _crontab(look)), *_system()):
        findings += judge_cron(origin, text, lambda path: is_ours(path, look.home))
    for one, words in sorted(process.of_user().items(), key=lambda item: item[0].pid):
        script = next((word for word in words[:3] if Path(word).name in NAMES), None)
        here = script is not None and process.is_of_home(one, Path(os.path.realpath(look.home)))
        if script and here and not is_ours(str(Path(process.cwd(one), script)), look.home):
            sentence = f"the old script {script} runs (process {one.pid}) and may start, stop or move sessions"
            findings.append(Finding(check="old scripts", level="error", sentence=sentence, mend=f"kill {one.pid}"))
    findings += _typed(look)
    return findings or [ok("old scripts", "no cron line and no process of the old scripts")]


def _typed(look: Look) -> list[Finding]:
    """Return which of the names are the old scripts' when a person types them."""
    path = look.environ.get("PATH")
    found = {name: where for name in NAMES if (where := shutil.which(name, path=path))}
    old = [where for where in found.values() if not is_ours(where, look.home)]
    if not old:
        return []
    sentence = f"typed by name, the old {', '.join(old)} {'is' if len(old) == 1 else 'are'} found first"
    mend = 'export PATH="$(dirname "$(command -v claude-failover)"):$PATH"'  # ours lie beside it
    return [Finding(check="old scripts", level="warning", sentence=sentence, mend=mend)]


def judge_cron(origin: str, text: str, ours: Callable[[str], bool]) -> list[Finding]:
    """Return which lines of a crontab call the old scripts. ours: whether a path is one of our scripts."""
    findings = []
    for number, line in enumerate(text.splitlines(), start=1):
        called = [] if line.lstrip().startswith("#") else [path for path in _NAMED.findall(line) if not ours(path)]
        if called:
            name = Path(called[0]).name
            mend = (
                f"crontab -l | sed '\\|{name}|s|^|#|' | crontab -"
                if origin == "your crontab"
                else f"sudo sed -i '{number}s/^/#/' {shlex.quote(origin)}"
            )
            sentence = f"{origin}, line {number} starts the old {name}, which would act behind the daemon's back"
            findings.append(Finding(check="old scripts", level="error", sentence=sentence, mend=mend))
    return findings


def is_ours(path: str, home: Path) -> bool:
    """Say whether a script is one of those that only call claude-failover."""
    expanded = Path(path.replace("$HOME", str(home), 1) if path.startswith("$HOME") else path)
    if path.startswith("~/"):
        expanded = home / path[2:]
    try:
        with expanded.open("rb") as file:
            return MARK.encode() in file.read(4096)
    except OSError:
        return False


def _crontab(look: Look) -> str:
    try:
        done = subprocess.run(
            ["crontab", "-l"], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=5, errors="replace",
            env=dict(look.environ),
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return ""  # no cron, or no table of this user
    return done.stdout if done.returncode == 0 else ""


def _system(places: Sequence[Path] = _SYSTEM) -> list[tuple[str, str]]:
    files = [place for place in places if place.is_file()]
    files += [file for place in places if place.is_dir() for file in sorted(place.iterdir()) if file.is_file()]
    found = []
    for file in files:
        try:
            found.append((str(file), file.read_text(errors="replace")))
        except OSError:
            continue
    return found
