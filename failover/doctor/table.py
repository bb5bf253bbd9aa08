"""All checks of `doctor`, in the order in which they are shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from failover.doctor import accounts, binary, daemons, host, old_scripts, overlay, private
from failover.doctor.finding import Finding, Look, split
from failover.errors import FailoverError

#: name → what it looks at, and the function. Names of findings may be finer.
CHECKS: dict[str, tuple[str, Callable[[Look], list[Finding]]]] = {
    "claude": ("the binary: its version, and whether it does what is relied on", binary.check),
    "logins": ("who is logged in where, until when, and whether two are one", accounts.logins),
    "links": ("the links to the shared tree", accounts.links),
    "trust": ("first-start dialogs that would stand in the way", accounts.trust),
    "projects": ("the folders of sessions and task queues", accounts.projects),
    "modes": ("owners and modes of state, configuration, env files and config dirs", private.check),
    "settings": ("settings of yours that would take our hooks away", overlay.check),
    "hooks": ("the programs that hooks report with", host.hook_client),
    "tmux": ("tmux: there, answering, none that is known to be bad", host.tmux),
    "daemon": ("the daemon: whole, only one, and of this program", daemons.check),
    "service": ("whether sessions outlive a log-out and the service", daemons.service),
    "old scripts": ("cron lines and processes of the shell scripts that came before", old_scripts.check),
    "disk": ("room where state and conversations are written", host.disk),
    "clock": ("the time of day", host.clock),
    "limits": ("open files, processes, inotify watches", host.limits),
}


def examine(look: Look, names: Sequence[str] = ()) -> list[Finding]:
    """Return what the checks found (default: all). One that fails is a finding itself."""
    findings: list[Finding] = []
    for name in names or CHECKS:
        try:
            findings += CHECKS[name][1](look)
        except FailoverError as error:
            findings.append(split(name, "error", str(error)))
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            sentence = f"could not be looked at: {where}{error.strerror or error}"
            findings.append(Finding(check=name, level="warning", sentence=sentence))
    return findings


def mend(look: Look, findings: Sequence[Finding]) -> tuple[list[str], list[Finding]]:
    """Do the safe mends, and return what was mended and what is found now."""
    mended: list[str] = []
    again: set[str] = set()
    for finding in findings:
        if finding.fix is None:
            continue
        try:
            finding.fix()
        except (FailoverError, OSError):
            continue  # it is found again below, with its mend
        mended.append(finding.sentence)
        again.add(finding.check)
    fresh = examine(look, [name for name in CHECKS if name in again]) if again else []
    left: list[Finding] = []
    for name in dict.fromkeys(finding.check for finding in findings):
        left += [finding for finding in (fresh if name in again else findings) if finding.check == name]
    still = {finding.sentence for finding in fresh}
    return [sentence for sentence in mended if sentence not in still], left
