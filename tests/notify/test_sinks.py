"""Each kind of sink against a real receiver."""

from __future__ import annotations

import hmac
import io
import json
import logging
import os
import re
import socket
import subprocess
import sys
import threading
import time
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from failover import log as logs
from failover.clock import ManualClock
from failover.notify import make
from failover.notify.apprise import AppriseSink
from failover.notify.http import post
from failover.notify.message import Message, Rejected, Unreachable
from failover.notify.otlp import OtlpSink
from failover.notify.spec import Apprise, File, Otlp, Secret, SinkSpec, Stdout, Syslog, Telegram, Webhook
from failover.notify.syslog import SyslogSink, encode
from failover.notify.telegram import TelegramSink
from failover.notify.webhook import WebhookSink
from tests.notify.receivers import TOKEN, Web, datagrams, stream, web

MESSAGE = Message(
    key="x/7/1800000000123", event=7, at_ms=1_800_000_000_123, type="swap.finished", severity="warning",
    text='Swap 3 is partial: "1" moved <b> & é.', accounts=("a", "b"), sessions=("s-0",), swap=3,
)  # fmt: skip
SECRET = Secret("value", "canary-webhook-secret-0123456789")


def plain(headers: dict[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


# -- webhook --------------------------------------------------------------------------------------------


def test_a_webhook_is_signed_over_time_and_body_and_carries_its_key() -> None:
    with web() as hook:
        assert WebhookSink(Webhook(hook.url, SECRET), ManualClock(epoch=1234.9)).send(MESSAGE) == "answered 200"
        ((path, headers, body),) = hook.taken
    headers = plain(headers)
    expected = hmac.new(SECRET.where.encode(), b"1234." + body, "sha256").hexdigest()
    assert path == "/in" and headers["x-failover-timestamp"] == "1234"
    assert headers["x-failover-signature"] == f"sha256={expected}" and headers["idempotency-key"] == MESSAGE.key
    assert json.loads(body)["text"] == MESSAGE.text and headers["content-type"] == "application/json"


@pytest.mark.parametrize("status", [400, 413, 422])
def test_what_a_receiver_cannot_take_is_rejected(status: int) -> None:
    with web() as hook, pytest.raises(Rejected, match=rf"answered {status} .*: not like this"):
        hook.status, hook.body = status, b"not like this\nmore"
        WebhookSink(Webhook(hook.url, SECRET)).send(MESSAGE)


@pytest.mark.parametrize("status", [301, 401, 403, 404, 408, 500, 503])
def test_what_somebody_can_mend_is_tried_again_and_no_redirect_is_followed(status: int) -> None:
    with web() as hook, web() as other, pytest.raises(Unreachable, match=f"answered {status}"):
        hook.status, hook.headers = status, {"Location": other.url}
        try:
            WebhookSink(Webhook(hook.url, SECRET)).send(MESSAGE)
        finally:
            assert other.asked == 0


@pytest.mark.parametrize(
    ("header", "low", "high"),
    [("7", 7, 7), ("99999999", 3600, 3600), ("x", None, None), ("", None, None), ("DATE", 50, 70), ("PAST", 0, 0)],
)
def test_how_long_it_asks_to_be_left_alone_is_believed(header: str, low: float | None, high: float | None) -> None:
    shown = {"DATE": formatdate(time.time() + 60, usegmt=True), "PAST": formatdate(0, usegmt=True)}.get(header, header)
    with web() as hook, pytest.raises(Unreachable) as caught:
        hook.status, hook.headers = 429, {"Retry-After": shown}
        WebhookSink(Webhook(hook.url, SECRET)).send(MESSAGE)
    wait = caught.value.retry_after
    assert wait is None if low is None or high is None else wait is not None and low <= wait <= high


def test_one_who_is_not_there_or_does_not_answer_is_given_up_in_time() -> None:
    with web() as hook:
        hook.answering.clear()
        with pytest.raises(Unreachable, match=r"did not answer within 0\.1 s"):
            WebhookSink(Webhook(hook.url, SECRET, timeout=0.1)).send(MESSAGE)
        url = hook.url
    with pytest.raises(Unreachable, match="cannot be reached: Connection refused"):
        WebhookSink(Webhook(url, SECRET)).send(MESSAGE)


def test_one_who_answers_a_byte_at_a_time_is_cut_off() -> None:
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            connection, _ = server.accept()
            with connection:
                while not over.wait(0.05):
                    try:
                        connection.send(b"H")
                    except OSError:
                        return

        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        with pytest.raises(Unreachable, match="cannot be reached"):
            post(f"http://127.0.0.1:{server.getsockname()[1]}/", b"{}", {}, 0.2)
        over.set()
        thread.join(10)


# -- otlp -----------------------------------------------------------------------------------------------


def test_otlp_sends_a_log_record() -> None:
    with web() as collector:
        collector.body = b"{}"
        url = f"http://127.0.0.1:{collector.port}/v1/logs"
        OtlpSink(Otlp(url, token=Secret("value", "canary-otlp-token"))).send(MESSAGE)
        ((path, headers, body),) = collector.taken
    assert path == "/v1/logs" and plain(headers)["authorization"] == "Bearer canary-otlp-token"
    (resource,) = json.loads(body)["resourceLogs"]
    assert {"key": "service.name", "value": {"stringValue": "claude-failover"}} in resource["resource"]["attributes"]
    (record,) = resource["scopeLogs"][0]["logRecords"]
    assert record["timeUnixNano"] == "1800000000123000000" and record["body"] == {"stringValue": MESSAGE.text}
    assert (record["severityNumber"], record["severityText"]) == (13, "WARNING")
    assert {"key": "failover.swap", "value": {"intValue": "3"}} in record["attributes"]
    assert {"key": "failover.account", "value": {"stringValue": "a,b"}} in record["attributes"]


@pytest.mark.parametrize("answer", [b"", b"nonsense", b"[]", b'{"partialSuccess": null}', b'{"partialSuccess": {}}'])
def test_a_collector_that_took_it_may_say_anything_or_nothing(answer: bytes) -> None:
    with web() as collector:
        collector.body = answer
        assert OtlpSink(Otlp(collector.url)).send(MESSAGE) == "answered 200"


def test_a_record_that_a_collector_rejected_was_not_taken() -> None:
    with web() as collector, pytest.raises(Rejected, match="rejected the record: too old"):
        collector.body = b'{"partialSuccess": {"rejectedLogRecords": "1", "errorMessage": "too old"}}'
        OtlpSink(Otlp(collector.url)).send(MESSAGE)


# -- syslog ---------------------------------------------------------------------------------------------

LINE = re.compile(
    r"<(\d+)>1 (\S+) (\S+) claude-failover (\d+) (\S+) \[failover@32473((?: \w+=\"(?:[^\"\\\]]|\\.)*\")+)\] \ufeff(.*)"
)


def check(data: bytes) -> None:
    match = LINE.fullmatch(data.decode())
    assert match is not None, data
    assert match[1] == str(3 * 8 + 4) and match[2] == "2027-01-15T08:00:00.123Z"
    assert match[5] == "swap.finished" and ' swap="3"' in match[6] and match[7] == MESSAGE.text


def test_syslog_over_udp() -> None:
    with datagrams() as receiver:
        SyslogSink(Syslog(f"udp://127.0.0.1:{receiver.getsockname()[1]}")).send(MESSAGE)
        check(receiver.recv(65536))


def test_syslog_over_the_local_socket(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with datagrams(path) as receiver:
        SyslogSink(Syslog(f"unix:{path}")).send(MESSAGE)
        check(receiver.recv(65536))
    with pytest.raises(Unreachable, match="Connection refused"):
        SyslogSink(Syslog(f"unix:{path}")).send(MESSAGE)


def test_syslog_over_tcp_counts_octets() -> None:
    with stream() as (port, brought):
        SyslogSink(Syslog(f"tcp://127.0.0.1:{port}")).send(MESSAGE)
        count, _, data = brought[0].partition(b" ")
        assert int(count) == len(data)
        check(data)
    with pytest.raises(Unreachable, match="Connection refused"):
        SyslogSink(Syslog(f"tcp://127.0.0.1:{port}")).send(MESSAGE)


def test_a_tcp_syslog_that_keeps_its_connections_open_is_not_waited_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("failover.notify.syslog._LINGER", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as server:
        SyslogSink(Syslog(f"tcp://127.0.0.1:{server.getsockname()[1]}")).send(MESSAGE)


def test_a_syslog_line_is_escaped_and_cut() -> None:
    odd = Message(
        key='a"b]c\\d', event=1, at_ms=0, type="digest", severity="critical", text="x\ny" + "é" * 9000, count=2
    )  # fmt: skip
    data = encode(odd, 16, "häst name", 9)
    assert len(data) <= 8000 and data.decode().startswith("<130>1 1970-01-01T00:00:00.000Z h?st?name claude-failover 9")
    assert rb'key="a\"b\]c\\d"' in data and b"x; y" in data and b'count="2"' in data


# -- telegram and apprise -------------------------------------------------------------------------------


def bot(fake: Web) -> TelegramSink:
    return TelegramSink(Telegram(Secret("value", TOKEN), "-1001", f"http://127.0.0.1:{fake.port}"))


def test_telegram_speaks_to_a_bot_api() -> None:
    with web() as fake:
        assert bot(fake).send(MESSAGE) == "Telegram took it"
        ((path, _, _),) = fake.taken
        (sent,) = fake.json
    assert path == f"/bot{TOKEN}/sendMessage" and str(sent["chat_id"]) == "-1001"
    assert "Swap 3 is partial" in sent["text"] and "claude-failover: warning" in sent["text"]
    assert "&lt;b&gt; &amp; é" in sent["text"] and sent["parse_mode"] == "HTML"


def test_what_telegram_answers_is_told_without_the_token() -> None:
    written = io.StringIO()
    root = logging.getLogger()
    before = root.handlers[:], root.level
    logs.setup("notifier", written, format="json", level="debug")
    try:
        with web() as fake:
            fake.status, fake.body = 401, b'{"ok": false, "error_code": 401, "description": "Unauthorized"}'
            with pytest.raises(Unreachable, match=r"Telegram: .*Unauthorized, error=401") as caught:
                bot(fake).send(MESSAGE)
        with pytest.raises(Unreachable, match="connection error"):
            bot(fake).send(MESSAGE)
    finally:
        root.handlers[:], root.level = before
    told = str(caught.value) + written.getvalue()
    assert TOKEN not in told and TOKEN.partition(":")[2] not in told


def test_a_token_that_is_none_is_said_so() -> None:
    with pytest.raises(Unreachable, match="no token of a Telegram bot"):
        TelegramSink(Telegram(Secret("value", "nonsense"), "1"))


def test_any_service_by_its_url() -> None:
    with web() as fake:
        AppriseSink(Apprise(Secret("value", f"json://127.0.0.1:{fake.port}/in"))).send(MESSAGE)
        (sent,) = fake.json
    assert sent["message"] == MESSAGE.text and sent["type"] == "warning"
    with pytest.raises(Unreachable, match="does not know this URL"):
        AppriseSink(Apprise(Secret("value", "nothing://canary-of-a-url")))


def test_apprise_is_loaded_only_by_who_needs_it() -> None:
    program = (
        "import sys, workers.notifier, failover.cli.notify\n"
        "from failover.notify import make; from failover.notify.spec import *\n"
        "make(SinkSpec(name='x', settings=Stdout())); make(SinkSpec(name='x', settings=Syslog()))\n"
        "print(sorted({'apprise', 'requests', 'ssl', 'http.client', 'xmlrpc.client'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# -- the rest -------------------------------------------------------------------------------------------


def test_each_kind_is_made_from_its_settings(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    settings: list[Any] = [
        File(tmp_path / "f"), Stdout(), Syslog(), Webhook("https://x/", SECRET), Otlp(),
        Telegram(Secret("value", TOKEN), "1"), Apprise(Secret("value", "json://localhost/")),
    ]  # fmt: skip
    made = [make(SinkSpec(name="x", settings=one)) for one in settings]
    assert len({type(one) for one in made}) == 7
    assert made[0].send(MESSAGE) == f"written to {tmp_path / 'f'}" and "already" in make(
        SinkSpec(name="x", settings=settings[0])
    ).send(MESSAGE)
    made[1].send(MESSAGE)
    assert json.loads(capfd.readouterr().out)["key"] == MESSAGE.key


def test_an_output_that_is_closed_is_no_reason_to_lose_a_notice() -> None:
    program = (
        "import os; from failover.notify.stdout import StdoutSink; from tests.notify.test_sinks import MESSAGE\n"
        "os.dup2(os.open('/dev/full', os.O_WRONLY), 1); StdoutSink().send(MESSAGE)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env={**os.environ})
    assert "Unreachable: standard output: No space left" in done.stderr
