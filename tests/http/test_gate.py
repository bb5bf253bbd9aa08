"""Nobody but the operator reads the state or gives an order, and bad requests harm nothing."""

from __future__ import annotations

import signal
import socket
import stat

import pytest

from failover.store import flags, orders
from tests.http.plane import Plane
from tests.waiting import wait_for


def test_sockets_and_token_are_the_operators_alone(control: Plane) -> None:
    for path in (control.paths.control_socket, control.paths.token_file):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_reading_needs_the_token(control: Plane) -> None:
    for route in ("status", "accounts", "sessions", "tasks", "swaps", "checkpoints", "events", "orders/1"):
        assert control.tcp("GET", f"/v1/{route}", token=False)[0] == 401, route
        assert control.tcp("GET", f"/v1/{route}")[0] == (404 if route == "orders/1" else 200), route
    assert control.tcp("GET", "/v1/status", token=False, Authorization="Bearer wrong")[0] == 401
    assert control.tcp("GET", "/schema", token=False)[0] == 401
    assert control.tcp("GET", "/healthz", token=False) == (200, {"ok": True, "missing": []})


@pytest.mark.parametrize("host", ["evil.example", "evil.example:{port}", "127.0.0.1", "localhost:1", ""])
def test_a_wrong_host_is_refused_even_with_the_token(control: Plane, host: str) -> None:
    assert control.tcp("GET", "/v1/status", Host=host.format(port=control.port))[0] in (400, 421)
    assert control.tcp("GET", "/healthz", Host=host.format(port=control.port))[0] in (400, 421)


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1", "http://localhost"])
def test_a_foreign_origin_is_refused_even_with_the_token(control: Plane, origin: str) -> None:
    body = {"verb": "pause"}
    assert control.tcp("POST", "/v1/orders", body, Origin=origin)[0] == 403
    assert flags.paused(control.store) is None


def test_our_own_origin_is_let_in(control: Plane) -> None:
    origin = f"http://localhost:{control.port}"
    assert control.tcp("GET", "/v1/status", Origin=origin, Host=f"localhost:{control.port}")[0] == 200


def test_hooks_do_not_come_in_by_tcp(control: Plane) -> None:
    for route in ("/hook", "/statusline"):
        assert control.tcp("POST", f"{route}?session=s-0&account=a&launch=b", {"session_id": "x"})[0] == 404
    assert control.store.query("SELECT * FROM hook_calls") == []


def test_an_oversized_order_is_refused(control: Plane) -> None:
    body = b'{"verb": "swap", "by": "' + b"x" * (5 * 1024 * 1024) + b'"}'
    assert control.request("POST", "/v1/orders", body, Content_Type="application/json")[0] == 413


def test_a_stranger_with_a_slow_body_is_answered_before_it_is_read(control: Plane) -> None:
    with socket.create_connection(("127.0.0.1", control.port), timeout=10) as connection:
        head = f"POST /v1/orders HTTP/1.1\r\nHost: localhost:{control.port}\r\nContent-Length: 4000000\r\n\r\n"
        connection.sendall(head.encode())
        assert b" 401 " in connection.recv(200)


def test_a_get_changes_nothing(control: Plane) -> None:
    for route in ("/v1/orders", "/v1/pause", "/v1/../v1/orders", "/v1/orders?verb=pause"):
        assert control.tcp("GET", route)[0] in (404, 405), route
    assert orders.pending(control.store) == []
    assert flags.paused(control.store) is None


def test_no_route_leads_to_a_file(control: Plane) -> None:
    for route in ("/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/v1/..%2f..%2ftoken", "//token", "/%ff"):
        assert control.tcp("GET", route)[0] in (400, 404), route


def test_an_order_is_placed_and_can_be_followed(control: Plane) -> None:
    status, answer = control.tcp("POST", "/v1/orders", {"verb": "swap", "args": {"to": "b", "sessions": ["s-1"]}})
    assert (status, answer["order"]) == (201, 1)
    (order,) = orders.pending(control.store)
    assert (order.verb, order.args.to, order.args.sessions) == ("swap", "b", ("s-1",))
    assert control.tcp("GET", "/v1/orders/1")[1]["result"] is None
    with control.store.transaction() as tx:
        orders.finish(tx, 1, 5, "done", "moved 1 of 1 sessions")
        orders.finish(tx, 1, 6, "failed", "a second result changes nothing")
    assert control.tcp("GET", "/v1/orders/1")[1]["result"]["sentence"] == "moved 1 of 1 sessions"
    assert orders.pending(control.store) == []


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"verb": "swap", "args": {"to": "c"}}, "there is no account c"),
        ({"verb": "stop", "args": {"sessions": ["s-9"]}}, "there is no session s-9"),
        ({"verb": "reboot"}, "reboot"),
        ({"verb": "swap", "args": {"too": "b"}}, "too"),
        ({"verb": "stop", "args": {"dry_run": True}}, "dry_run"),
        ({"verb": "disable", "args": {"account": "c"}}, "there is no account c"),
        ({"verb": "disable"}, "there is no account"),
        ({"verb": "disable", "args": {"account": "a", "seconds": -1}}, "seconds"),
        ({"verb": "enable", "args": {"account": "a", "seconds": 60}}, "seconds"),
        ({"args": {}}, "verb"),
        (b"{", ""),
        (b"[" * 100_000, ""),
    ],
)
def test_an_order_that_makes_no_sense_is_refused_in_words(control: Plane, body: object, words: str) -> None:
    assert isinstance(body, (dict, bytes))
    status, answer = control.request("POST", "/v1/orders", body, Content_Type="application/json")
    assert status == 400
    assert words in answer["detail"]
    assert orders.pending(control.store) == []


def test_an_account_is_disabled_at_once_also_while_paused_and_until_its_time_is_over(control: Plane) -> None:
    def order(verb: str, **args: object) -> str:
        status, answer = control.request("POST", "/v1/orders", {"verb": verb, "args": args, "by": "ann"})
        assert (status, answer["order"]) == (201, 0)
        return str(answer["sentence"])

    def shown() -> dict[str, bool]:
        return {one["name"]: one["enabled"] for one in control.request("GET", "/v1/accounts")[1]}

    control.request("POST", "/v1/orders", {"verb": "pause"})
    assert "b is disabled: nothing is moved to it" in order("disable", account="b", seconds=3600)
    control.request("POST", "/v1/orders", {"verb": "resume"})
    assert shown() == {"a": True, "b": False}
    assert "no account is left to move to" in order("disable", account="a")
    now = control.store.now_ms()
    assert set(flags.disabled(control.store, now)) == {"a", "b"}
    assert set(flags.disabled(control.store, now + 3_700_000)) == {"a"}
    assert order("enable", account="a") == "a is enabled"
    assert order("enable", account="a") == "a was enabled already"
    order("enable", account="b")
    assert shown() == {"a": True, "b": True}
    assert flags.paused(control.store) is None, "one flag is not another"


def test_while_paused_orders_are_refused(control: Plane) -> None:
    assert control.request("POST", "/v1/orders", {"verb": "pause", "by": "me"})[0] == 201
    assert control.request("POST", "/v1/orders", {"verb": "pause"})[1]["sentence"] == "was paused already"
    status, answer = control.request("POST", "/v1/orders", {"verb": "launch"})
    assert status == 409
    assert "paused by me" in answer["detail"]
    assert control.request("POST", "/v1/orders", {"verb": "swap", "args": {"dry_run": True}})[0] == 201
    assert control.request("POST", "/v1/orders", {"verb": "resume"})[1]["sentence"] == "resumed"
    assert control.request("POST", "/v1/orders", {"verb": "launch"})[0] == 201


def test_a_token_that_others_can_read_stops_the_start(control: Plane) -> None:
    control.stop()
    control.paths.token_file.chmod(0o644)
    with pytest.raises(AssertionError, match=r"open to other users; close it with: chmod 600"):
        control.start()


def test_the_token_stays_the_same_over_a_restart(control: Plane) -> None:
    before = control.paths.token_file.read_text()
    control.stop()
    control.start()
    assert control.paths.token_file.read_text() == before


def test_a_taken_port_does_not_keep_the_hooks_out(control: Plane) -> None:
    control.stop()
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        control.file.write_text(control.file.read_text().replace("127.0.0.1:0", f"127.0.0.1:{port}"))
        control.start(until="cannot be had")
        assert control.request("GET", "/healthz")[0] == 200


def test_a_reload_takes_the_new_configuration_and_keeps_the_old_when_it_is_wrong(control: Plane) -> None:
    assert control.process is not None
    good = control.file.read_text()
    control.file.write_text(good + "nonsense: 1\n")
    control.process.send_signal(signal.SIGHUP)

    def did() -> str:
        return str(control.store.one("SELECT did FROM roles WHERE role = 'control-plane'")["did"])

    wait_for(lambda: "old configuration stays" in did() and "nonsense" in did(), 5, "the refusal")
    assert len(control.request("GET", "/v1/sessions")[1]) == 2
    control.file.write_text(good.replace("0..1", "0..4"))
    pid = control.process.pid
    control.process.send_signal(signal.SIGHUP)
    wait_for(lambda: "Serving" in did(), 10, "the start with the new configuration")
    assert len(control.request("GET", "/v1/sessions")[1]) == 5
    assert control.process.poll() is None and control.process.pid == pid
