"""The sinks of the configuration: where notices go, which ones, in which words, and when."""

from __future__ import annotations

import ipaddress
import re
import stat
import typing
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast, get_args
from urllib.parse import urlsplit

from failover.config_yaml import Value
from failover.core.notice import KINDS, SEVERITIES, Severity
from failover.core.posting import Digest, Quiet
from failover.core.routing import COMMON, Rule, objection
from failover.notify import spec
from failover.notify.spec import Kind, Secret, SinkSpec

_COMMON = ("kind", "name", "rules", "templates", "quiet", "digest", "give_up_after")
_PERSONS = ("apprise", "telegram")
#: What a person can take in; programs are told each notice unless a digest is asked for.
_DIGEST = Digest(more_than=10, within=300.0)
FACILITIES = {
    "user": 1, "daemon": 3, "local0": 16, "local1": 17, "local2": 18, "local3": 19, "local4": 20, "local5": 21,
    "local6": 22, "local7": 23,
}  # fmt: skip


def sinks(
    value: Value, accounts: Sequence[str], sessions: Sequence[str], projects: Sequence[Path]
) -> tuple[SinkSpec, ...]:
    """Return the sinks. accounts, sessions, projects: what their rules may name. Raises ConfigError."""
    known = {"accounts": list(accounts), "sessions": list(sessions), "projects": [str(one) for one in projects]}
    listed: list[SinkSpec] = []
    for entry in value.items():
        sink = _sink(entry, known)
        if any(other.name == sink.name for other in listed):
            entry.fail(f"a sink above is called {sink.name} too", f"give each a name of its own: name: {sink.kind}-2")
        listed.append(sink)
    return tuple(listed)


def _sink(value: Value, known: dict[str, list[str]]) -> SinkSpec:
    found = value.mapping()
    if "kind" not in found:
        value.fail("the key kind is missing", f"add kind: {get_args(Kind)[0]}")
    kind = cast(Kind, found["kind"].choice(list(get_args(Kind))))
    own = {
        "file": ("path",), "stdout": (), "syslog": ("address", "facility"),
        "webhook": ("url", "secret", "secret_env", "secret_file", "timeout"),
        "otlp": ("url", "token", "token_env", "token_file", "timeout"),
        "apprise": ("url", "url_env", "url_file"),
        "telegram": ("token", "token_env", "token_file", "chat", "api"),
    }[kind]  # fmt: skip
    required = {"file": ("path",), "webhook": ("url",), "telegram": ("chat",)}.get(kind, ())
    found = value.fields([*_COMMON, *own], required=required)
    digest = _DIGEST if kind in _PERSONS else None
    return SinkSpec(
        name=found["name"].name() if "name" in found else kind,
        settings=_settings(kind, value, found),
        rules=tuple(_rule(entry, known) for entry in found["rules"].items()) if "rules" in found else (),
        templates=_templates(found["templates"]) if "templates" in found else {},
        quiet=_quiet(found["quiet"]) if "quiet" in found else None,
        digest=_digest(found["digest"]) if "digest" in found else digest,
        give_up_after=found["give_up_after"].duration() if "give_up_after" in found else 7 * 86400.0,
    )


def _settings(kind: Kind, value: Value, found: dict[str, Value]) -> spec.Settings:
    timeout: dict[str, Any] = {"timeout": found["timeout"].duration()} if "timeout" in found else {}
    match kind:
        case "file":
            return spec.File(found["path"].path())
        case "stdout":
            return spec.Stdout()
        case "syslog":
            given: dict[str, Any] = {"address": _address(found["address"])} if "address" in found else {}
            if "facility" in found:
                given["facility"] = FACILITIES[found["facility"].choice(list(FACILITIES))]
            return spec.Syslog(**given)
        case "webhook":
            return spec.Webhook(_url(found["url"]), _secret(value, found, "secret"), **timeout)
        case "otlp":
            url: dict[str, Any] = {"url": _url(found["url"])} if "url" in found else {}
            token = _secret(value, found, "token") if {"token", "token_env", "token_file"} & found.keys() else None
            return spec.Otlp(**url, token=token, **timeout)
        case "apprise":
            return spec.Apprise(_secret(value, found, "url"))
    api = {"api": _url(found["api"])} if "api" in found else {}
    return spec.Telegram(_secret(value, found, "token"), _chat(found["chat"]), **api)


def _secret(value: Value, found: dict[str, Value], key: str) -> Secret:
    """Return where a secret is to be had. It is not looked at: a configuration may be checked where it is not."""
    ways = [name for name in (key, f"{key}_env", f"{key}_file") if name in found]
    if len(ways) != 1:
        given = "none is given" if not ways else f"{' and '.join(ways)} are given"
        value.fail(
            f"one of {key}, {key}_env and {key}_file is needed, and {given}", f"keep one: {key}_file: PATH, mode 0600"
        )
    entry = found[ways[0]]
    if ways[0] == f"{key}_file":
        return Secret("file", str(entry.path()))
    text = entry.text()
    if ways[0] == f"{key}_env":
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,127}", text):
            entry.fail("is no name of an environment variable", "use letters, digits and _")
        return Secret("env", text)
    if not text:
        entry.fail("is empty", "write it here, or in a file of its own")
    if entry.file.exists() and stat.S_IMODE(entry.file.stat().st_mode) & 0o044:
        entry.fail(
            "is a secret, and other users can read this file",
            f"chmod go-r {entry.file}, or use {key}_file or {key}_env",
        )
    return Secret("value", text)


def _url(value: Value) -> str:
    """Return a URL that nobody on the way can read or change: https, or http to this host."""
    text = value.text()
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        parts, host = urlsplit(""), ""
    if parts.scheme not in ("http", "https") or not host or parts.username or parts.fragment:
        value.fail("is no URL that can be used", "write it as https://HOST/PATH, without a user, password or fragment")
    if parts.scheme == "http" and not _is_loopback(host):
        value.fail(f"would send notices to {host} in the clear", "use https; http is for loopback addresses")
    return text


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _address(value: Value) -> str:
    text = value.text()
    if text.startswith("unix:/"):
        return text
    match = re.fullmatch(r"(?:udp|tcp)://(?:\[[0-9a-fA-F:]+\]|[A-Za-z0-9._-]+):(\d{1,5})", text)
    if match is None or not 0 < int(match[1]) < 65536:
        value.fail(f"{text!r} is no address of a syslog", "write unix:/dev/log, udp://HOST:514 or tcp://HOST:601")
    return text


def _chat(value: Value) -> str:
    text = value.text()
    if not re.fullmatch(r"-?\d{1,20}(:\d{1,10})?|@\w{2,64}", text):
        value.fail(f"{text!r} is no chat", 'write its number in quotes ("-1001234567890") or its @name')
    return text


def _rule(value: Value, known: dict[str, list[str]]) -> Rule:
    found = value.fields(Rule.__struct_fields__)
    given: dict[str, Any] = {}
    for entry in found["events"].items() if "events" in found else ():
        prefix = entry.text()
        if not prefix or not any(kind.startswith(prefix) for kind in KINDS):
            entry.fail(f"no notice comes of events that begin with {prefix!r}", f"what there is: {', '.join(KINDS)}")
        given["events"] = (*given.get("events", ()), prefix)
    if "severity" in found:
        given["severity"] = _severity(found["severity"])
    for key, names in known.items():
        for entry in found[key].items() if key in found else ():
            name = str(entry.path()) if key == "projects" else entry.text()
            if name not in names:
                entry.fail(
                    f"{name} is none of the {key}", f"use what stands under {key}: {', '.join(names) or 'nothing'}"
                )
            given[key] = (*given.get(key, ()), name)
    return Rule(**given)


def _severity(value: Value) -> Severity:
    return cast(Severity, value.choice(list(SEVERITIES)))


def _templates(value: Value) -> dict[str, str]:
    from failover.events import AnyEvent

    fields = {str(one.__struct_config__.tag): one.__struct_fields__ for one in typing.get_args(AnyEvent)}
    templates = {}
    for kind, entry in value.mapping().items():
        if kind not in KINDS:
            entry.fail("no notice comes of this event", f"what there is: {', '.join(KINDS)}")
        known = sorted({*COMMON, *fields[kind]})
        template = entry.text()
        if wrong := objection(template, known):
            entry.fail(wrong, f"what it may name: {', '.join(f'{{{name}}}' for name in known)}; braces: {{{{ and }}}}")
        templates[kind] = template
    return templates


def _quiet(value: Value) -> Quiet:
    found = value.fields(["from", "to", "zone", "breaks"], required=("from", "to", "zone"))
    begin, end = _minute(found["from"]), _minute(found["to"])
    if begin == end:
        value.fail("from and to are the same", 'write e.g. {from: "22:00", to: "07:00", zone: Europe/Berlin}')
    zone = found["zone"].text()
    if not _is_zone(zone):
        found["zone"].fail(f"{zone!r} is no time zone that this host knows", "write it as Europe/Berlin, or UTC")
    breaks = {"breaks": _severity(found["breaks"])} if "breaks" in found else {}
    return Quiet(begin=begin, end=end, zone=zone, **breaks)


def _minute(value: Value) -> int:
    # Without its quotes YAML 1.1 reads 22:00 as the number 1320.
    text = value.text()
    match = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)", text)
    if match is None:
        value.fail(f"{text!r} is no time of day", 'write it in quotes, from "00:00" to "23:59"')
    return int(match[1]) * 60 + int(match[2])


def _is_zone(name: str) -> bool:
    from zoneinfo import ZoneInfo

    try:
        ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        return False
    return True


def _digest(value: Value) -> Digest | None:
    if value.is_text("never"):
        return None
    found = value.fields(Digest.__struct_fields__, required=Digest.__struct_fields__)
    return Digest(more_than=found["more_than"].integer(1, 100), within=found["within"].duration())
