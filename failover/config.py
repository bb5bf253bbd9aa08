"""The configuration: one YAML file into frozen values, checked whole before anybody acts on it.

Only keys whose behaviour exists are accepted.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast, get_args, get_type_hints

import msgspec

from failover import config_accounts, config_notify
from failover.config_daemon import Dispatch, Http, Janitor, Limit, Log, Retention, Tls, Tmux
from failover.config_file import find, read
from failover.config_kinds import lasting, whole
from failover.config_model import (
    Account,
    Claude,
    Config,
    Deadline,
    Failover,
    SessionSpec,
    Thresholds,
    Usage,
)
from failover.config_yaml import Value, parse, suggestion
from failover.core.choice import IdleSessions, Strategy
from failover.core.prompt import PLACEHOLDERS, Templates, problem

__all__ = [
    "Account", "Claude", "Config", "Deadline", "Dispatch", "Failover", "Http", "Janitor", "Log", "Retention",
    "SessionSpec", "Thresholds", "Tmux", "Usage", "find", "load",
]  # fmt: skip

_MAX_SESSIONS = 500
_RANGE = re.compile(r"\{(0|[1-9]\d{0,3})\.\.(0|[1-9]\d{0,3})\}")


def load(path: Path, environ: Mapping[str, str] = os.environ) -> Config:
    """Return the configuration in `path`. Raises ConfigError for the first thing that is wrong in it."""
    root = parse(path, read(path), environ)
    known = [field for field in Config.__struct_fields__ if field != "file"]
    top = root.fields(known, required=("version", "accounts"))
    top["version"].integer(1, 1)
    thresholds = config_accounts.thresholds(top["thresholds"], Thresholds()) if "thresholds" in top else Thresholds()
    home = Path(environ.get("HOME") or Path.home())
    shared_dir = top["shared_dir"].path() if "shared_dir" in top else home / ".claude"
    state_dir = top["state_dir"].path() if "state_dir" in top else home / ".local" / "state" / "claude-failover"
    accounts = config_accounts.accounts(top["accounts"], thresholds, shared_dir, state_dir)
    failover = _failover(top["failover"]) if "failover" in top else Failover()
    for model in {name for one in (thresholds, *(a.thresholds for a in accounts)) for name in one.models}:
        if model not in failover.models:
            place = top["thresholds"] if model in thresholds.models else top["accounts"]
            place.fail(f"there is a threshold for {model}, which is not named", f"add it: failover.models: [{model}]")
    projects = _projects(top["projects"]) if "projects" in top else ()
    names = [one.name for one in accounts]
    sessions = _sessions(top["sessions"], names, projects) if "sessions" in top else ()
    at_work = dict.fromkeys([*projects, *(one.project for one in sessions)])
    return Config(
        file=path.absolute(),
        version=1,
        state_dir=state_dir,
        shared_dir=shared_dir,
        claude=_claude(top["claude"]) if "claude" in top else Claude(),
        accounts=accounts,
        thresholds=thresholds,
        sessions=sessions,
        projects=projects,
        failover=failover,
        usage=_usage(top["usage"]) if "usage" in top else Usage(),
        http=_http(top["http"]) if "http" in top else Http(),
        tmux=_tmux(top["tmux"]) if "tmux" in top else Tmux(),
        notify=config_notify.sinks(top["notify"], names, [one.name for one in sessions], list(at_work))
        if "notify" in top
        else (),
        log=_log(top["log"]) if "log" in top else Log(),
        dispatch=_dispatch(top["dispatch"], projects) if "dispatch" in top else Dispatch(),
        retention=_retention(top["retention"]) if "retention" in top else Retention(),
        janitor=_janitor(top["janitor"]) if "janitor" in top else Janitor(),
        replay=_replay(top["replay"]) if "replay" in top else Templates(),
        sessions_restart="never" if _chosen(top, "sessions_restart", "auto", "never") else "auto",
        macos="untried" if _chosen(top, "macos", "refuse", "untried") else "refuse",
    )


def _claude(value: Value) -> Claude:
    found, default = value.fields(Claude.__struct_fields__), Claude()
    env: dict[str, str] = {}
    if "env" in found:
        from failover.claude.launch import AUTH_VARIABLES  # seldom needed, and every verb reads the configuration
    for name, entry in found["env"].mapping().items() if "env" in found else ():
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,127}", name):
            entry.fail(f"{name!r} is no name of an environment variable", "use letters, digits and _")
        if name in AUTH_VARIABLES or name == "CLAUDE_CONFIG_DIR":
            # The binary puts these before the login in the config dir.
            entry.fail("would make all accounts one", "remove it; each account logs in inside its own config_dir")
        env[name] = entry.text()
    command = found["command"].text() if "command" in found else default.command
    if not command:
        found["command"].fail("is empty", "name the binary: claude, or its path")
    if "/" in command:
        command = str(found["command"].path())
    return Claude(
        command=command,
        args=tuple(entry.text() for entry in found["args"].items()) if "args" in found else (),
        env=env,
    )


def _sessions(value: Value, accounts: list[str], projects: tuple[Path, ...]) -> tuple[SessionSpec, ...]:
    sessions: dict[str, SessionSpec] = {}
    for entry in value.items():
        found = entry.fields(SessionSpec.__struct_fields__, required=("name", "project"))
        project = found["project"].path()
        account = found["account"].text() if "account" in found else None
        if account is not None and account not in accounts:
            near = suggestion(account, accounts)
            found["account"].fail(f"there is no account {account}{near}", f"use one of: {', '.join(accounts)}")
        serves = _serves(found["serves"], projects) if "serves" in found else ()
        for name in _expanded(found["name"]):
            if name in sessions:
                found["name"].fail(f"the session {name} is there twice", "give each session a name of its own")
            sessions[name] = SessionSpec(name=name, project=project, account=account, serves=serves)
        if len(sessions) > _MAX_SESSIONS:
            found["name"].fail(f"more than {_MAX_SESSIONS} sessions", "make the ranges smaller")
    return tuple(sessions.values())


def _serves(value: Value, projects: tuple[Path, ...]) -> tuple[Path, ...]:
    if value.is_text("all"):
        return projects
    return tuple(_project(entry, projects) for entry in value.items())


def _project(value: Value, projects: tuple[Path, ...]) -> Path:
    found = value.path()
    if found not in projects:
        value.fail(f"{found} is none of the projects", "add it to projects, written the same way")
    return found


def _expanded(value: Value) -> list[str]:
    text = value.text()
    names = [text]
    if match := _RANGE.search(text):
        low, high = int(match[1]), int(match[2])
        if not low <= high < low + _MAX_SESSIONS:
            value.fail(f"the range {match[0]} is empty or over {_MAX_SESSIONS} long", "write it as {0..9}")
        names = [text.replace(match[0], str(number), 1) for number in range(low, high + 1)]
    for name in names:
        if "." in name or ":" in name:
            # tmux turns both into _ without a word, so that the session would never be found again.
            value.fail(f"tmux allows no . or : in the session name {name}", "use - or _; a range is written {0..9}")
        value.name(name)
    return names


def _projects(value: Value) -> tuple[Path, ...]:
    projects: dict[Path, None] = {}  # in a list each would be held against all before it: ten thousand took 10 s
    for entry in value.items():
        project = entry.path()
        if project in projects:
            entry.fail(f"{project} is there twice", "keep one of the two")
        projects[project] = None
    return tuple(projects)


def _failover(value: Value) -> Failover:
    found, default = value.fields(Failover.__struct_fields__), Failover()
    strategy, idle = default.strategy, default.idle_sessions
    if "strategy" in found:
        strategy = cast(Strategy, found["strategy"].choice(list(get_args(Strategy))))
    if "idle_sessions" in found:
        idle = cast(IdleSessions, found["idle_sessions"].choice(list(get_args(IdleSessions))))
    deadline = default.deadline
    if "deadline" in found:
        parts = found["deadline"].fields(Deadline.__struct_fields__)
        deadline = msgspec.structs.replace(deadline, **{name: entry.duration() for name, entry in parts.items()})
        if not deadline.hard < deadline.soft:
            found["deadline"].fail("hard is not shorter than soft", "write e.g. {soft: 10m, hard: 20s}")
    parallel = default.max_parallel
    if "max_parallel" in found and not found["max_parallel"].is_text("auto"):
        parallel = whole(found["max_parallel"], Failover, "max_parallel")
    reset = found["wait_if_reset_within"].duration(zero=True) if "wait_if_reset_within" in found else None
    return Failover(
        strategy=strategy,
        margin=found["margin"].percent(zero=True) if "margin" in found else default.margin,
        cooldown=found["cooldown"].duration(zero=True) if "cooldown" in found else default.cooldown,
        deadline=deadline,
        wait_if_reset_within=default.wait_if_reset_within if reset is None else reset,
        idle_sessions=idle,
        fail_back=found["fail_back"].boolean() if "fail_back" in found else default.fail_back,
        forecast=found["forecast"].boolean() if "forecast" in found else default.forecast,
        models=tuple(_model(entry) for entry in found["models"].items()) if "models" in found else (),
        max_parallel=parallel,
    )


def _usage(value: Value) -> Usage:
    found, default = value.fields(Usage.__struct_fields__), Usage()
    least = default.least
    if "least" in found:
        least = lasting(found["least"], Usage, "least", "the provider answers 429 for long when asked more often; ")
    most = found["most"].duration() if "most" in found else max(default.most, least)
    if most < least:
        found["most"].fail("is shorter than least", "write e.g. least: 5m, most: 1h")
    command = tuple(entry.text() for entry in found["command"].items()) if "command" in found else ()
    if command and not command[0]:
        found["command"].fail("names no program", "write it as [program, argument, …]; it is run without a shell")
    if command and "/" in command[0]:
        command = (str(found["command"].items()[0].path()), *command[1:])
    return Usage(
        poll=found["poll"].boolean() if "poll" in found else default.poll,
        least=least,
        most=most,
        timeout=found["timeout"].duration() if "timeout" in found else default.timeout,
        command=command,
        every=lasting(found["every"], Usage, "every") if "every" in found else default.every,
    )


def _model(value: Value) -> str:
    model = value.text()
    if not re.fullmatch(r"[a-z0-9_]{1,32}", model):
        value.fail(
            f"{model!r} is no name of a model's weekly window", "write it as seven_day_NAME has it: opus, sonnet"
        )
    return model


def _http(value: Value) -> Http:
    found, default = value.fields(Http.__struct_fields__), Http()
    listen = found["listen"].text() if "listen" in found else default.listen
    tls = _tls(found["tls"]) if "tls" in found and not found["tls"].is_text("none") else None
    hosts = tuple(_host(entry) for entry in found["hosts"].items()) if "hosts" in found else ()
    if listen != "none":
        _address(found.get("listen", value), listen, tls is not None, bool(hosts))
    elif tls:
        found["tls"].fail("is for a TCP address, and there is none", "remove it, or name one in listen")
    return Http(listen=listen, tls=tls, hosts=hosts)


def _address(value: Value, listen: str, tls: bool, named: bool) -> None:
    host, _, port = listen.rpartition(":")
    if not re.fullmatch(r"\d{1,5}", port) or int(port) > 65535:
        value.fail(f"{listen!r} has no port from 0 to 65535", 'write it as "127.0.0.1:7717"')
    try:
        address = ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        address = None
    if address is None or (":" in host) != host.startswith("["):
        value.fail(f"{listen!r} is no address, and so no loopback address", 'write it as "127.0.0.1:7717"')
    if not address.is_loopback and not tls:
        value.fail(
            f"{listen!r} is no loopback address and has no TLS",
            'add http.tls: {cert: FILE, key: FILE}, or use "127.0.0.1:7717" and reach it from afar over ssh -L',
        )
    if address.is_unspecified and not named:
        value.fail(f"{listen!r} is no name that anybody asks for", "add http.hosts: [NAME], the names it is reached by")


def _tls(value: Value) -> Tls:
    found = value.fields(Tls.__struct_fields__, required=Tls.__struct_fields__)
    return Tls(cert=found["cert"].path(), key=found["key"].path())


def _host(value: Value) -> str:
    text = value.text()
    try:
        ipaddress.ip_address(text)
    except ValueError:
        if not re.fullmatch(r"(?!-)[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63}){0,10}", text):
            value.fail(f"{text!r} is no name of a host", "write it as in failover.example.org, without a port")
    return text


def _tmux(value: Value) -> Tmux:
    found = value.fields(Tmux.__struct_fields__)
    return Tmux(socket=found["socket"].name() if "socket" in found else Tmux().socket)


def _log(value: Value) -> Log:
    found = value.fields(Log.__struct_fields__)
    hints = get_type_hints(Log)
    given: dict[str, Any] = {key: entry.choice(list(get_args(hints[key]))) for key, entry in found.items()}
    return Log(**given)


def _dispatch(value: Value, projects: tuple[Path, ...]) -> Dispatch:
    found, default = value.fields(Dispatch.__struct_fields__), Dispatch()
    return Dispatch(
        submit_timeout=found["submit_timeout"].duration() if "submit_timeout" in found else default.submit_timeout,
        max_attempts=whole(found["max_attempts"], Dispatch, "max_attempts")
        if "max_attempts" in found
        else default.max_attempts,
        task_timeout=found["task_timeout"].duration() if "task_timeout" in found else default.task_timeout,
        per_project=_at_once(found["per_project"]) if "per_project" in found else default.per_project,
        limits=_limits(found["limits"], projects) if "limits" in found else default.limits,
        status_json="leave" if _leaves(found) else default.status_json,
    )


def _leaves(found: Mapping[str, Value]) -> bool:
    return "status_json" in found and found["status_json"].choice(["write", "leave"]) == "leave"


def _at_once(value: Value) -> int | None:
    return None if value.is_text("all") else whole(value, Dispatch, "per_project")


def _limits(value: Value, projects: tuple[Path, ...]) -> tuple[Limit, ...]:
    limits: list[Limit] = []
    for entry in value.items():
        found = entry.fields(Limit.__struct_fields__, required=("project", "at_once"))
        limit = Limit(_project(found["project"], projects), whole(found["at_once"], Limit, "at_once"))
        if any(other.project == limit.project for other in limits):
            found["project"].fail(f"{limit.project} is there twice", "keep one of the two")
        limits.append(limit)
    return tuple(limits)


def _replay(value: Value) -> Templates:
    said = value.fields(list(PLACEHOLDERS))
    for name, entry in said.items():
        if wrong := problem(name, entry.text()):
            entry.fail(*wrong)
    return Templates(**{name: entry.text() for name, entry in said.items()})


def _chosen(top: Mapping[str, Value], key: str, usual: str, other: str) -> bool:
    """Say whether a key with two values has the one that is not usual."""
    return key in top and top[key].choice([usual, other]) == other


def _retention(value: Value) -> Retention:
    found = value.fields(Retention.__struct_fields__)
    return msgspec.structs.replace(Retention(), **{name: entry.duration() for name, entry in found.items()})


def _janitor(value: Value) -> Janitor:
    found, default = value.fields(Janitor.__struct_fields__), Janitor()
    backup = default.backup_every
    if "backup_every" in found:
        entry = found["backup_every"]
        backup = 0.0 if entry.is_text("0") else lasting(entry, Janitor, "backup_every", instead=", or 0 for no backups")
    leaves = "orphans" in found and found["orphans"].choice(["end", "leave"]) == "leave"
    return Janitor(
        every=lasting(found["every"], Janitor, "every") if "every" in found else default.every,
        orphans="leave" if leaves else default.orphans,
        logs_mb=whole(found["logs_mb"], Janitor, "logs_mb") if "logs_mb" in found else default.logs_mb,
        backup_every=backup,
        backups=whole(found["backups"], Janitor, "backups") if "backups" in found else default.backups,
    )
