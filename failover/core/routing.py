"""Which notice goes to which sink, and in which words."""

from __future__ import annotations

import string
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from failover.core.notice import SEVERITIES, Severity, printable

#: What every template may name beside the fields of its event. text: our own sentence.
COMMON = ("account", "at", "project", "session", "severity", "text", "type")


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """What a notice is about. sink: the one whose trouble it is; task, swap: rows, 0 for none."""

    accounts: tuple[str, ...] = ()
    sessions: tuple[str, ...] = ()
    projects: tuple[str, ...] = ()
    task: int = 0
    swap: int = 0
    sink: str = ""


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """What a sink wants to be told. events: prefixes of types; severity: the mildest that counts; accounts, sessions,
    projects: what it must be about. Whatever is empty is no condition; all others must hold."""

    """It must be about one of these, written as under `projects` or `sessions`."""

    events: tuple[str, ...] = ()
    """Beginnings of event types, such as `[swap., task.finished]`."""
    severity: Severity = "info"
    """The mildest that counts: `info`, `warning` or `critical`."""
    accounts: tuple[str, ...] = ()
    """It must be about one of these."""
    sessions: tuple[str, ...] = ()
    """It must be about one of these."""
    projects: tuple[str, ...] = ()
    """It must be about one of these, written as under `projects` or `sessions`."""


def subject(told: Mapping[str, Any], projects: Sequence[str]) -> Subject:
    """Return what an event is about. told: its fields; projects: those of its sessions and task."""
    accounts = [told.get(key) or "" for key in ("account", "source", "target")]
    sessions = [told.get("session") or "", *(told.get("sessions") or ())]
    return Subject(
        accounts=_unique(accounts),
        sessions=_unique(sessions),
        projects=_unique(projects),
        task=told.get("task") or 0,
        swap=told.get("swap") or 0,
        sink=told.get("sink") or "",
    )


def _unique(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in names if name))


def takes(rules: Sequence[Rule], sink: str, kind: str, severity: Severity, about: Subject) -> bool:
    """Say whether a sink is told: one of its rules holds, or it has none. Of its own failure it is told only
    what it missed."""
    if about.sink == sink and kind != "notifier.dropped":
        return False
    return not rules or any(_holds(rule, kind, severity, about) for rule in rules)


def _holds(rule: Rule, kind: str, severity: Severity, about: Subject) -> bool:
    if rank(severity) < rank(rule.severity) or not (not rule.events or kind.startswith(rule.events)):
        return False
    pairs = (rule.accounts, about.accounts), (rule.sessions, about.sessions), (rule.projects, about.projects)
    return all(not wanted or set(wanted) & set(named) for wanted, named in pairs)


def rank(severity: Severity) -> int:
    """Return how bad a severity is, from 0."""
    return SEVERITIES.index(severity)


def objection(template: str, known: Sequence[str]) -> str:
    """Return what is wrong with a template, empty for nothing. known: what it may name."""
    try:
        parts = list(string.Formatter().parse(template))
    except ValueError as error:
        return f"is no template ({error})"
    for _, name, spec, conversion in parts:
        if name is not None and (name not in known or spec or conversion):
            shown = name + (f"!{conversion}" if conversion else "") + (f":{spec}" if spec else "")
            return f"{{{shown}}} is no placeholder of this event"
    return ""


def render(template: str, values: Mapping[str, Any]) -> str:
    """Return a template filled in, on one line. It has passed `objection`."""
    shown = {name: _shown(value) for name, value in values.items()}
    return printable(string.Formatter().vformat(template, (), shown))


def _shown(value: Any) -> str:
    if value is None or value == "":
        return "-"
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {one}" for name, one in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(str(one) for one in value)
    return str(value)
