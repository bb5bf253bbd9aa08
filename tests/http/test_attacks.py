"""Requests that mean harm (fault 31): each is refused in words, costs little, changes nothing, and hooks come in."""

from __future__ import annotations

import json
import resource
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from failover.http.server import MOST_ON_TCP
from failover.store import flags, orders
from tests.http.plane import Plane, plane
from tests.http.raw import answer, connected, head, sent
from tests.waiting import wait_for

ORDER = b'{"verb": "pause"}'
JSON = "Content-Type: application/json"


@pytest.fixture(scope="module")
def control() -> Iterator[Plane]:
    with plane() as found:
        yield found


@pytest.fixture(autouse=True)
def unharmed(control: Plane) -> Iterator[None]:
    yield
    with control.store.transaction() as tx:
        changed = flags.resume(tx, "test")
    assert not changed and orders.pending(control.store) == []
    assert control.process is not None and control.process.poll() is None
    assert control.tcp("GET", "/v1/status", scope="read")[0] == 200
    hook = control.hook("Stop")
    assert hook.stdout is not None and hook.stdout.read() == b"204"
    hook.stdout.close()


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        (["Content-Length: 17", "Transfer-Encoding: chunked"], 400),
        (["Content-Length: 17", "Content-Length: 18"], 400),
        (["Content-Length: 17, 18"], 400),
        (["Content-Length: -1"], 400),
        (["Content-Length: 0x11"], 400),
        (["Transfer-Encoding: gzip, chunked"], 501),
        (["Transfer-Encoding: identity"], 501),
        (["Content-Length : 17"], 400),
        (["X: a\rContent-Length: 17"], 400),
        (["X: a\x00b", "Content-Length: 17"], 400),
        (["Content-Length: 17", "Host: evil.example"], 400),
        (["Content-Length: 17", "Authorization: Bearer x"], 401),
        (["Content-Length: 17", "Origin: http://evil.example", "Origin: http://localhost"], 403),
        (["Content-Length: 17", "X: " + "a" * 40_000], 431),
        (["Content-Length: 17", *(f"X-{number}: {'a' * 90}" for number in range(400))], 431),
    ],
)
def test_a_head_that_can_be_read_in_two_ways_is_no_request(control: Plane, fields: list[str], status: int) -> None:
    found, whole = sent(control, head(control, "POST /v1/orders", JSON, *fields) + ORDER)
    assert found in (status, 400), whole[:300]


@pytest.mark.parametrize(
    "text",
    [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"\x00" * 100, b"GET\r\n\r\n", b"\xff" * 500,
     b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"GET /v1/status HTTP/1.1\r\n\r\n",
     b"GET /v1/status HTTP/9.9\r\nHost: localhost\r\n\r\n", b"A" * 70_000],
)  # fmt: skip
def test_what_is_no_request_is_answered_as_none(control: Plane, text: bytes) -> None:
    found, whole = sent(control, text, end=True)
    assert found in (0, 400, 421), whole[:300]
    if found:
        assert b"application/problem+json" in whole


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"[" * 200_000, 400),
        (b'{"verb":' * 50_000, 400),
        (b'{"verb": "pause", "by": "\xff\xfe"}', 400),
        (b'{"verb": "pause", "by": "\\ud800"}', 400),
        (b'{"verb": "pause\\u0000"}', 400),
        (b'{"verb": "pause"} trailing', 400),
        (b'{"verb": "pause"', 400),
        (b"", 400),
        (b"null", 400),
        (b'{"verb": "swap", "args": {"task": 1e400}}', 400),
        (b'{"verb": "swap", "args": {"task": -1}}', 400),
        (b'{"verb": "cancel", "args": {"task": 99999999999999999999}}', 400),
        (b'{"verb": "disable", "args": {"account": "a", "seconds": 1e308}}', 400),
        (b'{"verb": "swap", "args": {"to": "a\\u0000b"}}', 400),
        (b" " * 2_000_000, 413),
    ],
)
def test_a_body_that_is_no_order_is_refused_in_words(control: Plane, body: bytes, status: int) -> None:
    found, problem = control.tcp("POST", "/v1/orders", body, Content_Type="application/json")
    assert (found, problem["status"]) == (status, status)
    assert problem["detail"] and "Traceback" not in problem["detail"] and len(problem["detail"]) < 2000


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "", "json"])
def test_what_a_form_of_another_page_could_send_is_no_order(control: Plane, kind: str) -> None:
    fields = [f"Content-Type: {kind}"] if kind else []
    found, _ = sent(control, head(control, "POST /v1/orders", f"Content-Length: {len(ORDER)}", *fields) + ORDER)
    assert found == 415


@pytest.mark.parametrize(
    "method", ["GET", "HEAD", "OPTIONS", "TRACE", "CONNECT", "PUT", "DELETE", "PATCH", "post", "X" * 50]
)
@pytest.mark.parametrize("trick", ["", "?_method=POST", "?verb=pause"])
def test_only_a_post_gives_an_order(control: Plane, method: str, trick: str) -> None:
    tricks = ["X-HTTP-Method-Override: POST", "X-HTTP-Method: POST", "X-Method-Override: POST", JSON]
    text = head(control, f"{method} /v1/orders{trick}", f"Content-Length: {len(ORDER)}", *tricks) + ORDER
    found, whole = sent(control, text)
    assert found in ((204,) if method == "OPTIONS" else (405,)), whole[:200]


@pytest.mark.parametrize(
    "path",
    ["/../token", "/v1/../../token", "/%2e%2e/token", "/assets/../token", "/assets/%2e%2e/token",
     "/assets/..%2ftoken", "/assets//etc/passwd", "/..%5ctoken", "/%00", "/v1/status%00", "/v1/tasks/%F0%9F",
     "/v1/tasks/99999999999999999999999", "/v1/tasks/-1", "/v1/tasks/1e3", "/v1/orders/0x1",
     "//evil.example/v1/status", "/v1//status/../x", "*", "http://evil.example/v1/x"],
)  # fmt: skip
def test_no_path_leads_to_a_file_or_out_of_the_routes(control: Plane, path: str) -> None:
    found, whole = sent(control, head(control, f"GET {path}"))
    assert found in (400, 404), whole[:300]
    assert control.token("operate").encode() not in whole
    assert b"application/problem+json" in whole
    assert sent(control, head(control, f"GET {path}", token=""))[0] in (400, 401, 404), "nor without a token"


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=-1", "limit=99999", "limit=x", "limit=%00", "after=-1", "after=1.5", f"after={10**20}"],
)
def test_a_query_that_makes_no_sense_is_refused(control: Plane, query: str) -> None:
    found, problem = control.tcp("GET", f"/v1/events?{query}")
    assert found == 400 and problem["detail"], problem


def test_a_token_is_taken_from_its_header_alone(control: Plane) -> None:
    secret = control.token("operate")
    for path in (f"/v1/status?token={secret}", f"/v1/status?access_token={secret}", f"/{secret}/v1/status"):
        assert sent(control, head(control, f"GET {path}", f"Cookie: token={secret}", token=""))[0] == 401
    for value in (
        secret,
        f"Basic {secret}",
        f"Bearer {secret}x",
        f"Bearer {secret[:-1]}",
        "Bearer",
        "Bearer ",
        f"Bearer {secret} {secret}",
    ):
        assert sent(control, head(control, "GET /v1/status", f"Authorization: {value}", token=""))[0] == 401, value
    assert sent(control, head(control, "GET /v1/status", f"authorization: bearer {secret}", token=""))[0] == 200


def test_connections_that_say_nothing_or_little_or_do_not_end_are_closed(control: Plane) -> None:
    """Silence, a head that comes in drops, a body that does, and a client that keeps its connection."""
    began = time.monotonic()
    with (
        connected(control) as silent,
        connected(control) as drops,
        connected(control) as slow,
        connected(control) as kept,
    ):
        slow.sendall(head(control, "POST /v1/orders", JSON, "Content-Length: 1000"))
        kept.sendall(head(control, "GET /v1/status").replace(b"Connection: close\r\n", b""))
        drops.setblocking(False)
        drops.sendall(b"GET /v1/status HTTP/1.1\r\n")

        def closed() -> bool:
            try:
                drops.send(b"X")
                return False
            except OSError:
                return True

        wait_for(closed, 30, "the end of a head that never comes whole")
        assert answer(silent)[0] == 0
        assert answer(slow)[0] == 408
        assert answer(kept)[0] == 200
    # Not a bound on speed: each is over because of its time limit, not because of the client's own.
    assert time.monotonic() - began > 5


def test_ten_thousand_connections_keep_nobody_out(control: Plane) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 10_000 if hard == resource.RLIM_INFINITY else min(10_000, hard - 200)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted + 200), hard))
    crowd: list[socket.socket] = []
    try:
        for number in range(wanted):
            one = socket.socket()
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", control.port))
            crowd.append(one)
            if number % 2000 == 1999:
                hook = control.hook("Stop")
                assert hook.stdout is not None and hook.stdout.read() == b"204"
                hook.stdout.close()
                assert control.tcp("GET", "/v1/status")[0] == 200
        assert control.process is not None
        held = len(list(Path(f"/proc/{control.process.pid}/fd").iterdir()))
        assert held < MOST_ON_TCP + 200
    finally:
        for one in crowd:
            one.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_get_with_a_body_and_requests_sent_ahead_are_answered_in_turn(control: Plane) -> None:
    one = head(control, "GET /v1/orders/1", "Content-Length: 17").replace(b"Connection: close\r\n", b"") + ORDER
    _, whole = sent(control, one + one + head(control, "GET /healthz"))
    assert whole.count(b"HTTP/1.1 404") == 2 and whole.count(b"HTTP/1.1 200") == 1


def test_the_head_of_an_answer_can_be_asked_for(control: Plane) -> None:
    found, whole = sent(control, head(control, "HEAD /v1/status", token="read"))
    assert found == 200 and whole.endswith(b"\r\n\r\n")
    assert sent(control, head(control, "HEAD /v1/events/stream"))[0] == 405


def certificate(folder: Path) -> tuple[Path, Path]:
    cert, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=failover.example", "-addext", "subjectAltName=DNS:failover.example,DNS:localhost",
         "-keyout", key, "-out", cert],
        check=True, capture_output=True,
    )  # fmt: skip
    key.chmod(0o600)
    return cert, key


def test_an_address_for_others_speaks_tls_and_knows_its_names() -> None:
    with plane() as found:
        found.stop()
        cert, key = certificate(found.folder)
        given = f'listen: "0.0.0.0:0", hosts: [failover.example], tls: {{cert: {cert}, key: {key}}}'
        found.file.write_text(found.file.read_text().replace('listen: "127.0.0.1:0"', given))
        key.chmod(0o644)
        found.start(until=f"http.tls.key: {key}: is open to other users; close it with: chmod 600 {key}")
        assert found.request("GET", "/healthz")[0] == 200, "hooks get in whatever TLS lacks"
        found.stop()
        key.chmod(0o600)
        found.start(until="https://")
        did = found.store.one("SELECT did FROM roles WHERE role = 'control-plane'")["did"]
        found.port = int(did.partition("https://0.0.0.0:")[2].partition(";")[0])
        context = ssl.create_default_context(cafile=str(cert))

        def asked(name: str, origin: str = "") -> int:
            with (
                connected(found) as connection,
                context.wrap_socket(connection, server_hostname="failover.example") as secure,
            ):
                fields = [f"Origin: {origin}"] if origin else []
                text = head(found, "GET /v1/status", *fields, token="read")
                secure.sendall(text.replace(b"localhost", name.encode()))
                return answer(secure)[0]

        assert asked("failover.example") == asked("localhost") == 200
        assert asked("evil.example") == 421
        assert asked("failover.example", f"https://failover.example:{found.port}") == 200
        assert asked("failover.example", f"http://failover.example:{found.port}") == 403
        assert sent(found, head(found, "GET /v1/status"))[0] == 0, "nothing is said without TLS"


def test_with_listen_none_there_is_the_unix_socket_alone() -> None:
    with plane() as found:
        found.stop()
        found.file.write_text(found.file.read_text().replace('listen: "127.0.0.1:0"', "listen: none"))
        found.start(until="control.sock;")
        assert found.request("GET", "/v1/status")[0] == 200
        assert found.process is not None
        listening = subprocess.run(["ss", "-ltnp"], capture_output=True, text=True, check=True).stdout
        assert f"pid={found.process.pid}," not in listening
        assert json.loads(json.dumps(found.request("GET", "/healthz")[1]))["ok"]
