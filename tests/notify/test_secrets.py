"""Secrets of sinks are fetched where they lie, and shown nowhere."""

from __future__ import annotations

import io
import json
import logging
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from failover import log as logs
from failover import redact
from failover.notify import secrets
from failover.notify.message import Unreachable
from failover.notify.spec import Secret
from tests.notify.office import SECRET, Office, pause, settle, texts
from tests.notify.receivers import TOKEN, web

URL = "tgram://987654321:AAanotherCanaryOfNobody_012345678901/4711/?silent=yes"


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """Let no other test run with the secrets of these."""
    before = redact._hidden[:]
    yield
    redact._hidden[:] = before


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """Give what the logs of a role would be."""
    root, hooks = logging.getLogger(), (sys.excepthook, threading.excepthook)
    before, stream = (root.handlers[:], root.level), io.StringIO()
    logs.setup("notifier", stream, format="json", level="debug")
    yield stream
    root.handlers[:], root.level = before
    sys.excepthook, threading.excepthook = hooks
    logging.captureWarnings(False)


def test_a_secret_comes_from_the_file_the_environment_or_the_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "secret"
    file.write_text("canary-of-a-file\n")
    file.chmod(0o600)
    monkeypatch.setenv("CANARY", "canary-of-a-variable")
    assert secrets.fetch(Secret("file", str(file))) == "canary-of-a-file"
    assert secrets.fetch(Secret("env", "CANARY")) == "canary-of-a-variable"
    assert secrets.fetch(Secret("value", "canary-of-the-configuration")) == "canary-of-the-configuration"
    shown = redact.redact("canary-of-a-file, canary-of-a-variable, canary-of-the-configuration; canary")
    assert shown == "[redacted], [redacted], [redacted]; canary"
    assert "canary" not in repr(Secret("value", "canary-x")) and "CANARY" in repr(Secret("env", "CANARY"))


def test_a_secret_that_is_not_to_be_had_is_said_where(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    for problem, match in (("none", "No such file"), ("open", "chmod 600"), ("empty", "is empty"), ("raw", "utf-8")):
        if problem != "none":
            file.write_bytes({"empty": b" \n", "raw": b"\xff\xfe\xfd"}.get(problem, b"x"))
            file.chmod(0o644 if problem == "open" else 0o600)
        with pytest.raises(Unreachable, match=match):
            secrets.fetch(Secret("file", str(file)))
    with pytest.raises(Unreachable, match="UNSET_CANARY is not set"):
        secrets.fetch(Secret("env", "UNSET_CANARY"))


def test_the_parts_of_a_url_are_hidden_too_but_for_the_host() -> None:
    secrets.fetch(Secret("value", URL))
    secrets.fetch(Secret("value", "slack://TokenTokenA/TokenTokenB@hooks.example.org/channel0"))
    shown = redact.redact("https://api.telegram.org/bot987654321:AAanotherCanaryOfNobody_012345678901/sendMessage")
    assert shown == "https://api.telegram.org/bot[redacted]/sendMessage"
    assert redact.redact("TokenTokenB at hooks.example.org") == "[redacted] at hooks.example.org"


def test_no_canary_reaches_a_log_a_notice_an_event_or_the_store(tmp_path: Path, written: io.StringIO) -> None:
    """Each sink's trouble is provoked, with its secret in what it answers."""
    with web() as hook, web() as telegram, web() as otlp:
        telegram.status, telegram.body = 500, json.dumps({"description": f"bad {TOKEN} for {SECRET}"}).encode()
        hook.status, hook.body = 400, f"who sent {SECRET}?".encode()
        otlp.status, otlp.body = 401, b"token canary-otlp-0123456789 is wrong"
        office = Office(
            tmp_path,
            f"{{kind: webhook, url: '{hook.url}', secret: {SECRET}}}",
            f"{{kind: telegram, token: '{TOKEN}', chat: '1', api: 'http://127.0.0.1:{telegram.port}'}}",
            f"{{kind: otlp, url: '{otlp.url}', token: canary-otlp-0123456789}}",
            f"{{kind: apprise, url: 'jsons://user:canary-password-01@127.0.0.1:{hook.port}/canary-of-a-path'}}",
            f"{{kind: file, path: {tmp_path / 'f'}}}",
            more="log: {level: debug}\n",
        )
        notifier = office.start()
        office.emit(pause("sk-ant-oat01-canary000000"))
        said = settle(notifier)
        office.pass_time(notifier, 900, 300)
        logging.getLogger("notifier").info("%s", said)
        with pytest.raises(ZeroDivisionError) as caught:
            _ = 1 / 0 if SECRET else 0
        logging.getLogger("x").error("with a traceback", exc_info=(ValueError, ValueError(SECRET), caught.tb))
        thread = threading.Thread(target=_fail, args=(SECRET,))
        thread.start()
        thread.join()
    assert len(texts(tmp_path / "f")) >= 3, "the dead sinks were told of"
    office.store.one("PRAGMA wal_checkpoint(TRUNCATE)")
    places = {"log": written.getvalue(), "notices": (tmp_path / "f").read_text()}
    places |= {"store": office.config.paths.store.read_bytes().decode(errors="replace"), "said": "; ".join(said)}
    assert "a thread ended by an error" in places["log"] and "401" in places["store"]
    for place, content in places.items():
        # An operator's own words in an order are events as they are; notices and logs of them are redacted.
        kept = () if place == "store" else ("sk-ant-oat01-canary000000",)
        for canary in (SECRET, TOKEN, TOKEN[11:], "canary-otlp", "canary-password-01", "canary-of-a-path", *kept):
            assert canary not in content, (place, canary)


def _fail(secret: Any) -> None:
    raise RuntimeError(f"with {secret} in it")
