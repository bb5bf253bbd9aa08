"""What of a session's start goes into its next one."""

from __future__ import annotations

from pathlib import Path

import pytest

from failover.claude.carry import NotCarried, added_dirs, arguments, environment, left_behind, words


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("--model opus --permission-mode plan", "--model opus --permission-mode plan"),
        ("--resume 1234 --model opus", "--model opus"),
        ("--resume --model opus", "--model opus"),
        ("-c --dangerously-skip-permissions", "--dangerously-skip-permissions"),
        ("--continue --fork-session --session-id abc -r", ""),
        ("--model=opus begin", "--model=opus"),
        ("begin --add-dir a b --verbose", "--add-dir a b --verbose"),
        ("--debug api --resume x go", "--debug api"),
        ("--mcp-config one.json two.json -- --verbose", "--mcp-config one.json two.json"),
        ("--name night go", "--name night"),
    ],
)
def test_a_session_keeps_its_options_and_not_its_conversation_or_prompt(given: str, kept: str) -> None:
    assert " ".join(arguments(given.split())) == kept


@pytest.mark.parametrize("option", ["--settings", "--worktree", "-p", "--brand-new", "-dc"])
def test_what_cannot_be_repeated_is_refused_and_named(option: str) -> None:
    with pytest.raises(NotCarried, match=option):
        arguments(["--model", "opus", option, "x"])


@pytest.mark.parametrize(
    "program", [["claude"], ["/opt/bin/claude"], ["node", "/lib/claude-code/cli.js"], ["python", "-E", "/x/claude.py"]]
)
def test_the_program_is_no_argument(program: list[str]) -> None:
    assert words([*program, "--verbose", "go"]) == ("--verbose", "go")


ENVIRON = {
    "PATH": "/usr/bin",
    "HOME": "/home/ann",
    "ANTHROPIC_MODEL": "opus",
    "ANTHROPIC_BASE_URL": "http://gateway.example",
    "MAX_THINKING_TOKENS": "9000",
    "CLAUDE_CODE_MAX_OUTPUT_TOKENS": "8000",
    "CLAUDE_CODE_ENTRYPOINT": "cli",
    "CLAUDE_CONFIG_DIR": "/home/ann/.claude-main",
    "HTTPS_PROXY": "http://ann:made-up@proxy.example",
    "NO_PROXY": "localhost",
    "GITHUB_TOKEN": "made-up",
    "MCP_API_KEY": "made-up",
}


def test_the_environment_that_matters_is_kept_and_no_secret_is() -> None:
    assert sorted(environment(ENVIRON)) == [
        "ANTHROPIC_BASE_URL", "ANTHROPIC_MODEL", "CLAUDE_CODE_MAX_OUTPUT_TOKENS", "MAX_THINKING_TOKENS", "NO_PROXY",
        "PATH",
    ]  # fmt: skip
    assert left_behind(ENVIRON) == ("GITHUB_TOKEN", "HTTPS_PROXY", "MCP_API_KEY")


def test_a_session_that_logs_in_by_its_environment_is_refused() -> None:
    with pytest.raises(NotCarried, match="ANTHROPIC_API_KEY"):
        environment({**ENVIRON, "ANTHROPIC_API_KEY": "made-up"})


def test_added_folders_are_known() -> None:
    given = ["--add-dir", "one", "/two", "--verbose", "--add-dir=three"]
    assert added_dirs(given, Path("/app")) == (Path("/app/one"), Path("/two"), Path("/app/three"))
