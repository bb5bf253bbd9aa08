"""Which events people are told of, in which words, and how urgent it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

import msgspec

#: A login that ends within this many seconds is told of: a swap must not be the first to find out.
LOGIN_SOON = 7 * 86400

Severity = Literal["info", "warning", "critical"]


class Notice(msgspec.Struct, frozen=True):
    """One sentence to people."""

    severity: Severity
    text: str


def notice(kind: str, told: Mapping[str, Any], clock: Callable[[int], str]) -> Notice | None:
    """Return the notice that an event makes, None for none. kind: the event's tag; told: its fields; clock: epoch
    seconds as people read them.

    What a session, a file or a person named is shown with control characters escaped.
    """
    say = {name: printable(value) if isinstance(value, str) else value for name, value in told.items()}
    match kind:
        case "swap.started" | "swap.finished" if say.get("kind") == "fresh":
            return None  # a session at rest is started anew for a task; what comes of it is told of the task
        case "swap.started" if say.get("kind") == "restore":
            return Notice("warning", f"{_sessions(len(say['sessions']))} are brought back: {say['reason']}.")
        case "swap.started":
            count = len(say["sessions"])
            return Notice("info", f"{_sessions(count)} of {say['source']} move to {say['target']}: {say['reason']}.")
        case "swap.finished" if say.get("urgency") == "idle" and say["outcome"] == "refused":
            return None  # who was to go home is at work again: it goes another time
        case "swap.finished":
            done = say["outcome"] == "done"
            return Notice("info" if done else "warning", f"Swap {say['swap']} is {say['outcome']}: {say['sentence']}.")
        case "usage.all-exhausted":
            until = say["until"]
            opens = f"; the first window opens at {clock(int(until))}" if until is not None else ""
            return Notice("critical", f"No account can take the sessions of {say['source']}: {say['reason']}{opens}.")
        case "session.died":
            return Notice("warning", f"The process of session {say['session']} ended (pid {say['pid']}).")
        case "session.lost":
            reasons = printable("; ".join(f"{name}: {why}" for name, why in told["why"].items()))
            ended = f"{_sessions(len(told['sessions']))} ended with their tmux server and stay so ({reasons})"
            return Notice("critical", f"{ended}. Bring them back with: claude-failover sessions restore.")
        case "task.finished" if say["outcome"] == "failed":
            at = f" in session {say['session']}" if say["session"] else ""
            return Notice("warning", f"Task {say['task']} ({say['name']}) failed{at}: {say['reason']}.")
        case "task.blocked":
            task, waits = f"Task {say['task']} ({say['name']})", say["waiting_for"]
            return Notice("warning", f"{task} waits for you in session {say['session']}: {waits}.")
        case "operator.paused":
            return Notice("info", f"Paused by {say['by']}: nothing is started or moved.")
        case "operator.account-disabled":
            end = f" until {clock(int(say['until_ms']) // 1000)}" if say["until_ms"] is not None else ""
            return Notice("info", f"Account {say['account']} is disabled by {say['by']}{end}: nothing is moved to it.")
        case "operator.account-enabled":
            return Notice("info", f"Account {say['account']} is enabled again by {say['by']}.")
        case "account.login-expires":
            end = clock(int(say["expires_at"]))
            return Notice("warning", f"The login of account {say['account']} expires at {end}: log in there anew.")
        case "operator.resumed":
            return Notice("info", f"Resumed by {say['by']}.")
    return None


def printable(text: str) -> str:
    """Return a text on one line that does nothing to a terminal."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text).rstrip(".")


def _sessions(count: int) -> str:
    return f"{count} session{'' if count == 1 else 's'}"
