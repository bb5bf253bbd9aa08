"""What `claude -p /usage` and `.claude.json` tell, and what is no reading."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from failover.claude.usage_command import Cached, cached, environment, parse, reset_time
from failover.core.usage import FIVE_HOURS, PRINTED, SEVEN_DAYS, USAGE_COMMAND
from failover.errors import HostError

NOW = int(datetime(2026, 11, 24, 15, 20, 41, tzinfo=UTC).timestamp())
NOW_MS = NOW * 1000
TEXT = """You are currently using your subscription to power your Claude Code usage

Current session: 10% used · resets Nov 24, 4:20pm (UTC)
Current week (all models): 99% used · resets Nov 28, 3pm (UTC)
Current week (Sonnet only): 7% used"""
UTILIZATION = {
    "five_hour": {"utilization": 10.4, "resets_at": "2026-11-24T16:20:41.000000+00:00"},
    "seven_day": {"utilization": 99.6, "resets_at": "2026-11-28T15:00:00Z"},
    "seven_day_oauth_apps": {"utilization": 1, "resets_at": None},
    "seven_day_opus": None,
    "seven_day_sonnet": {"utilization": 7, "resets_at": None},
    "extra_usage": {"is_enabled": False},
    "limits": [
        {"group": "weekly", "percent": 12, "resets_at": None, "scope": {"model": {"display_name": "Fable 5"}}},
        {"group": "session", "percent": 10, "resets_at": None, "scope": None},
    ],
}


def output(text: str = TEXT, **fields: Any) -> bytes:
    return json.dumps({"type": "result", "is_error": False, "result": text, **fields}).encode()


def kept(age: float = 1.0, utilization: dict[str, Any] | None = None) -> Cached:
    return Cached(fetched_at_ms=NOW_MS - int(age * 1000), utilization=utilization or UTILIZATION)


def test_what_the_binary_keeps_is_read_to_the_digit_and_the_second() -> None:
    found = {r.window: (r.used, r.resets_at) for r in parse(output(), kept(), "a", NOW_MS, NOW_MS)}
    assert found == {
        "five_hour": (10.4, NOW + 3600),
        "seven_day": (99.6, int(datetime(2026, 11, 28, 15, tzinfo=UTC).timestamp())),
        "seven_day_sonnet": (7, None),
        "seven_day_fable_5": (12, None),
    }
    one = parse(output(), kept(), "a", NOW_MS, NOW_MS)[0]
    assert (one.account, one.source, one.observed_ms) == ("a", USAGE_COMMAND, NOW_MS - 1000)


def test_an_answer_of_before_the_question_is_none() -> None:
    assert parse(output(), kept(59), "a", NOW_MS, NOW_MS)
    for age in (61, 1700, -5):
        with pytest.raises(HostError, match="repeated its answer"):
            parse(output(), kept(age), "a", NOW_MS, NOW_MS)


def test_where_nothing_is_kept_the_print_is_read_and_marked_so() -> None:
    found = {r.window: r for r in parse(output(), None, "a", NOW_MS, NOW_MS)}
    assert {r.source for r in found.values()} == {PRINTED}
    assert (found["five_hour"].used, found["five_hour"].resets_at) == (10, NOW + 3600 + 18)
    assert found["seven_day_sonnet"].resets_at is None
    assert found["seven_day"].used == 99


@pytest.mark.parametrize(
    "answer",
    [b"", b"\xff\xfe", b"null", b"[" * 100_000, b'{"result": 5}', output(is_error=True), output("You are using it"),
     output("Current session: lots used"), output("Current week (?!): 5% used"), output("Current session: 5000% used")],
)  # fmt: skip
def test_what_names_no_window_is_an_error_and_never_a_reading(answer: bytes) -> None:
    with pytest.raises(HostError):
        parse(answer, None, "a", NOW_MS, NOW_MS)


@pytest.mark.parametrize(
    "wrong",
    [{"five_hour": "<html>"}, {"five_hour": {"utilization": "10"}}, {"five_hour": {"utilization": -1}}, {"limits": [7]},
     {"five_hour": {"utilization": 1, "resets_at": "tomorrow"}}, {"extra_usage": None},
     {"five_hour": {"utilization": 1, "resets_at": "2026-11-24T16:20:41"}}],
)  # fmt: skip
def test_what_is_kept_in_another_shape_is_an_error_and_never_a_reading(wrong: dict[str, Any]) -> None:
    with pytest.raises(HostError):
        parse(output(), kept(utilization=wrong), "a", NOW_MS, NOW_MS)


def test_what_is_kept_counts_only_for_the_account_that_is_logged_in(tmp_path: Path) -> None:
    file = tmp_path / ".claude.json"
    assert cached(tmp_path) is None
    usage = {"fetchedAtMs": 5, "accountUuid": "one", "utilization": {}}
    file.write_text(json.dumps({"oauthAccount": {"accountUuid": "one"}, "cachedUsageUtilization": usage}))
    assert cached(tmp_path) == Cached(fetched_at_ms=5, utilization={}, account_uuid="one")
    file.write_text(json.dumps({"oauthAccount": {"accountUuid": "two"}, "cachedUsageUtilization": usage}))
    with pytest.raises(HostError, match="another account's"):
        cached(tmp_path)
    for broken in ("{", '{"cachedUsageUtilization": 5}'):
        file.write_text(broken)
        with pytest.raises(HostError, match="cannot be read"):
            cached(tmp_path)


def test_the_environment_holds_no_login_but_the_config_dirs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-canary")
    monkeypatch.setenv("CLAUDECODE", "1")
    env = environment({"HTTPS_PROXY": "http://proxy"}, Path("/x"))
    assert (env["CLAUDE_CONFIG_DIR"], env["HTTPS_PROXY"], env["TZ"]) == ("/x", "http://proxy", "UTC")
    assert not {"ANTHROPIC_API_KEY", "CLAUDECODE"} & env.keys()


def at(*parts: int) -> int:
    return int(datetime(*parts, tzinfo=UTC).timestamp())  # type: ignore[arg-type,misc]


def test_a_printed_reset_time_is_never_a_day_late_nor_early() -> None:
    assert reset_time("3pm (UTC)", FIVE_HOURS, at(2026, 11, 24, 14)) == at(2026, 11, 24, 15, 0, 59)
    assert reset_time("12:30am (UTC)", FIVE_HOURS, at(2026, 11, 24, 23)) == at(2026, 11, 25, 0, 30, 59)
    assert reset_time("11:59pm (UTC)", FIVE_HOURS, at(2026, 11, 25, 0, 0)) == at(2026, 11, 24, 23, 59, 59)
    assert reset_time("Jan 2, 12pm (UTC)", SEVEN_DAYS, at(2026, 12, 30)) == at(2027, 1, 2, 12, 0, 59)


@pytest.mark.parametrize(
    "text",
    ["", "soon", "3pm", "3pm (America/New_York)", "13:00pm (UTC)", "0am (UTC)", "9pm (UTC)", "Nov 31, 3pm (UTC)",
     "Xyz 3, 3pm (UTC)", "Nov 20, 3pm (UTC)", "Dec 24, 3pm (UTC)"],
)  # fmt: skip
def test_a_reset_time_that_is_not_sure_is_none(text: str) -> None:
    assert reset_time(text, FIVE_HOURS, at(2026, 11, 24, 14)) is None


@given(st.integers(0, 4 * 365 * 86400), st.integers(61, SEVEN_DAYS - 61))
def test_a_reset_time_that_the_binary_would_print_comes_back_to_the_minute(now: int, ahead: int) -> None:
    now += at(2026, 1, 1)
    moment = datetime.fromtimestamp(now + ahead, UTC)
    clock = f"{moment.hour % 12 or 12}{f':{moment.minute:02}' if moment.minute else ''}{'ap'[moment.hour // 12]}m (UTC)"
    found = reset_time(f"{moment:%b} {moment.day}, {clock}", SEVEN_DAYS, now)
    assert found is not None
    assert 0 <= found - (now + ahead) < 60


@given(st.binary(max_size=300), st.none() | st.builds(kept))
def test_whatever_is_printed_is_readings_or_an_error(answer: bytes, known: Cached | None) -> None:
    try:
        assert parse(answer, known, "a", NOW_MS, NOW_MS)
    except HostError as error:
        assert str(error)
