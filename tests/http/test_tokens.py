"""Two tokens: one reads, one gives orders too. Both are replaced without a restart."""

from __future__ import annotations

import stat

import pytest

from failover.errors import HostError
from failover.http import auth
from failover.store import flags
from tests.cli.run import cli
from tests.http.plane import Plane


def test_the_reading_token_reads_and_gives_no_order(control: Plane) -> None:
    for route in ("/v1/status", "/v1/events", "/schema"):
        assert control.tcp("GET", route, scope="read")[0] == 200
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        status, answer = control.tcp(method, "/v1/orders", {"verb": "pause"}, scope="read")
        assert (status, answer["title"]) == (403, "Forbidden")
    assert flags.paused(control.store) is None
    assert control.tcp("POST", "/v1/orders", {"verb": "pause"}, scope="operate")[0] == 201
    assert flags.paused(control.store) is not None


def test_on_the_unix_socket_the_operator_needs_no_token_and_a_token_narrows(control: Plane) -> None:
    assert control.request("POST", "/v1/orders", {"verb": "pause"})[0] == 201
    reads = f"Bearer {control.token('read')}"
    assert control.request("GET", "/v1/status", Authorization=reads)[0] == 200
    assert control.request("POST", "/v1/orders", {"verb": "resume"}, Authorization=reads)[0] == 403
    assert control.request("GET", "/v1/status", Authorization="Bearer wrong")[0] == 401
    assert flags.paused(control.store) is not None


@pytest.mark.parametrize("scopes", [("read",), ("operate",), ("read", "operate")])
def test_a_replaced_token_is_worth_nothing_at_once(control: Plane, scopes: tuple[auth.Scope, ...]) -> None:
    old = auth.tokens(control.paths.token_file)
    assert control.tcp("GET", "/v1/status")[0] == 200
    arguments = ("--scope", scopes[0]) if len(scopes) == 1 else ()
    rotated = cli(control.file, "token", "rotate", "--json", *arguments)
    assert set(rotated.json) == set(scopes)
    new = auth.tokens(control.paths.token_file)
    for scope in auth.SCOPES:
        assert (new[scope] != old[scope]) == (scope in scopes)
        works = control.tcp("GET", "/v1/status", token=False, Authorization=f"Bearer {old[scope]}")[0] == 200
        assert works == (scope not in scopes)
        assert control.tcp("GET", "/v1/status", scope=scope)[0] == 200
    assert stat.S_IMODE(control.paths.token_file.stat().st_mode) == 0o600
    assert [one.name for one in control.paths.state_dir.glob("token*")] == ["token"]


def test_tokens_are_printed_on_demand_alone(control: Plane) -> None:
    known = auth.tokens(control.paths.token_file)
    assert cli(control.file, "token", "show").out == f"operate {known['operate']}\nread {known['read']}\n"
    assert cli(control.file, "token", "show", "--scope", "read").out == known["read"] + "\n"
    assert cli(control.file, "token", "show", "--json").json == known
    rotated = cli(control.file, "token", "rotate")
    assert rotated.code == 0
    new = auth.tokens(control.paths.token_file)
    control.tcp("GET", "/v1/status")
    control.stop()
    said = (
        rotated.out + rotated.err + control.said + "".join(one.read_text() for one in control.paths.log_dir.glob("*"))
    )
    assert not any(secret in said for secret in (*known.values(), *new.values()))


@pytest.mark.parametrize("harm", ["open", "gone", "old", "same", "binary"])
def test_a_file_of_tokens_that_is_not_right_lets_nobody_in_until_it_is_mended(control: Plane, harm: str) -> None:
    path = control.paths.token_file
    good, secret = path.read_bytes(), control.token("operate")
    match harm:
        case "open":
            path.chmod(0o640)
        case "gone":
            path.unlink()
        case "old":
            path.write_text(secret + "\n")
        case "same":
            path.write_text(f"operate {secret}\nread {secret}\n")
        case "binary":
            path.write_bytes(b"\xff\x00" + good)
    answer = control.tcp("GET", "/v1/status", token=False, Authorization=f"Bearer {secret}")
    assert answer[0] == 401
    with pytest.raises(HostError, match=r"claude-failover|chmod 600"):
        auth.token(path, "read")
    assert cli(control.file, "token", "rotate").code == 0
    assert control.tcp("GET", "/v1/status")[0] == 200


def test_a_file_of_the_old_form_stops_the_start_and_names_the_mend(control: Plane) -> None:
    control.stop()
    control.paths.token_file.write_text("x" * 43 + "\n")
    with pytest.raises(AssertionError, match="claude-failover token rotate"):
        control.start()
    assert cli(control.file, "token", "rotate").code == 0
    control.start()
    assert control.tcp("GET", "/v1/status", scope="read")[0] == 200
