"""The binary: is it there, which version is it, and does it do what is relied on?"""

from __future__ import annotations

import shutil

from failover.claude import version
from failover.doctor.finding import Finding, Look, ok
from failover.doctor.probe import Facts, probe
from failover.errors import FailoverError

CHECK = "claude"
_INSTALL = f"npm install -g @anthropic-ai/claude-code@{version.MEASURED}"
#: What does not work where a fact is another one.
_COST = {
    "status": "who is logged in cannot be asked, so no account is a target",
    "registry": "the state of sessions is unknown, so none is moved, and none is given a task",
    "hooks": "boundaries are not seen, so a session is moved only when it is at rest",
    "statusline": "usage is not told by the sessions, and is asked for now and then only",
    "stop": "a session that does not end is not moved",
    "resume": "a session that was stopped could not go on elsewhere",
}


def check(look: Look) -> list[Finding]:
    """Start it in a world of its own (2 to 5 s)."""
    command = look.config.claude.command if look.config else "claude"
    found = shutil.which(command, path=look.environ.get("PATH"))
    if found is None:
        return [Finding(check=CHECK, level="error", sentence=f"there is no program {command}", mend=_INSTALL)]
    try:
        printed = version.ask(found)
    except FailoverError as error:
        return [Finding(check=CHECK, level="error", sentence=str(error), mend=_INSTALL)]
    return [judge_version(found, printed), *judge_facts(probe(found, look.patience))]


def judge_version(command: str, printed: str) -> Finding:
    """Return what the first line of --version means."""
    number = version.parse(printed)
    if number is None:
        return Finding(check=CHECK, level="error", sentence=f"{command} --version prints no version", mend=_INSTALL)
    name = f"{command} is {'.'.join(map(str, number))}"
    match version.standing(number):
        case "measured":
            return ok(CHECK, f"{name}, the version that all was measured on")
        case "near":
            return ok(CHECK, f"{name}, near {version.MEASURED}, which all was measured on")
        case "newer":
            sentence = f"{name}; all was measured on {version.MEASURED}, so what it does counts: see the next lines"
            return Finding(check=CHECK, level="hint", sentence=sentence, mend=_INSTALL)
    sentence = f"{name}, too old: it has not the hooks that boundaries rest on"
    return Finding(check=CHECK, level="error", sentence=sentence, mend=_INSTALL)


def judge_facts(facts: Facts) -> list[Finding]:
    """Return what was found when it was started."""
    findings = []
    for fact, cost in _COST.items():
        if problem := getattr(facts, fact):
            sentence = f"{problem}: {cost}; nothing is harmed, what is not known is left alone"
            findings.append(Finding(check=CHECK, level="error", sentence=sentence, mend=_INSTALL))
    if not findings:
        findings.append(ok(CHECK, "it starts, tells of itself, ends and resumes as expected"))
    return findings
