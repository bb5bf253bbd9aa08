"""Which events people are told of, in which words, and how urgent it is. The table for people: docs/notices.md.

critical: work stands still and only a person or time helps. warning: something was lost, or will be unless somebody
looks. info: worth knowing, nothing to do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

import msgspec

#: A login that ends within this many seconds is told of: a swap must not be the first to find out.
LOGIN_SOON = 7 * 86400

Severity = Literal["info", "warning", "critical"]
#: From the mildest to the worst.
SEVERITIES: tuple[Severity, ...] = ("info", "warning", "critical")

#: The events of which notices can come.
KINDS = (
    "account.login-expires", "janitor.troubled", "notifier.dropped", "notifier.sink-failing",
    "notifier.sink-recovered", "operator.account-disabled", "operator.account-enabled", "operator.paused",
    "operator.resumed", "role.failing", "role.recovered", "session.changed", "session.died",
    "session.lost", "swap.finished",
    "swap.started", "task.blocked", "task.finished", "usage.all-exhausted", "usage.available-again", "usage.noted",
)  # fmt: skip

#: A session that has been in such a state for this long needs a look (seconds); on the way through it is no news.
_STUCK = 120.0


class Notice(msgspec.Struct, frozen=True):
    """One sentence to people.

    fold: what happens often is told once in a while under this name, empty for never (failover/core/folding.py);
    settles: seconds that it must last before it is told.
    """

    severity: Severity
    text: str
    fold: str = ""
    settles: float = 0.0


def notice(kind: str, told: Mapping[str, Any], clock: Callable[[int], str]) -> Notice | None:
    """Return the notice that an event makes, None for none. kind: the event's tag; told: its fields; clock: epoch
    seconds as people read them.

    What a session, a file or a person named is shown with control characters escaped.
    """
    say = {name: printable(value) if isinstance(value, str) else value for name, value in told.items()}
    match kind.partition(".")[0]:
        case "swap":
            return _swap(kind, say)
        case "usage" | "account":
            return _account(kind, say, clock)
        case "session":
            return _session(kind, say)
        case "operator":
            return _operator(kind, say, clock)
        case "role" | "notifier" | "janitor":
            return _daemon(kind, say, clock)
    return _task(kind, say)


def _swap(kind: str, say: Mapping[str, Any]) -> Notice | None:
    match kind:
        case "swap.started" | "swap.finished" if say.get("kind") == "fresh":
            return None  # a session at rest is started anew for a task; what comes of it is told of the task
        case "swap.started" if say.get("kind") == "restore":
            return Notice("warning", f"{_count(len(say['sessions']), 'session')} are brought back: {say['reason']}.")
        case "swap.started":
            count = len(say["sessions"])
            return Notice("info", f"{_count(count, 'session')} of {say['source']} move to {say['target']}:"
                          f" {say['reason']}.")  # fmt: skip
        case "swap.finished" if say.get("urgency") == "idle" and say["outcome"] == "refused":
            return None  # who was to go home is at work again: it goes another time
        case "swap.finished":
            done = say["outcome"] == "done"
            return Notice("info" if done else "warning", f"Swap {say['swap']} is {say['outcome']}: {say['sentence']}.")
    return None


def _account(kind: str, say: Mapping[str, Any], clock: Callable[[int], str]) -> Notice | None:
    match kind:
        case "usage.all-exhausted":
            until = say["until"]
            opens = f"; the first window opens at {clock(int(until))}" if until is not None else ""
            return Notice("critical", f"No account can take the sessions of {say['source']}: {say['reason']}{opens}.")
        case "usage.available-again":
            return Notice(
                "info", f"The sessions of {say['source']} can go on: {say['reason']}.", "usage.available-again"
            )
        case "usage.noted":
            # Figures that fall or move within a period are believed when they are proven: nothing for people to do.
            if say["what"] not in ("poll_failed", "foreign", "did_not_fall", "not_reset"):
                return None
            fold = f"usage.noted/{say['what']}/{say['account']}/{say['window']}"
            return Notice("warning", f"Usage: {say['sentence']}.", fold)
        case "account.login-expires":
            end = clock(int(say["expires_at"]))
            return Notice("warning", f"The login of account {say['account']} expires at {end}: log in there anew.")
    return None


def _session(kind: str, say: Mapping[str, Any]) -> Notice | None:
    if kind == "session.lost":
        reasons = "; ".join(f"{printable(name)}: {printable(why)}" for name, why in say["why"].items())
        ended = f"{_count(len(say['sessions']), 'session')} ended with their tmux server and stay so ({reasons})"
        return Notice("critical", f"{ended}. Bring them back with: claude-failover sessions restore.")
    name = say["session"]
    if kind == "session.died":
        return Notice("warning", f"The process of session {name} ended (pid {say['pid']}).", f"session.died/{name}")
    if kind != "session.changed":
        return None
    match say["state"]:
        case "limited":
            # Those of one account meet its limit at the same time.
            of = say["account"] or "its account"
            return Notice("warning", f"Session {name} reached the limit of {of}.", f"session.limited/{of}")
        case "waiting":
            return Notice("warning", f"Session {name} waits for a person: look at its pane.", f"{name}/waiting")
        case "unknown":
            return Notice("warning", f"It cannot be told what session {name} does: look at its pane.",
                          f"{name}/unknown", _STUCK)  # fmt: skip
        case "starting":
            return Notice("warning", f"Session {name} does not come to its prompt: look at its pane.",
                          f"{name}/starting", _STUCK)  # fmt: skip
    return None


def _task(kind: str, say: Mapping[str, Any]) -> Notice | None:
    match kind:
        case "task.finished" if say["outcome"] == "failed":
            at = f" in session {say['session']}" if say["session"] else ""
            return Notice("warning", f"Task {say['task']} ({say['name']}) failed{at}: {say['reason']}.")
        case "task.blocked":
            text = f"Task {say['task']} ({say['name']}) waits for you in session {say['session']}"
            return Notice("warning", f"{text}: {say['waiting_for']}.", f"task.blocked/{say['task']}")
    return None


def _operator(kind: str, say: Mapping[str, Any], clock: Callable[[int], str]) -> Notice | None:
    match kind:
        case "operator.paused":
            return Notice("info", f"Paused by {say['by']}: nothing is started or moved.")
        case "operator.resumed":
            return Notice("info", f"Resumed by {say['by']}.")
        case "operator.account-disabled":
            end = f" until {clock(int(say['until_ms']) // 1000)}" if say["until_ms"] is not None else ""
            return Notice("info", f"Account {say['account']} is disabled by {say['by']}{end}: nothing is moved to it.")
        case "operator.account-enabled":
            return Notice("info", f"Account {say['account']} is enabled again by {say['by']}.")
    return None


def _daemon(kind: str, say: Mapping[str, Any], clock: Callable[[int], str]) -> Notice | None:
    match kind:
        case "role.failing":
            how = f"was started {say['starts']} times in a short while" if say["starts"] else "does not run"
            return Notice("critical", f"The role {say['role']} {how}: see log/{say['role']}.log in the state dir.",
                          f"role.failing/{say['role']}")  # fmt: skip
        case "role.recovered":
            return Notice("info", f"The role {say['role']} runs again.", f"role.recovered/{say['role']}")
        case "notifier.sink-failing":
            text = f"The sink {say['sink']} cannot be told ({say['waiting']} waiting): {say['reason']}."
            return Notice("warning", text, f"sink-failing/{say['sink']}")
        case "notifier.sink-recovered":
            return Notice("info", f"The sink {say['sink']} is told again.", f"sink-recovered/{say['sink']}")
        case "notifier.dropped":
            since = clock(int(say["since_ms"]) // 1000)
            text = f"{_count(say['count'], say['what'])} of {since} and later did not reach the sink {say['sink']}"
            return Notice("warning", f"{text}: {say['reason']}.")
        case "janitor.troubled":
            return Notice("warning", f"The janitor cannot tidy up: {say['sentence']}.", "janitor.troubled")
    return None


def printable(text: str) -> str:
    """Return a text on one line that does nothing to a terminal."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text).rstrip(".")


def _count(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
