"""The manual says what the verbs say, and what the verbs say is true of them."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess

import click
import pytest
from click.testing import CliRunner

from failover.cli import manual, verbs

COMMANDS = list(manual.commands())


def test_the_pages_are_those_that_the_verbs_make() -> None:
    for path, text in ((manual.MARKDOWN, manual.markdown()), (manual.MAN, manual.man())):
        assert path.read_text() == text, f"{path} is stale; make it anew with: scripts/manual"


def test_the_man_page_is_read_without_a_complaint() -> None:
    if shutil.which("man") is None:
        pytest.skip("man is not installed")
    command = ["man", "--warnings", "-E", "UTF-8", "-l", str(manual.MAN)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, env={"PATH": "/usr/bin:/bin"})
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(("name", "command"), COMMANDS, ids=[name.partition(" ")[2] for name, _ in COMMANDS])
def test_a_help_fits_80_columns_and_its_examples_are_commands(name: str, command: click.Command) -> None:
    words = name.split()[1:]
    shown = CliRunner().invoke(verbs, [*words, "--help"], terminal_width=80)
    assert shown.exit_code == 0
    assert [line for line in shown.output.splitlines() if len(line) > 80] == []
    examples = re.findall(
        r"^ {4}(claude-failover .+?)(?: {2}.*)?$", shown.output.partition("Examples:")[2], re.MULTILINE
    )
    for example in examples:
        for part in re.split(r"&& | \| ", example.partition(" < ")[0]):
            _, *given = shlex.split(part)
            if part.startswith("claude-failover"):
                parses(given)


def parses(arguments: list[str]) -> None:
    """Fail when the arguments are no verb with such options."""
    command: click.Command = verbs
    context = click.Context(command, info_name="claude-failover")
    if arguments and arguments[0] == "--config":
        arguments = arguments[2:]
    while isinstance(command, click.Group):
        found = command.get_command(context, arguments[0])
        assert found is not None, arguments
        command, arguments = found, arguments[1:]
        context = click.Context(command, context, info_name=command.name)
    command.make_context(command.name, list(arguments), parent=context)
