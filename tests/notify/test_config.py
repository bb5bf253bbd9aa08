"""The sinks of the configuration say what is wrong, where, and how to mend it."""

from __future__ import annotations

from pathlib import Path

import pytest

from failover.config import Config, load
from failover.core.posting import Digest, Quiet
from failover.core.routing import Rule
from failover.errors import ConfigError
from failover.notify import spec
from failover.notify.spec import Secret

HEAD = (
    "version: 1\naccounts: [{name: a, config_dir: a}]\nprojects: [app]\nsessions: [{name: s, project: work}]\nnotify:\n"
)


def read(folder: Path, *sinks: str, mode: int = 0o600) -> Config:
    path = folder / "config.yaml"
    path.write_text(HEAD + "".join(f"  - {sink}\n" for sink in sinks))
    path.chmod(mode)
    return load(path, {"HOME": str(folder)})


def test_every_key_of_a_sink_is_read(tmp_path: Path) -> None:
    config = read(
        tmp_path,
        "{kind: file, path: f}",
        "{kind: stdout, digest: {more_than: 3, within: 1m}}",
        "{kind: syslog, address: 'tcp://[::1]:601', facility: local3, give_up_after: 2d}",
        "{kind: webhook, url: 'http://127.0.0.1:9/x?y=1', secret_env: HOOK, timeout: 3s}",
        "{kind: otlp, url: 'https://otel.example.org/v1/logs', token_file: t}",
        "{kind: apprise, name: team, url_file: u, digest: never, rules: [{events: [swap., task.], severity: warning,"
        " accounts: [a], sessions: [s], projects: [app, work]}]}",
        "{kind: telegram, token: '1:x', chat: '@me', api: 'https://bots.example.org',"
        " quiet: {from: '22:30', to: '7:00', zone: Europe/Berlin, breaks: warning},"
        " templates: {swap.finished: '{outcome}: {text} {{}}'}}",
        "{kind: syslog, name: plain}",
        "{kind: otlp, name: local}",
    )
    file, stdout, syslog, hook, otlp, team, telegram, plain, local = config.notify
    assert (file.name, file.settings, file.digest) == ("file", spec.File(tmp_path / "f"), None)
    assert stdout.digest == Digest(more_than=3, within=60.0)
    assert (syslog.settings, syslog.give_up_after) == (spec.Syslog("tcp://[::1]:601", 19), 2 * 86400.0)
    assert hook.settings == spec.Webhook("http://127.0.0.1:9/x?y=1", Secret("env", "HOOK"), 3.0)
    assert otlp.settings == spec.Otlp("https://otel.example.org/v1/logs", Secret("file", str(tmp_path / "t")))
    assert (team.kind, team.name, team.digest) == ("apprise", "team", None)
    projects = (str(tmp_path / "app"), str(tmp_path / "work"))
    assert team.rules == (
        Rule(events=("swap.", "task."), severity="warning", accounts=("a",), sessions=("s",), projects=projects),
    )
    assert telegram.settings == spec.Telegram(Secret("value", "1:x"), "@me", "https://bots.example.org")
    assert telegram.quiet == Quiet(begin=1350, end=420, zone="Europe/Berlin", breaks="warning")
    assert telegram.digest == Digest(more_than=10, within=300.0) and telegram.templates
    assert (plain.settings, local.settings) == (spec.Syslog("unix:/dev/log", 3), spec.Otlp())


HOOK = "kind: webhook, url: 'https://x/'"


@pytest.mark.parametrize(
    ("sink", "key", "says"),
    [
        ("{path: x}", "notify[0]", "kind is missing"),
        ("{kind: telegramm}", "notify[0].kind", "did you mean telegram?"),
        ("{kind: file}", "notify[0]", "path is missing"),
        ("{kind: file, path: f, url: x}", "notify[0].url", "is no key that exists"),
        (f"{{{HOOK}}}", "notify[0]", "one of secret, secret_env and secret_file is needed"),
        (f"{{{HOOK}, secret: x, secret_env: y}}", "notify[0]", "secret and secret_env are given"),
        (f"{{{HOOK}, secret_env: 'a b'}}", "notify[0].secret_env", "no name of an environment variable"),
        (f"{{{HOOK}, secret: ''}}", "notify[0].secret", "is empty"),
        ("{kind: webhook, url: 'http://example.org/', secret: x}", "notify[0].url", "in the clear; use https"),
        ("{kind: webhook, url: 'ftp://x/', secret: x}", "notify[0].url", "no URL that can be used"),
        ("{kind: webhook, url: 'https://u:p@x/', secret: x}", "notify[0].url", "without a user"),
        ("{kind: webhook, url: 'https://x:99999/', secret: x}", "notify[0].url", "no URL that can be used"),
        ("{kind: syslog, address: '/dev/log'}", "notify[0].address", "write unix:/dev/log, udp://HOST:514"),
        ("{kind: syslog, address: 'udp://h:0'}", "notify[0].address", "no address of a syslog"),
        ("{kind: syslog, facility: mail}", "notify[0].facility", "what exists: user, daemon, local0"),
        ("{kind: telegram, token: x, chat: 'no chat'}", "notify[0].chat", "write its number in quotes"),
        ("{kind: file, path: f, rules: [{events: [tasks.]}]}", "notify[0].rules[0].events[0]", "what there is: "),
        ("{kind: file, path: f, rules: [{severity: bad}]}", "notify[0].rules[0].severity", "info, warning, critical"),
        ("{kind: file, path: f, rules: [{accounts: [b]}]}", "notify[0].rules[0].accounts[0]", "use what stands under"),
        ("{kind: file, path: f, rules: [{projects: [b]}]}", "notify[0].rules[0].projects[0]", "none of the projects"),
        ("{kind: file, path: f, templates: {task.queued: x}}", "notify[0].templates.task.queued", "no notice comes of"),
        ("{kind: file, path: f, templates: {task.finished: '{tsk}'}}", "notify[0].templates.task.finished",
         "{tsk} is no placeholder of this event; what it may name: {account}, {at}, {name}, {outcome}"),
        ("{kind: file, path: f, templates: {task.finished: '{'}}", "notify[0].templates.task.finished", "no template"),
        ("{kind: file, path: f, quiet: {from: 22:00, to: '7:00', zone: UTC}}", "notify[0].quiet.from", "in quotes"),
        ("{kind: file, path: f, quiet: {from: '24:00', to: '7:00', zone: UTC}}", "notify[0].quiet.from", "no time of"),
        ("{kind: file, path: f, quiet: {from: '7:00', to: '07:00', zone: UTC}}", "notify[0].quiet", "are the same"),
        ("{kind: file, path: f, quiet: {from: '7:00', to: '8:00', zone: Mars}}", "notify[0].quiet.zone", "no time zo"),
        ("{kind: file, path: f, quiet: {from: '7:00', to: '8:00', zone: ../x}}", "notify[0].quiet.zone", "no time zo"),
        ("{kind: file, path: f, digest: {more_than: 0, within: 1m}}", "notify[0].digest.more_than", "from 1 to 100"),
    ],
)  # fmt: skip
def test_a_wrong_sink_is_refused_by_line_and_key(tmp_path: Path, sink: str, key: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, sink)
    assert (caught.value.line, caught.value.key) == (6, key) and says in str(caught.value)


def test_two_sinks_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="called file too; give each a name of its own: name: file-2"):
        read(tmp_path, "{kind: file, path: f}", "{kind: file, path: g}")


def test_a_secret_in_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="other users can read this file; chmod go-r"):
        read(tmp_path, f"{{{HOOK}, secret: canary}}", mode=0o644)
    assert read(tmp_path, f"{{{HOOK}, secret_env: X}}", mode=0o644).notify
    assert "canary" not in repr(read(tmp_path, f"{{{HOOK}, secret: canary}}"))
