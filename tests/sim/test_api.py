"""The fake API keeps a meter for each account and answers as its mode says."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from failover.sim.api import Api
from failover.sim.meter import account_of
from failover.sim.real_cli import InstallError, config_dir, ensure, sim_claude, token
from tests.waiting import wait_for

PREFIX = "anthropic-ratelimit-unified-"


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    with Api(tmp_path / "api.jsonl") as made:
        made.control(chunk_delay=0)
        yield made


def ask(
    api: Api, account: str, text: str = "hello", stream: bool = False, **headers: str
) -> tuple[int, dict[str, str], Any]:
    body = {"model": "m", "messages": [{"role": "user", "content": text}], "tools": [{"name": "Bash"}]}
    request = urllib.request.Request(
        api.url + "/v1/messages",
        json.dumps({**body, "stream": stream}).encode(),
        {"authorization": f"Bearer {token(account)}", "x-claude-code-session-id": "c", **headers},
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            raw = answer.read()
            return answer.status, dict(answer.headers), raw if stream else json.loads(raw)
    except urllib.error.HTTPError as error:
        return error.code, dict(error.headers), json.loads(error.read())


def test_each_request_fills_the_window_until_the_account_is_refused(api: Api) -> None:
    api.account("a", u5=0.7, cost5=0.2, cost7=0.01)
    assert [ask(api, "a")[0] for _ in range(4)] == [200, 200, 429, 429]
    _, headers, body = ask(api, "a")
    assert headers[PREFIX + "status"] == "rejected"
    assert headers[PREFIX + "representative-claim"] == "five_hour"
    assert body["error"]["type"] == "rate_limit_error"
    assert ask(api, "b")[0] == 200


def test_headers_carry_what_is_used_and_warn_when_it_is_nearly_all(api: Api) -> None:
    api.account("a", u5=0.5, cost5=0.45)
    headers = ask(api, "a")[1]
    assert headers[PREFIX + "5h-utilization"] == "0.95"
    assert headers[PREFIX + "status"] == "allowed_warning"


def test_a_reset_that_passed_empties_the_window(api: Api) -> None:
    api.account("a", u5=1.0, reset5_in=-1)
    assert ask(api, "a")[0] == 200
    assert api.control()["accounts"]["a"]["u5"] == 0.0


@pytest.mark.parametrize(
    ("mode", "status"),
    [("limit7", 429), ("429plain", 429), ("529", 529), ("500", 500), ("401", 401), ("400credit", 400)],
)
def test_a_mode_can_be_forced(api: Api, mode: str, status: int) -> None:
    api.account("a", mode=mode)
    got, headers, _ = ask(api, "a")
    assert got == status
    assert (PREFIX + "status" in headers) == (mode != "429plain")


def test_an_unknown_mode_or_setting_is_refused(api: Api) -> None:
    for order in ({"accounts": {"a": {"mode": "what"}}}, {"accounts": {"a": {"u6": 1}}}, {"what": 1}):
        with pytest.raises(urllib.error.HTTPError):
            api.control(**order)


def test_an_unknown_token_is_refused_and_every_made_up_one_names_its_account(api: Api) -> None:
    assert account_of(token("main-2")) == "main-2"
    assert account_of("sk-ant-oat01-something-else") is None
    assert ask(api, "a", authorization="Bearer sk-ant-something")[0] == 401


def test_the_log_tells_who_asked_what_and_when_the_answer_was_out(api: Api) -> None:
    ask(api, "a", "MARK_BASH{echo hi}", stream=True)
    wait_for(lambda: len(api.records()) == 2, 10, "the end of the first answer in the log")
    ask(api, "a", "hello", stream=False, **{"x-claude-code-agent-id": "a1"})
    first, end, second = api.records()[:3]
    assert (first["account"], first["conversation"], first["kind"]) == ("a", "c", "main")
    assert first["messages"][0]["blocks"][0]["head"] == "MARK_BASH{echo hi}"
    assert first["response"][-1]["name"] == "Bash"
    assert (end["event"], end["n"]) == ("end", first["n"])
    assert end["t"] >= first["t"]
    assert second["kind"] == "subagent"
    assert [r["n"] for r in api.requests("c")] == [first["n"]]


def test_a_refreshed_token_is_the_same_accounts(api: Api) -> None:
    body = json.dumps({"refresh_token": token("a").replace("oat01", "ort01")}).encode()
    request = urllib.request.Request(api.url + "/v1/oauth/token", body, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        fresh = json.load(answer)["access_token"]
    assert fresh != token("a")
    assert account_of(fresh) == "a"


def test_a_missing_npm_is_named_with_the_mend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InstallError, match="npm is needed"):
        ensure(tmp_path / "cache")


def test_made_up_logins_are_private_and_the_simulated_one_has_no_credentials_file(tmp_path: Path) -> None:
    simulated = config_dir(tmp_path / "s", "a", [tmp_path], real=False, shared=tmp_path / "shared")
    real = config_dir(tmp_path / "r", "a", [tmp_path], real=True, shared=tmp_path / "shared")
    assert (simulated / ".sim-token").stat().st_mode & 0o777 == 0o600
    assert (real / ".credentials.json").stat().st_mode & 0o777 == 0o600
    assert not (simulated / ".credentials.json").exists()
    assert (real / "projects").resolve() == (simulated / "projects").resolve()
    assert sim_claude(tmp_path / "bin").stat().st_mode & 0o100
