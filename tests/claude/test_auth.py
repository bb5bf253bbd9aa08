"""The login of a config dir, as the binary tells it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from failover.claude import auth
from failover.errors import HostError

LOGGED_IN = {
    "loggedIn": True,
    "authMethod": "claude.ai",
    "apiProvider": "firstParty",
    "configDirectory": "/home/dev/.claude-a",
    "loginExpiresAt": "2026-12-12T21:05:54.458Z",
    "email": "op@example.test",
    "orgId": "22222222-2222-2222-2222-222222222222",
    "orgName": "Example Org",
    "subscriptionType": "max",
}
NOT_LOGGED_IN = {"loggedIn": False, "authMethod": "none", "apiProvider": "firstParty", "loginExpiresAt": None}


def binary(tmp_path: Path, body: str) -> str:
    path = tmp_path / "claude"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return str(path)


def test_a_login_is_told_with_its_identity_and_end(tmp_path: Path) -> None:
    command = binary(tmp_path, f'test "$*" = "auth status" && echo note >&2 && echo \'{json.dumps(LOGGED_IN)}\'')
    found = auth.status(command, tmp_path, {})
    assert found.logged_in
    assert found.identity == ("op@example.test", "22222222-2222-2222-2222-222222222222")
    assert (found.auth_method, found.subscription) == ("claude.ai", "max")
    assert found.login_expires_at == pytest.approx(1797109554.458)


def test_no_login_is_an_answer_and_no_error(tmp_path: Path) -> None:
    found = auth.status(binary(tmp_path, f"echo '{json.dumps(NOT_LOGGED_IN)}'; exit 1"), tmp_path, {})
    assert not found.logged_in
    assert found.identity is None


def test_a_login_that_was_never_used_has_no_identity_yet() -> None:
    content = json.dumps({**LOGGED_IN, "email": None, "orgId": None}).encode()
    found = auth.parse(content, "auth status")
    assert found.logged_in
    assert found.identity is None


def test_the_account_is_asked_and_not_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "inherited")
    told = '{"loggedIn": true, "email": "\'"$CLAUDE_CONFIG_DIR $ANTHROPIC_API_KEY $EXTRA"\'"}'
    found = auth.status(binary(tmp_path, f"echo '{told}'"), Path("/accounts/a"), {"EXTRA": "x"})
    assert found.email == "/accounts/a  x"


def test_a_binary_that_hangs_is_given_up(tmp_path: Path) -> None:
    with pytest.raises(HostError, match=r"no answer within 0\.2 s"):
        auth.status(binary(tmp_path, "exec sleep 20"), tmp_path, {}, timeout=0.2)


def test_a_binary_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(HostError, match="install Claude Code"):
        auth.status(str(tmp_path / "missing"), tmp_path, {})


def test_a_binary_that_cannot_be_run_is_named(tmp_path: Path) -> None:
    (tmp_path / "claude").write_text("x")
    with pytest.raises(HostError, match="can be run"):
        auth.status(str(tmp_path / "claude"), tmp_path, {})


@pytest.mark.parametrize(
    "output", ["", "Welcome!", "[]", '{"loggedIn": "yes"}', '{"loggedIn": true, "loginExpiresAt": "x"}']
)
def test_another_answer_is_an_error_that_names_the_command(tmp_path: Path, output: str) -> None:
    with pytest.raises(HostError, match="auth status"):
        auth.status(binary(tmp_path, f"echo '{output}'"), tmp_path, {})


@given(st.binary(max_size=100))
def test_no_output_raises_anything_but_the_one_error(output: bytes) -> None:
    with pytest.raises(HostError):
        auth.parse(output, "auth status")
