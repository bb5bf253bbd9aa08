"""Launch files, run with a real shell and a program in the binary's place that says what it was given."""

from __future__ import annotations

import json
import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from failover.claude import launch
from failover.claude import settings as overlays
from failover.claude.kinds import Login
from failover.claude.launch import LaunchSpec
from failover.errors import HostError
from tests.claude.listener import Listener, listening

LAUNCH = "0123456789ab"
CONVERSATION = "1cc8b150-1acd-48cc-83cb-05ca3cecfe04"
#: Stands where the binary would: prints its arguments, folder and environment.
TELLER = """#!/usr/bin/env python3
import json, os, sys
print(json.dumps({"pid": os.getpid(), "args": sys.argv[1:], "cwd": os.getcwd(), "env": dict(os.environ)}))
"""


@pytest.fixture
def base(tmp_path: Path) -> LaunchSpec:
    teller = tmp_path / "it's the claude"
    teller.write_text(TELLER)
    teller.chmod(0o755)
    cwd = tmp_path / "a 'project' $HOME"
    cwd.mkdir()
    (tmp_path / "account").mkdir()
    return LaunchSpec(
        session="ccl-0",
        account="main & co",
        launch=LAUNCH,
        conversation=CONVERSATION,
        cwd=cwd,
        config_dir=tmp_path / "account",
        command=str(teller),
        directory=tmp_path / "launch",
        control_socket=tmp_path / "control.sock",
    )


def changed(spec: LaunchSpec, **fields: Any) -> LaunchSpec:
    return msgspec.structs.replace(spec, **fields)


def started(spec: LaunchSpec, **env: str) -> dict[str, Any]:
    script = launch.write_launch_files(spec)
    done = subprocess.run(
        ["sh", str(script)], capture_output=True, timeout=20, env={**os.environ, **env}, cwd="/", check=True
    )
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def overlay(spec: LaunchSpec) -> dict[str, Any]:
    launch.write_launch_files(spec)
    content: dict[str, Any] = json.loads((spec.directory / launch.marker(spec.session, spec.launch)).read_text())
    return content


def test_a_new_conversation_is_started_under_its_account_in_its_folder(base: LaunchSpec) -> None:
    told = started(changed(base, args=("--model", "a b"), env={"TOKEN_LIKE": "it's $x"}))
    file = str(base.directory / f"ccl-0.{LAUNCH}.settings.json")
    assert told["args"] == ["--model", "a b", "--settings", file, "--session-id", CONVERSATION]
    assert told["cwd"] == str(base.cwd)
    assert told["env"]["CLAUDE_CONFIG_DIR"] == str(base.config_dir)
    assert told["env"]["TOKEN_LIKE"] == "it's $x"


def test_a_conversation_goes_on_with_its_prompt_word_for_word(base: LaunchSpec) -> None:
    prompt = "two\nlines, 'quotes' \"both\" `x` $(y) \\ é 🙂"
    told = started(changed(base, resume=True, prompt=prompt))
    assert told["args"][2:] == ["--resume", CONVERSATION, prompt]


def test_a_prompt_that_begins_with_a_dash_is_no_option(base: LaunchSpec) -> None:
    assert started(changed(base, prompt="--help"))["args"][-1] == " --help"


def test_a_prompt_too_long_for_an_argument_is_handed_over_in_a_file(base: LaunchSpec) -> None:
    prompt = "long " * 100_000
    told = started(changed(base, prompt=prompt))["args"][-1]
    file = base.directory / f"ccl-0.{LAUNCH}.prompt.txt"
    assert str(file) in told
    assert file.read_text() == prompt
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=40))
def test_no_prompt_is_read_by_the_shell(base: LaunchSpec, prompt: str) -> None:
    assert started(changed(base, prompt=prompt))["args"][-1].removeprefix(" ") == prompt.removeprefix(" ")


def test_logins_and_nesting_in_the_environment_do_not_reach_the_binary(base: LaunchSpec) -> None:
    names = launch.AUTH_VARIABLES | launch.NESTING_VARIABLES
    told = started(changed(base, env={"ANTHROPIC_API_KEY": "the operator's"}), **dict.fromkeys(names, "inherited"))
    assert names & set(told["env"]) == {"ANTHROPIC_API_KEY"}
    assert told["env"]["ANTHROPIC_API_KEY"] == "the operator's"


def test_a_folder_that_is_gone_starts_nothing(base: LaunchSpec) -> None:
    script = launch.write_launch_files(base)
    base.cwd.rmdir()
    done = subprocess.run(["sh", str(script)], capture_output=True, timeout=20)
    assert (done.returncode != 0, done.stdout) == (True, b"")


def test_the_shell_becomes_the_binary(base: LaunchSpec) -> None:
    script = launch.write_launch_files(base)
    with subprocess.Popen(["sh", str(script)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.read())["pid"] == process.pid


def test_files_are_the_operators_alone(base: LaunchSpec) -> None:
    script = launch.write_launch_files(base)
    assert stat.S_IMODE(script.stat().st_mode) == 0o700
    assert stat.S_IMODE((base.directory / launch.marker("ccl-0", LAUNCH)).stat().st_mode) == 0o600


def test_what_a_killed_switcher_left_half_written_goes_with_the_next_launch(base: LaunchSpec) -> None:
    base.directory.mkdir(exist_ok=True)
    halves = [f".ccl-0.{LAUNCH}.sh.part", f".ccl-0.{LAUNCH}.settings.json.part", ".hook.sh.part"]
    for name in halves:
        (base.directory / name).write_text("half a fi")
    launch.write_launch_files(changed(base, launch="ba9876543210"))
    assert not [path for path in base.directory.iterdir() if path.name.startswith(".")]
    (base.directory / halves[0]).write_text("half a fi")
    assert started(base)["args"]


def test_a_sessions_earlier_files_are_removed_and_no_others(base: LaunchSpec) -> None:
    other = launch.write_launch_files(changed(base, session="ccl-00"))
    dotted = launch.write_launch_files(changed(base, session="ccl-0.x"))
    old = launch.write_launch_files(base)
    new = launch.write_launch_files(changed(base, launch="ba9876543210"))
    assert [path.exists() for path in (other, dotted, old, new)] == [True, True, False, True]
    assert not (base.directory / launch.marker("ccl-0", LAUNCH)).exists()
    assert not [path for path in base.directory.iterdir() if path.name.startswith(".")]


def test_a_process_is_known_by_its_settings_file(base: LaunchSpec) -> None:
    told = started(changed(base, session="a.b"))
    assert launch.launch_id_of(["claude", *told["args"]], base.directory) == ("a.b", LAUNCH)


@pytest.mark.parametrize(
    "cmdline",
    [[], ["claude"], ["claude", "--settings", "/elsewhere/ccl-0.0123456789ab.settings.json"], ["vi", "settings.json"]],
)
def test_other_processes_are_not_ours(base: LaunchSpec, cmdline: list[str]) -> None:
    assert launch.launch_id_of(cmdline, base.directory) is None


@pytest.mark.parametrize("fields", [{"session": "../x"}, {"session": ""}, {"launch": "short"}, {"launch": "x/" * 6}])
def test_a_name_that_could_leave_the_folder_is_refused(base: LaunchSpec, fields: dict[str, str]) -> None:
    with pytest.raises(HostError, match="no file can be named so"):
        launch.write_launch_files(changed(base, **fields))


def test_a_folder_that_cannot_be_written_is_named(base: LaunchSpec) -> None:
    blocked = base.directory / "file"
    base.directory.mkdir()
    blocked.touch()
    with pytest.raises(HostError, match="file"):
        launch.write_launch_files(changed(base, directory=blocked))


@pytest.fixture
def server(base: LaunchSpec) -> Iterator[Listener]:
    with listening(base.control_socket) as listener:
        yield listener


def test_every_hook_of_the_overlay_reaches_the_control_plane(base: LaunchSpec, server: Listener) -> None:
    hooks = overlay(base)["hooks"]
    assert set(hooks) == {*overlays.HELD, *overlays.TOLD}
    for event, groups in hooks.items():
        command = groups[0]["hooks"][0]["command"]
        done = subprocess.run(["/bin/sh", "-c", command], input=event.encode(), capture_output=True, timeout=15)
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    query = f"session=ccl-0&account=main%20%26%20co&launch={LAUNCH}"
    assert server.posts == [(f"/hook?{query}", event.encode()) for event in hooks]


def test_a_held_hook_is_answered_before_the_binary_gives_up_on_it(base: LaunchSpec) -> None:
    for event in overlays.HELD:
        assert overlay(base)["hooks"][event][0]["hooks"][0]["timeout"] > overlays.HOLD_LIMIT


def test_hooks_of_a_session_that_outlived_the_launch_folder_succeed_in_silence(base: LaunchSpec) -> None:
    command = overlay(base)["hooks"]["PostToolBatch"][0]["hooks"][0]["command"]
    (base.directory / "hook.sh").unlink()
    done = subprocess.run(["/bin/sh", "-c", command], input=b"{}", capture_output=True, timeout=15)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def write_settings(path: Path, statusline: object) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"statusLine": statusline}))


def test_the_users_statusline_runs_behind_ours(base: LaunchSpec, server: Listener) -> None:
    write_settings(
        base.config_dir / "settings.json", {"type": "command", "command": 'echo "it\'s $(cat)"', "padding": 2}
    )
    line = overlay(base)["statusLine"]
    assert (line["padding"], line["refreshInterval"]) == (2, 60)
    done = subprocess.run(["/bin/sh", "-c", line["command"]], input=b"{}", capture_output=True, timeout=15)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"it's {}\n", b"")
    assert len(server.posts) == 1


def test_the_nearest_statusline_wins(base: LaunchSpec) -> None:
    expected = None
    for number, path in enumerate(
        (
            base.config_dir / "settings.json",
            base.cwd / ".claude" / "settings.json",
            base.cwd / ".claude" / "settings.local.json",
        )
    ):
        assert overlays.user_statusline(base.config_dir, base.cwd) == expected
        expected = {"type": "command", "command": f"echo {number}", "refreshInterval": 5}
        write_settings(path, expected)
    assert overlays.user_statusline(base.config_dir, base.cwd) == expected
    assert overlay(base)["statusLine"]["refreshInterval"] == 5


@pytest.mark.parametrize("content", ["", "{", "[]", '{"statusLine": 3}', '{"statusLine": {"type": "command"}}'])
def test_settings_that_hold_no_statusline_count_as_none(base: LaunchSpec, content: str) -> None:
    (base.config_dir / "settings.json").write_text(content)
    assert overlays.user_statusline(base.config_dir, base.cwd) is None
    assert overlay(base)["statusLine"]["type"] == "command"


CANARY = "sk-ant-made-up-canary"


def env_file(base: LaunchSpec, text: str) -> Path:
    path = base.directory.parent / "account.env"
    path.write_text(text)
    path.chmod(0o600)
    return path


def launch_files(base: LaunchSpec) -> str:
    return "".join(path.read_text() for path in base.directory.iterdir())


def test_a_token_reaches_the_binary_and_no_file_of_the_launch(base: LaunchSpec) -> None:
    login = Login("token", env_file(base, f"CLAUDE_CODE_OAUTH_TOKEN='{CANARY} $HOME'\n"))
    told = started(changed(base, login=login, prompt="it's a prompt"), CLAUDE_CODE_OAUTH_TOKEN="inherited")
    assert told["env"]["CLAUDE_CODE_OAUTH_TOKEN"] == f"{CANARY} $HOME"
    assert told["args"][-1] == "it's a prompt"
    assert CANARY not in launch_files(base) + " ".join(told["args"])


def test_the_pane_becomes_the_binary_for_every_kind(base: LaunchSpec) -> None:
    login = Login("token", env_file(base, f"CLAUDE_CODE_OAUTH_TOKEN={CANARY}\n"))
    script = launch.write_launch_files(changed(base, login=login))
    with subprocess.Popen(["sh", str(script)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.read())["pid"] == process.pid


def test_a_key_is_told_by_a_helper_that_outlives_the_package_and_stands_in_no_environment(base: LaunchSpec) -> None:
    spec = changed(base, login=Login("api_key", env_file(base, f"ANTHROPIC_API_KEY={CANARY}\n")))
    assert CANARY not in json.dumps(started(spec))
    helper = overlay(spec)["apiKeyHelper"]
    assert str(base.directory) in helper, "a copy beside the launch files"
    assert subprocess.run(["sh", "-c", helper], capture_output=True, text=True, timeout=20).stdout.strip() == CANARY
    assert CANARY not in launch_files(base)


@pytest.mark.parametrize(
    ("kind", "text", "switch"),
    [
        ("bedrock", "AWS_REGION=eu-west-1\nAWS_BEARER_TOKEN_BEDROCK=x\n", "CLAUDE_CODE_USE_BEDROCK"),
        ("vertex", "CLOUD_ML_REGION=europe-west1\nANTHROPIC_VERTEX_PROJECT_ID=p\n", "CLAUDE_CODE_USE_VERTEX"),
    ],
)
def test_a_cloud_is_switched_on_for_its_own_kind_only(base: LaunchSpec, kind: Any, text: str, switch: str) -> None:
    told = started(changed(base, login=Login(kind, env_file(base, text))))["env"]
    assert told[switch] == "1"
    assert all(told[name] == value for name, value in (line.split("=") for line in text.split()))
    assert switch not in started(base, **{switch: "1"})["env"]
