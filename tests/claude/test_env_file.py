"""Env files, read by the real shell script; a program in the binary's place says what reached it."""

from __future__ import annotations

import json
import os
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from failover.claude.kinds import KINDS, READER, Login, objection, words
from failover.errors import HostError

SECRET = "sk-ant-oat01-made-up-canary"
TELL = "import json, os, sys; print(json.dumps({'env': dict(os.environ), 'pid': os.getpid()}))"


def env_file(folder: Path, text: str | bytes, mode: int = 0o600) -> Path:
    path = folder / "account.env"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    path.chmod(mode)
    return path


def run(path: Path, allowed: str, required: str = "", **env: str) -> subprocess.CompletedProcess[str]:
    command = ["sh", str(READER), str(path), required, allowed, "python3", "-c", TELL]
    return subprocess.run(command, capture_output=True, text=True, timeout=20, env={**os.environ, **env})


def told(path: Path, allowed: str, **env: str) -> dict[str, str]:
    done = run(path, allowed, **env)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return dict(found["env"])


def refused(path: Path, allowed: str = "A_B", required: str = "") -> str:
    done = run(path, allowed, required)
    assert (done.returncode, done.stdout) == (78, "")
    assert str(path) in done.stderr
    return done.stderr


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A_B=plain", "plain"),
        ("A_B=two words # and no comment", "two words # and no comment"),
        ("A_B='in quotes '", "in quotes "),
        ('A_B="in quotes"', "in quotes"),
        ('A_B=say "it"', 'say "it"'),
        ("export A_B=shell habit", "shell habit"),
        ("  A_B=blanks at both ends \t", "blanks at both ends"),
        ("A_B=from windows\r", "from windows"),
        ("A_B=base64==", "base64=="),
        ("A_B=$(touch /tmp/never) `id` $HOME ${x} \\n \\", "$(touch /tmp/never) `id` $HOME ${x} \\n \\"),
        ("A_B='", "'"),
        ("A_B=*", "*"),
    ],
)
def test_a_value_is_taken_as_it_stands(tmp_path: Path, line: str, value: str) -> None:
    assert told(env_file(tmp_path, f"# comment\n\n{line}\n"), "A_B")["A_B"] == value
    assert told(env_file(tmp_path, line), "A_B")["A_B"] == value, "without a line break at the end"


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\n\r"), min_size=1, max_size=40))
def test_nothing_in_quotes_is_evaluated(tmp_path: Path, text: str) -> None:
    assert told(env_file(tmp_path, f"A_B='{text}'\n"), "A_B")["A_B"] == text


def test_only_the_file_counts_and_the_rest_of_the_environment_is_left_alone(tmp_path: Path) -> None:
    found = told(env_file(tmp_path, "A_B=ours\n"), "A_B C_D", A_B="inherited", C_D="inherited", E_F="kept")
    assert (found["A_B"], found["E_F"], "C_D" in found) == ("ours", "kept", False)
    assert not [name for name in found if name.startswith("_cf_")]


def test_the_shell_becomes_the_program(tmp_path: Path) -> None:
    command = ["sh", str(READER), str(env_file(tmp_path, "A_B=x")), "", "A_B", "python3", "-c", TELL]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.read())["pid"] == process.pid


def test_a_file_that_is_not_ours_alone_is_refused_with_the_mend(tmp_path: Path) -> None:
    path = env_file(tmp_path, "A_B=x\n", 0o640)
    assert f"chmod 600 {path}" in refused(path)
    path.chmod(0o604)
    assert "open to others" in refused(path)
    path.chmod(0o400)
    assert told(path, "A_B")["A_B"] == "x"
    path.unlink()
    assert "is not there" in refused(path)
    path.symlink_to(tmp_path / "elsewhere")
    assert "no regular file" in refused(path)
    path.unlink()
    os.mkfifo(path, 0o600)
    assert "no regular file" in refused(path)
    path.unlink()
    path.mkdir()
    assert "no regular file" in refused(path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_another_user_is_refused(tmp_path: Path) -> None:
    path = env_file(tmp_path, "A_B=x\n")
    os.chown(path, 65534, 65534)
    assert "belongs to another user" in refused(path)


def test_names_that_the_kind_does_not_know_are_refused_by_their_line(tmp_path: Path) -> None:
    assert "line 2: OTHER_NAME is not for this kind" in refused(env_file(tmp_path, "A_B=x\nOTHER_NAME=y\n"))
    assert "A_B stands there twice" in refused(env_file(tmp_path, "A_B=x\nA_B=y\n"))
    assert "line 1: A_B is empty" in refused(env_file(tmp_path, "A_B=\n"))
    assert "has no C_D" in refused(env_file(tmp_path, "A_B=x\n"), "A_B C_D", "C_D")
    assert "over 200 lines" in refused(env_file(tmp_path, "#\n" * 201))


@pytest.mark.parametrize(
    "line", [SECRET, f"{SECRET}=", f"{SECRET}==", "AKIACANARYCANARY=x", f"A-B={SECRET}", f"X_Y={SECRET}"]
)
def test_a_secret_in_the_wrong_place_is_not_shown(tmp_path: Path, line: str) -> None:
    said = refused(env_file(tmp_path, f"{line}\n"))
    assert SECRET not in said and "AKIACANARY" not in said
    assert "line 1" in said


def test_a_login_is_checked_by_its_names_and_never_told(tmp_path: Path) -> None:
    path = env_file(tmp_path, f"CLAUDE_CODE_OAUTH_TOKEN={SECRET}\n")
    Login("token", path).check()
    Login().check()
    with pytest.raises(HostError, match="CLAUDE_CODE_OAUTH_TOKEN is not for this kind"):
        Login("api_key", path).check()
    path.chmod(0o644)
    with pytest.raises(HostError, match="chmod 600"):
        Login("token", path).check()
    assert stat.S_IMODE(path.stat().st_mode) == 0o644, "what is the operator's is mended by the operator"


def test_every_kind_allows_what_it_requires_and_no_variable_that_would_be_another_kind() -> None:
    for name, kind in KINDS.items():
        assert set(kind.required) <= set(kind.allowed), name
        assert not set(kind.switches) & set(kind.allowed), name
        assert kind.paid == (name in ("api_key", "bedrock", "vertex"))


def test_an_api_key_is_named_by_a_helper_and_stands_in_no_word_of_the_command(tmp_path: Path) -> None:
    path = env_file(tmp_path, f"ANTHROPIC_API_KEY={SECRET}\n")
    login = Login("api_key", path)
    assert login.prefix() == []
    helper = login.settings()["apiKeyHelper"]
    done = subprocess.run(["sh", "-c", helper], capture_output=True, text=True, timeout=20)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, SECRET, "")
    assert SECRET not in " ".join(words(["claude", "auth", "status"], login))


def test_a_login_of_another_kind_is_an_objection() -> None:
    assert objection(Login(), "claude.ai", "firstParty") == ""
    assert "api_key_helper" in objection(Login(), "api_key_helper", "firstParty")
    assert "third_party of bedrock" in objection(Login("vertex", Path("/x")), "third_party", "bedrock")
