"""docs/notices.md says what is so."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, get_args

import msgspec
import yaml

from failover.config import load
from failover.core.notice import KINDS
from failover.notify.message import Message
from failover.notify.spec import Kind, Secret, Webhook
from failover.notify.webhook import WebhookSink
from tests.cli.run import ROOT
from tests.notify.receivers import web

TEXT = (ROOT / "docs" / "notices.md").read_text()


def block(language: str, with_: str = "") -> str:
    found: list[str] = re.findall(rf"```{language}\n(.*?)```", TEXT, flags=re.DOTALL)
    return next(one for one in found if with_ in one)


def test_the_verification_takes_what_we_sign_and_nothing_else() -> None:
    given: dict[str, Any] = {}
    exec(block("python"), given)
    verified, secret = given["verified"], b"canary-webhook-secret-0123456789"
    message = msgspec.json.decode(block("json", "key"), type=Message)
    with web() as hook:
        WebhookSink(Webhook(hook.url, Secret("value", secret.decode()))).send(message)
        ((_, headers, body),) = hook.taken
    assert verified(secret, headers, body)
    assert not verified(b"another", headers, body) and not verified(secret, headers, body + b" ")
    old = {**headers, "X-Failover-Timestamp": str(int(headers["X-Failover-Timestamp"]) - 1000)}
    assert not verified(secret, old, body)
    assert msgspec.json.decode(body, type=Message) == message


def test_the_table_lists_every_event_that_is_told() -> None:
    assert sorted(re.findall(r"^\| `([a-z.-]+)` \| (?:info|warning|critical)", TEXT, flags=re.MULTILINE)) == list(KINDS)


def test_the_sample_configuration_is_right_and_shows_every_kind(tmp_path: Path) -> None:
    sinks = block("yaml")
    file = tmp_path / "config.yaml"
    file.write_text("version: 1\naccounts: [{name: main, config_dir: m}]\nprojects: [~/src/app]\n" + sinks)
    config = load(file, {"HOME": str(tmp_path)})
    assert {sink.kind for sink in config.notify} == set(get_args(Kind))
    assert len(yaml.safe_load(sinks)["notify"]) == 7
