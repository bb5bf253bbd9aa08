"""What a fact of the host means, as a table: values in, level and mend out."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from failover.claude import version
from failover.doctor import binary, daemons, host, old_scripts, overlay
from failover.doctor.probe import Facts
from failover.host.daemon import ROLES

INF = float("inf")


@pytest.mark.parametrize(
    ("printed", "level", "says"),
    [
        (f"{version.MEASURED} (Claude Code)", "ok", "the version that all was measured on"),
        ("2.1.399 (Claude Code)", "ok", "near"),
        ("2.2.0 (Claude Code)", "hint", "all was measured on"),
        ("3.0.1", "hint", "all was measured on"),
        ("2.0.76 (Claude Code)", "error", "too old"),
        ("1.0.0 (Claude Code)", "error", "too old"),
        ("Claude Code", "error", "prints no version"),
        ("", "error", "prints no version"),
    ],
)
def test_versions(printed: str, level: str, says: str) -> None:
    found = binary.judge_version("claude", printed)
    assert (found.level, says in found.sentence) == (level, True)
    assert (found.mend == "") == (level == "ok")


def test_each_fact_that_is_another_one_is_an_error_that_says_what_it_costs() -> None:
    assert [found.level for found in binary.judge_facts(Facts())] == ["ok"]
    for name in ("status", "registry", "hooks", "statusline", "stop", "resume"):
        (found,) = binary.judge_facts(msgspec.structs.replace(Facts(), **{name: "it is new"}))
        assert found.level == "error" and found.sentence.startswith("it is new: ") and found.mend
    assert len(binary.judge_facts(Facts(status="a", hooks="b"))) == 2


@pytest.mark.parametrize(
    ("printed", "level"),
    [("tmux 3.2", "ok"), ("tmux 3.3", "ok"), ("tmux 3.4", "ok"), ("tmux 3.5a", "ok"), ("tmux 3.3a", "warning"),
     ("tmux 3.1c", "error"), ("tmux 2.9a", "error"), ("tmux master", "hint"), ("", "warning")],
)  # fmt: skip
def test_tmux_versions(printed: str, level: str) -> None:
    assert host.judge_tmux(printed).level == level


@pytest.mark.parametrize(
    ("free", "inodes", "level"),
    [(5 << 30, 0.5, "ok"), (500 << 20, 0.5, "warning"), (50 << 20, 0.5, "error"), (5 << 30, 0.005, "warning"),
     (5 << 30, 0.0, "error")],
)  # fmt: skip
def test_room(free: int, inodes: float, level: str) -> None:
    assert host.judge_room(Path("/x"), free, inodes).level == level


@pytest.mark.parametrize(
    ("now", "newest", "synced", "level"),
    [(1_800_000_000, 0, True, "ok"), (1_800_000_000, 0, None, "ok"), (1_800_000_000, 1_800_000_030, True, "ok"),
     (1_800_000_000, 1_800_000_061, True, "warning"), (1_800_000_000, 0, False, "hint"), (86400, 0, True, "error")],
)  # fmt: skip
def test_the_time_of_day(now: float, newest: float, synced: bool | None, level: str) -> None:
    assert host.judge_clock(now, newest, synced).level == level


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({}, "suffice"),
        ({"files": 256}, "open files: 256 allowed, 1024 wanted"),
        ({"tasks": 1000, "sessions": 20}, "processes: 1000 allowed, 1400 wanted"),
        ({"watches": 100}, "inotify watches: 100 allowed, 1000 wanted"),
        ({"watches": 3000, "projects": 1000}, "inotify watches: 3000 allowed, 5000 wanted"),
        ({"instances": 8}, "inotify instances: 8 allowed, 32 wanted"),
    ],
)
def test_limits(changed: dict[str, float], says: str) -> None:
    given = {"files": INF, "tasks": INF, "watches": INF, "instances": INF, "sessions": 0, "projects": 0, **changed}
    (found,) = host.judge_limits(**given)  # type: ignore[arg-type]
    assert says in found.sentence
    assert found.level == ("warning" if changed else "ok")


def test_roles() -> None:
    everyone = set(ROLES)
    assert daemons.judge_roles(True, everyone).level == "ok"
    assert daemons.judge_roles(False, set()).level == "hint"
    assert "notifier" in daemons.judge_roles(True, everyone - {"notifier"}).sentence
    assert daemons.judge_roles(False, {"bus"}).level == "error"


def test_roles_that_run_another_program_than_the_installed_one_are_told_of() -> None:
    assert daemons.judge_programs(set(), "0.2.0 (b)") == daemons.judge_programs({"0.2.0 (b)"}, "0.2.0 (b)") == []
    (found,) = daemons.judge_programs({"0.2.0 (b)", "0.1.0 (a)", ""}, "0.2.0 (b)")
    assert found.sentence == (
        "roles still run another program (0.1.0, unknown) than the one that is installed (0.2.0 (b))"
    )
    assert (found.level, found.mend) == ("warning", "claude-failover up")


def test_a_tmux_server_that_ends_with_its_login_is_told_of_where_logins_are_tidied() -> None:
    login, manager = "0::/user.slice/user-1000.slice/session-4.scope\n", "0::/user.slice/user@1000.service/app.slice\n"
    assert daemons.judge_scope(login, True) is not None
    assert daemons.judge_scope(login, False) is None
    assert daemons.judge_scope(manager, True) is None


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("* * * * * /home/op/bin/watchdog.sh >/dev/null 2>&1", "watchdog.sh"),
        ("@reboot cd ~/agents && ./start-dedicated-agents.sh", "start-dedicated-agents.sh"),
        ("0 * * * * bash -c 'graceful-switch.sh backup'", "graceful-switch.sh"),
        ("0 * * * * flock -n /tmp/l checkpoint-daemon.sh", "checkpoint-daemon.sh"),
        ("0 * * * * sh $HOME/launch-agent.sh;true", "launch-agent.sh"),
        ("# * * * * * /home/op/bin/watchdog.sh", ""),
        ("* * * * * /home/op/bin/my-watchdog.sh", ""),
        ("* * * * * /home/op/bin/watchdog.sh.old", ""),
        ("* * * * * claude-failover status", ""),
        ("* * * * * /opt/ours/watchdog.sh", ""),
    ],
)
def test_lines_of_a_crontab(line: str, found: str) -> None:
    said = old_scripts.judge_cron("your crontab", f"MAILTO=op\n{line}\n", lambda path: path.startswith("/opt/ours/"))
    assert [f"line 2 starts the old {found}" in one.sentence and one.level == "error" for one in said] == (
        [True] if found else []
    )


@pytest.mark.parametrize(
    ("content", "level"),
    [
        ({}, ""),
        ({"hooks": {"Stop": []}, "statusLine": {"type": "command", "command": "x"}}, ""),
        ({"disableAllHooks": True}, "error"),
        ({"disableAllHooks": False}, ""),
        ({"allowManagedHooksOnly": True}, "error"),
        ({"apiKeyHelper": "x"}, "error"),
        ({"env": {"ANTHROPIC_API_KEY": "x"}}, "error"),
        ({"env": {"CLAUDE_CONFIG_DIR": "x"}}, "error"),
        ({"env": {"EDITOR": "vi"}}, ""),
        ({"env": "odd"}, ""),
        ({"cleanupPeriodDays": 1}, "warning"),
        ({"cleanupPeriodDays": 30}, ""),
        ({"cleanupPeriodDays": True}, ""),
    ],
)
def test_settings(content: dict[str, object], level: str) -> None:
    assert [found.level for found in overlay.judge(Path("s"), content, True)] == ([level] if level else [])


def test_a_key_helper_is_nobodys_trouble_where_no_account_logs_in_by_its_config_dir() -> None:
    assert overlay.judge(Path("s"), {"apiKeyHelper": "x"}, False) == []
