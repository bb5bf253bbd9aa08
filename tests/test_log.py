"""One JSON object per line, with what it is about, and no secret in it."""

from __future__ import annotations

import io
import json
import logging
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from failover import log as logs

CANARY = "sk-ant-oat01-canary0123456789"


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    root = logging.getLogger()
    before = root.handlers[:], root.level, sys.excepthook, threading.excepthook
    yield
    root.handlers[:], root.level, sys.excepthook, threading.excepthook = before
    logging.captureWarnings(False)


def line(stream: io.StringIO) -> Any:
    return json.loads(stream.getvalue().splitlines()[-1])


def test_a_line_carries_what_its_cycle_is_about() -> None:
    stream = io.StringIO()
    log = logs.setup("account-switcher", stream)
    log.info("before")
    assert set(line(stream)) == {"at", "role", "level", "message"}
    with logs.cycle():
        logs.concerns({"swap": 3, "session": "s-0", "account": "", "why": "x"}.items())
        logs.concerns({"swap": 3, "session": "s-1", "role": "bus"}.items())
        log.info("moved")
        told = line(stream)
        assert (told["swap"], told["sessions"]) == (3, ["s-0", "s-1"])
        assert told["role"] == "account-switcher" and "account" not in told and "why" not in told
        logs.concerns(("task", number) for number in range(1, 99))
        log.info("many")
        assert len(line(stream)["tasks"]) == 20
    logs.concerns([("swap", 4)])
    log.info("after")
    assert "swap" not in line(stream)


def test_format_and_level_are_the_operator_s_choice() -> None:
    stream = io.StringIO()
    log = logs.setup("x", stream, format="text", level="warning")
    log.info("not shown")
    log.warning("shown %s", CANARY)
    assert stream.getvalue().endswith("x WARNING shown [redacted]\n") and "not shown" not in stream.getvalue()


def test_what_nobody_caught_is_logged_without_its_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    log = logs.setup("x", stream)

    def fail() -> None:
        raise RuntimeError(CANARY)

    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    assert "RuntimeError: [redacted]" in line(stream)["error"]
    try:
        fail()
    except RuntimeError as error:
        log.exception("caught")
        sys.excepthook(RuntimeError, error, error.__traceback__)
    assert line(stream)["level"] == "critical" and CANARY not in stream.getvalue()
    threading.excepthook(threading.ExceptHookArgs((SystemExit, None, None, None)))
    logging.getLogger("uvicorn.error").error("Exception in ASGI application %s", CANARY)
    assert line(stream)["message"].endswith("[redacted]")
